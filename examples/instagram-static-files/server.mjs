// An image server: takes images, puts them into the bucket, and says at which public URL everyone may read them.
//
//   curl --data-binary @cat.jpg -H 'content-type: image/jpeg' http://127.0.0.1:3000/images
//   curl -X DELETE http://127.0.0.1:3000/images/<name>
//
// Put your own sign-in in front of both: whoever reaches this server may use them.
import { DeleteObjectCommand, S3Client } from "@aws-sdk/client-s3";
import { Upload } from "@aws-sdk/lib-storage";
import express from "express";
import { randomUUID } from "node:crypto";
import { Readable } from "node:stream";

const MEBIBYTE = 1024 * 1024;
const FOLDER = "images/";
const NAME = /^[0-9a-f-]{36}\.(jpg|png|gif|webp)$/;

// What may be uploaded, and the bytes that it begins with: what a client says of its bytes is not believed.
const TYPES = {
  "image/jpeg": { suffix: "jpg", begins: (bytes) => bytes.subarray(0, 3).equals(Buffer.from([0xff, 0xd8, 0xff])) },
  "image/png": { suffix: "png", begins: (bytes) => bytes.subarray(0, 8).toString("latin1") === "\x89PNG\r\n\x1a\n" },
  "image/gif": { suffix: "gif", begins: (bytes) => /^GIF8[79]a/.test(bytes.subarray(0, 6).toString("latin1")) },
  "image/webp": { suffix: "webp", begins: (bytes) => /^RIFF.{4}WEBP/s.test(bytes.subarray(0, 12).toString("latin1")) },
};
const BYTES_THAT_TELL = 12;

class Refused extends Error {
  constructor(status, message) {
    super(message);
    this.status = status;
  }
}

// The settings, by the names that keyhole.toml hands them over with. The SDK itself reads the key, the region and, if
// there is one, the endpoint.
function readSettings(env) {
  const missing = ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_REGION", "S3_BUCKET"].filter((name) => !env[name]);
  if (missing.length > 0) throw new Error(`not set: ${missing.join(", ")}; \`keyhole up\` writes them to .env`);
  const endpoint = env.AWS_ENDPOINT_URL_S3?.replace(/\/$/, "");
  return {
    bucket: env.S3_BUCKET,
    region: env.AWS_REGION,
    hasOwnEndpoint: Boolean(endpoint),
    publicUrl: endpoint
      ? `${endpoint}/${env.S3_BUCKET}/`
      : `https://${env.S3_BUCKET}.s3.${env.AWS_REGION}.amazonaws.com/`,
    // Buckets made since April 2023 refuse ACLs, and the bucket policy makes images public: set it for old ones alone.
    acl: env.S3_ACL || undefined,
    maxBytes: Number(env.MAX_BYTES || 20 * MEBIBYTE),
    port: Number(env.PORT || 3000),
  };
}

// Gives the bytes of an image as they come, and throws once they are too many, or are not what they are said to be.
async function* checkedImage(body, type, maxBytes) {
  let count = 0;
  let head = Buffer.alloc(0);
  let isTold = false;
  for await (const chunk of body) {
    count += chunk.length;
    if (count > maxBytes) throw new Refused(413, `an image has at most ${maxBytes} bytes`);
    if (isTold) {
      yield chunk;
      continue;
    }
    head = Buffer.concat([head, chunk]);
    if (head.length < BYTES_THAT_TELL) continue;
    if (!type.begins(head)) break;
    isTold = true;
    yield head;
  }
  if (!isTold) throw new Refused(415, "these bytes are not an image of the type that is said");
}

function makeApp(settings, s3) {
  const app = express();
  app.disable("x-powered-by");

  app.post("/images", async (request, response) => {
    const mediaType = (request.get("content-type") ?? "").split(";")[0].trim().toLowerCase();
    const type = Object.hasOwn(TYPES, mediaType) ? TYPES[mediaType] : undefined;
    if (!type) throw new Refused(415, `send one of ${Object.keys(TYPES).join(", ")}`);
    if (Number(request.get("content-length")) > settings.maxBytes) {
      throw new Refused(413, `an image has at most ${settings.maxBytes} bytes`);
    }
    const key = `${FOLDER}${randomUUID()}.${type.suffix}`;
    // In parts where it is large, so that memory holds a few of them and never the whole; a broken one is aborted.
    const upload = new Upload({
      client: s3,
      params: {
        Bucket: settings.bucket,
        Key: key,
        Body: Readable.from(checkedImage(request, type, settings.maxBytes)),
        ContentType: mediaType,
        CacheControl: "public, max-age=31536000, immutable",
        ...(settings.acl && { ACL: settings.acl }),
      },
    });
    await upload.done();
    response.status(201).json({ name: key.slice(FOLDER.length), url: settings.publicUrl + key });
  });

  app.delete("/images/:name", async (request, response) => {
    if (!NAME.test(request.params.name)) throw new Refused(404, "there is no such image");
    await s3.send(new DeleteObjectCommand({ Bucket: settings.bucket, Key: FOLDER + request.params.name }));
    response.status(204).end();
  });

  app.use((request, response) => response.status(404).json({ error: "there is nothing here" }));

  // Express takes a function of four parameters as the one for errors.
  app.use((error, request, response, _next) => {
    const status = error.status ?? 502; // errors of S3 and of the way to it have none
    if (status === 502) console.error(`${request.method} ${request.path}: ${explain(error)}`);
    // What is left of a refused body is not read: the connection ends with the answer.
    if (!request.complete) response.set("connection", "close");
    response.status(status).json({ error: status === 502 ? "the image store did not take it" : error.message });
  });
  return app;
}

// What S3 said, without the request: its headers are signed with the key.
function explain(error) {
  const hint = error.name === "AccessControlListNotSupported" ? "; this bucket takes no ACL: leave S3_ACL empty" : "";
  const id = error.$metadata?.requestId ? ` (request ${error.$metadata.requestId})` : "";
  return `${error.name}: ${error.message}${hint}${id}`;
}

const settings = readSettings(process.env);
const s3 = new S3Client({ region: settings.region, forcePathStyle: settings.hasOwnEndpoint });
const server = makeApp(settings, s3).listen(settings.port, "127.0.0.1", (error) => {
  if (error) throw error;
  console.log(`listening on http://127.0.0.1:${server.address().port}, images are at ${settings.publicUrl}`);
});
