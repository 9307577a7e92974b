"""What the demo checks by itself, with nothing but an HTTP client and boto3: no code of Keyhole decides here."""

from __future__ import annotations

import json
import re
import struct
import urllib.error
import urllib.request
import uuid
import zlib

import boto3
from botocore.exceptions import ClientError
from rich.console import Console


class Checks:
    """Tries things and says how each went; `failed` counts those that went wrong."""

    def __init__(self, console: Console, root: dict[str, str], region: str) -> None:
        self._console = console
        self._root = root
        self._region = region
        self.failed = 0
        self._bucket = f"ai-image-community-{self._client('sts').get_caller_identity()['Account']}"

    def upload_and_read(self, page: str) -> None:
        """Upload an image through the API, and read it at its public URL without any credentials."""
        image = make_png(320, 200)
        answer = post_image(f"{page}/v1/uploads", image, "sunset.png")
        self._say(answer.get("content_type") == "image/png", f"uploaded {len(image)} bytes: {answer.get('key')}")
        with urllib.request.urlopen(answer["url"], timeout=10) as read:
            body, kind = read.read(), read.headers["Content-Type"]
        self._say(body == image and kind == "image/png", f"read it as a stranger at {answer['url']}")

    def look_at_page(self, page: str) -> None:
        """Fetch the page as a browser begins to: its document, and what that names."""
        document = fetch(page)
        names = re.findall(r'(?:src|href)="(/page/[^"]+)"', document)
        sizes = [len(fetch(page + name)) for name in names]
        self._say("<title>" in document and all(sizes), f"the page answers, with {len(sizes)} files")

    def try_forbidden(self, instance_name: str) -> None:
        """Try what must be denied: as the workload outside its prefix and on the bucket, as a stranger a list."""
        s3 = self._workload_client(instance_name)
        self._denied(
            "write outside its prefix, as the app", s3.put_object, Bucket=self._bucket, Key="other/x.png", Body=b"x"
        )
        self._denied("delete the bucket, as the app", s3.delete_bucket, Bucket=self._bucket)
        try:
            url = f"{self._root['AWS_ENDPOINT_URL']}/{self._bucket}?list-type=2"
            with urllib.request.urlopen(url, timeout=10):
                self._say(False, "not refused: list the bucket, as a stranger")
        except urllib.error.HTTPError as error:
            self._say(error.code == 403, f"refused: list the bucket, as a stranger ({error.code} {error.reason})")
            error.close()

    def nothing_left(self, instance_name: str) -> None:
        """Ask the account for everything that could have stayed."""
        iam, s3, ec2 = self._client("iam"), self._client("s3"), self._client("ec2")
        self._none("buckets", [bucket["Name"] for bucket in s3.list_buckets()["Buckets"]])
        self._none("roles", [role["RoleName"] for role in iam.list_roles()["Roles"]])
        self._none("policies", [policy["PolicyName"] for policy in iam.list_policies(Scope="Local")["Policies"]])
        profiles = iam.list_instance_profiles()["InstanceProfiles"]
        self._none("instance profiles", [profile["InstanceProfileName"] for profile in profiles])
        filters = [{"Name": "instance-id", "Values": [self._instance_id(instance_name)]}]
        attached = ec2.describe_iam_instance_profile_associations(Filters=filters)["IamInstanceProfileAssociations"]
        self._none("profiles on the instance", [one["AssociationId"] for one in attached])

    def _client(self, service: str):  # type: ignore[no-untyped-def]  # boto3's clients have no types
        return boto3.client(
            service,
            region_name=self._region,
            endpoint_url=self._root["AWS_ENDPOINT_URL"],
            aws_access_key_id=self._root["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=self._root["AWS_SECRET_ACCESS_KEY"],
        )

    def _instance_id(self, name: str) -> str:
        filters = [{"Name": "tag:Name", "Values": [name]}]
        found = self._client("ec2").describe_instances(Filters=filters)["Reservations"]
        return str(found[0]["Instances"][0]["InstanceId"])

    def _workload_client(self, instance_name: str):  # type: ignore[no-untyped-def]
        """Give an S3 client with the credentials that instance metadata hands out, fetched by plain HTTP (IMDSv2)."""
        endpoint = self._root["AWS_ENDPOINT_URL"]
        found = fetch(f"{endpoint}/_keyhole/instances/{self._instance_id(instance_name)}")
        imds = json.loads(found)["imds_endpoint"]
        ttl = {"X-aws-ec2-metadata-token-ttl-seconds": "60"}
        token = {"X-aws-ec2-metadata-token": fetch(f"{imds}/latest/api/token", ttl, "PUT")}
        path = f"{imds}/latest/meta-data/iam/security-credentials/"
        role = fetch(path, token)
        keys = json.loads(fetch(path + role, token))
        return boto3.client(
            "s3",
            region_name=self._region,
            endpoint_url=endpoint,
            aws_access_key_id=keys["AccessKeyId"],
            aws_secret_access_key=keys["SecretAccessKey"],
            aws_session_token=keys["Token"],
        )

    def _denied(self, what: str, call, **params: object) -> None:  # type: ignore[no-untyped-def]
        try:
            call(**params)
        except ClientError as error:
            detail = error.response["Error"]
            self._say(detail["Code"] == "AccessDenied", f"refused: {what} ({detail['Code']})")
            self._console.print(f"    [dim]{detail['Message']}[/]")
        else:
            self._say(False, f"not refused: {what}")

    def _none(self, what: str, found: list[str]) -> None:
        self._say(not found, f"{what}: {', '.join(found) or 'none'}")

    def _say(self, holds: bool, what: str) -> None:
        self.failed += not holds
        self._console.print(f"  {'[green]✓[/]' if holds else '[bold red]✗[/]'} {what}")


def fetch(url: str, headers: dict[str, str] | None = None, method: str = "GET") -> str:
    """Give the body of an HTTP answer as text."""
    request = urllib.request.Request(url, headers=headers or {}, method=method)
    with urllib.request.urlopen(request, timeout=10) as answer:
        return str(answer.read().decode())


def post_image(url: str, image: bytes, file_name: str) -> dict[str, str]:
    """Post an image as a browser's form does, and give the answer."""
    boundary = uuid.uuid4().hex
    disposition = f'Content-Disposition: form-data; name="file"; filename="{file_name}"'
    head = f"--{boundary}\r\n{disposition}\r\nContent-Type: image/png\r\n\r\n".encode()
    body = head + image + f"\r\n--{boundary}--\r\n".encode()
    headers = {"Content-Type": f"multipart/form-data; boundary={boundary}"}
    request = urllib.request.Request(url, data=body, headers=headers, method="POST")
    with urllib.request.urlopen(request, timeout=30) as answer:
        found: dict[str, str] = json.load(answer)
        return found


def make_png(width: int, height: int) -> bytes:
    """Give a real image: an evening sky, in true colour."""
    rows = b"".join(
        b"\0" + bytes(channel for x in range(width) for channel in (40 + 180 * y // height, 40 + 60 * x // width, 120))
        for y in range(height)
    )

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows, 9)) + chunk(b"IEND", b"")
