import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.time.Duration;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Tells which role the instance metadata names, as the AWS SDK for Java asks for it: `java WhoAmI.java`. */
public final class WhoAmI {
    private static final String ROLES = "/latest/meta-data/iam/security-credentials/";
    private static final HttpClient HTTP = HttpClient.newBuilder().connectTimeout(Duration.ofSeconds(5)).build();

    public static void main(String[] arguments) throws Exception {
        String given = System.getenv("AWS_EC2_METADATA_SERVICE_ENDPOINT");
        String endpoint = (given == null ? "http://169.254.169.254" : given).replaceAll("/+$", "");
        HttpRequest.Builder asksForToken = HttpRequest.newBuilder(URI.create(endpoint + "/latest/api/token"))
                .header("X-aws-ec2-metadata-token-ttl-seconds", "60")
                .PUT(HttpRequest.BodyPublishers.noBody());
        String token = send(asksForToken);
        String role = get(endpoint + ROLES, token).strip();
        String credentials = get(endpoint + ROLES + role, token);
        boolean isTemporary = !field(credentials, "Token").isEmpty();
        System.out.println("role " + role + ", " + (isTemporary ? "temporary" : "permanent") + " credentials until "
                + field(credentials, "Expiration"));
    }

    private static String get(String address, String token) throws Exception {
        return send(HttpRequest.newBuilder(URI.create(address)).header("X-aws-ec2-metadata-token", token).GET());
    }

    private static String send(HttpRequest.Builder request) throws Exception {
        var answer = HTTP.send(request.timeout(Duration.ofSeconds(5)).build(), BodyHandlers.ofString());
        if (answer.statusCode() != 200) {
            throw new IllegalStateException("Failed to connect to service endpoint: HTTP " + answer.statusCode());
        }
        return answer.body();
    }

    private static String field(String json, String name) {
        Matcher found = Pattern.compile("\"" + name + "\"\\s*:\\s*\"([^\"]*)\"").matcher(json);
        return found.find() ? found.group(1) : "";
    }
}
