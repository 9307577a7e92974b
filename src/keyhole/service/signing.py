"""Signed URLs and forms of S3, made on this machine: nothing is asked for them.

botocore takes 0.1 ms for each URL, nearly all of it for the general case. Here the signing key and all that is the same
within a second are kept; botocore's own signatures are the tests.

AWS: Amazon S3 API Reference, "Authenticating Requests: Using Query Parameters (AWS Signature Version 4)" and
"Browser-Based Uploads Using POST (AWS Signature Version 4)".
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from urllib.parse import quote, urlsplit

from keyhole.aws.client import Credentials

_ALGORITHM = "AWS4-HMAC-SHA256"
_MARGIN_S = 1
"""A URL ends this long before the credentials that signed it: clocks differ, and it is told as a promise."""

_MOST_HEADS = 64


@dataclass(frozen=True, slots=True)
class Keys:
    """What signs, and when it ends; `expires_at` is None for an access key, which does not."""

    credentials: Credentials
    expires_at: datetime | None = None

    def cap_ttl(self, ttl_s: int, now: datetime) -> int:
        """Give the life in seconds that a URL asked for `ttl_s` really has: none outlives its credentials."""
        if self.expires_at is None:
            return ttl_s
        return max(0, min(ttl_s, int((self.expires_at - now).total_seconds()) - _MARGIN_S))


class Signer:
    """Signs for one bucket with one set of keys. `base_url` is what a percent-encoded key is appended to."""

    def __init__(self, keys: Keys, region: str, base_url: str) -> None:
        self.keys = keys
        self._region = region
        self._base_url = base_url
        parts = urlsplit(base_url)
        self._host = parts.netloc
        self._base_path = parts.path
        self._day = ""
        self._day_key = b""
        self._heads: dict[tuple[str, int], str] = {}

    def sign_get(self, key: str, *, ttl_s: int, now: datetime, disposition: str = "") -> str:
        """Give a URL that reads the object; `disposition` takes the place of the one it was stored with."""
        more = f"&response-content-disposition={_quote(disposition)}" if disposition else ""
        return self._sign("GET", key, more, {}, ttl_s=ttl_s, now=now)

    def sign_put(self, key: str, headers: Mapping[str, str], *, ttl_s: int, now: datetime) -> str:
        """Give a URL that stores an object sent with exactly these headers, whose names are in lower case."""
        return self._sign("PUT", key, "", headers, ttl_s=ttl_s, now=now)

    def sign_part(self, key: str, upload_id: str, number: int, *, ttl_s: int, now: datetime) -> str:
        """Give a URL that stores one part of a multipart upload."""
        return self._sign("PUT", key, f"&partNumber={number}&uploadId={_quote(upload_id)}", {}, ttl_s=ttl_s, now=now)

    def sign_form(
        self,
        bucket: str,
        fields: Mapping[str, str],
        *,
        bytes_from: int,
        bytes_to: int,
        ttl_s: int,
        now: datetime,
    ) -> dict[str, str]:
        """Give the fields of a form by which a browser stores one object of this many bytes, and exactly so."""
        stamp, scope = self._begin(now)
        credentials = self.keys.credentials
        all_fields = {
            **fields,
            "x-amz-algorithm": _ALGORITHM,
            "x-amz-credential": f"{credentials.access_key_id}/{scope}",
            "x-amz-date": stamp,
        }
        if credentials.session_token:
            all_fields["x-amz-security-token"] = credentials.session_token
        conditions: list[Mapping[str, str] | Sequence[str | int]] = [{"bucket": bucket}]
        conditions += [{name: value} for name, value in all_fields.items()]
        conditions.append(["content-length-range", bytes_from, bytes_to])
        expiration = (now + timedelta(seconds=ttl_s)).strftime("%Y-%m-%dT%H:%M:%SZ")
        policy = base64.b64encode(json.dumps({"expiration": expiration, "conditions": conditions}).encode()).decode()
        signature = hmac.digest(self._day_key, policy.encode(), "sha256").hex()
        return {**all_fields, "policy": policy, "x-amz-signature": signature}

    def _begin(self, now: datetime) -> tuple[str, str]:
        """Give the time stamp and the scope; derive the day's signing key when a day begins."""
        stamp = now.astimezone(UTC).strftime("%Y%m%dT%H%M%SZ")
        day = stamp[:8]
        if day != self._day:
            key = f"AWS4{self.keys.credentials.secret_access_key}".encode()
            for part in (day, self._region, "s3", "aws4_request"):
                key = hmac.digest(key, part.encode(), "sha256")
            self._day_key = key
            self._day = day
        return stamp, f"{day}/{self._region}/s3/aws4_request"

    def _sign(self, method: str, key: str, more: str, headers: Mapping[str, str], *, ttl_s: int, now: datetime) -> str:
        stamp, scope = self._begin(now)
        signed = {"host": self._host, **headers}
        names = ";".join(sorted(signed))
        query = self._query_head(stamp, scope, ttl_s) + quote(names, safe="") + more
        path = quote(key, safe="/-._~")
        lines = "".join(f"{name}:{signed[name]}\n" for name in sorted(signed))
        request = f"{method}\n{self._base_path}{path}\n{query}\n{lines}\n{names}\nUNSIGNED-PAYLOAD"
        digest = hashlib.sha256(request.encode()).hexdigest()
        signature = hmac.digest(self._day_key, f"{_ALGORITHM}\n{stamp}\n{scope}\n{digest}".encode(), "sha256").hex()
        return f"{self._base_url}{path}?{query}&X-Amz-Signature={signature}"

    def _query_head(self, stamp: str, scope: str, ttl_s: int) -> str:
        """Give the query up to the signed headers' names, in the canonical order: capitals come first."""
        head = self._heads.get((stamp, ttl_s))
        if head is None:
            credentials = self.keys.credentials
            token = f"&X-Amz-Security-Token={_quote(credentials.session_token)}" if credentials.session_token else ""
            head = (
                f"X-Amz-Algorithm={_ALGORITHM}&X-Amz-Credential={_quote(f'{credentials.access_key_id}/{scope}')}"
                f"&X-Amz-Date={stamp}&X-Amz-Expires={ttl_s}{token}&X-Amz-SignedHeaders="
            )
            if len(self._heads) >= _MOST_HEADS:
                self._heads = {}
            self._heads[stamp, ttl_s] = head
        return head


def _quote(value: str) -> str:
    return quote(value, safe="-._~")
