"""The backend that moto is: calls that were let through are handed to its response classes, in this process.

moto's own opinions on access are taken out, and nothing that a client sends picks the account (see `moto_wire`).
"""

from __future__ import annotations

import importlib
import json
import math
import os
import sys
import threading
import traceback
from collections.abc import Iterable
from dataclasses import replace
from functools import cache
from typing import Any

import moto.settings
from moto.core.base_backend import BackendDict
from moto.core.request import Request
from moto.s3.models import FakeBucket, s3_backends

from keyhole.local import moto_wire
from keyhole.local.backend import Tags
from keyhole.local.call import ApiCall, Fault, Response
from keyhole.local.moto_repairs import use_aws_ids
from keyhole.local.moto_state import MotoState
from keyhole.local.protocols import cbor
from keyhole.local.s3_support import SUPPORTED

_RESPONSE_CLASSES = {
    "s3": ("moto.s3.responses", "S3Response"),
    "iam": ("moto.iam.responses", "IamResponse"),
    "ec2": ("moto.ec2.responses", "EC2Response"),
    "resourcegroupstaggingapi": ("moto.resourcegroupstaggingapi.responses", "ResourceGroupsTaggingAPIResponse"),
}
# Headers that the server in front writes itself, and moto's `status`, which is none.
_OWN_HEADERS = frozenset({"status", "server", "date", "connection", "x-amz-request-id", "x-amz-id-2"})


class _WholeBody(Request):  # type: ignore[misc]  # moto is untyped
    """A request whose body stays bytes, whatever its content type says: S3 objects may be forms."""

    want_form_data_parsed = False
    from_wsgi_server = True


class _Form(Request):  # type: ignore[misc]
    from_wsgi_server = True


def _neutral(_bucket: Any, _action: str, _resource: str) -> Any:
    from moto.iam.access_control import PermissionResult

    return PermissionResult.NEUTRAL


class MotoBackend(MotoState):
    """Every account's state, in moto's process-wide tables: there is one per process, however many servers it has."""

    def __init__(self) -> None:
        # moto reads both at run time: the first would override the account of every call.
        os.environ.pop("MOTO_ACCOUNT_ID", None)
        moto.settings.INITIAL_NO_AUTH_ACTION_COUNT = math.inf
        FakeBucket.get_permission = _neutral
        use_aws_ids()
        self._control = threading.RLock()
        self._loading = False

    def handle(self, call: ApiCall, account: str, body: bytes) -> Response:
        moto_wire.check_members(call)
        if call.service == "s3":
            return self._handle_s3(call, account, body)
        self._load_rest()
        # moto's IAM and EC2 tables are plain dicts that its own code iterates over.
        with self._control:
            if call.operation == "ModifyInstanceMetadataOptions":
                call = self._keep_options(call, account)
            response = self._handle_flat(call, account)
            if call.operation == "UpdateUser":
                _rename_keys(account, str(call.params.get("NewUserName") or ""))
            return response

    def _handle_s3(self, call: ApiCall, account: str, body: bytes) -> Response:
        if call.operation not in SUPPORTED:
            raise _unavailable(call)
        request = _WholeBody(moto_wire.s3_environ(call, account, moto_wire.s3_body(call, body)))
        responder = _response_class("s3")()
        respond = responder.key_response if call.params.get("Key") else responder.bucket_response
        return self._run(call, lambda: respond(request, request.raw_url, dict(request.headers)))

    def _handle_flat(self, call: ApiCall, account: str) -> Response:
        is_form = call.protocol in ("query", "ec2")
        request = _Form(moto_wire.form_environ(call, account) if is_form else moto_wire.json_environ(call, account))
        response = self._run(
            call, lambda: _response_class(call.service).dispatch(request, request.raw_url, dict(request.headers))
        )
        return _as_cbor(response) if call.protocol == "cbor" else response

    def _keep_options(self, call: ApiCall, account: str) -> ApiCall:
        """moto forgets the options that a call does not give; on AWS they stay."""
        instance = self.find_instance(str(call.params.get("InstanceId", "")))
        if instance is None or (instance.account, instance.region) != (account, call.region):
            return call
        present = {
            "HttpTokens": instance.http_tokens,
            "HttpEndpoint": instance.http_endpoint,
            "HttpPutResponseHopLimit": instance.hop_limit,
        }
        return replace(call, params={**present, **call.params})

    def _run(self, call: ApiCall, respond: Any) -> Response:
        try:
            status, headers, body = respond()
        except NotImplementedError as error:
            raise _unavailable(call) from error
        except Exception as error:  # moto fails in many ways on what AWS would refuse
            last = traceback.extract_tb(error.__traceback__)[-1]
            where = f"{last.filename.rpartition('site-packages/')[2]}:{last.lineno}"
            # Not its words: they may quote what was sent.
            sys.stderr.write(f"moto failed at {call.service}:{call.operation}: {type(error).__name__} in {where}\n")
            message = f"Keyhole's local AWS could not answer {call.service}:{call.operation}: what it stands on failed"
            raise Fault("InternalError", message, 500) from error
        return Response(
            int(status),
            tuple(_clean(headers.items(), is_s3=call.service == "s3")),
            body.encode() if isinstance(body, str) else body,
        )

    def secure_new_bucket(self, name: str, ownership: str, tags: Tags) -> None:
        from moto.s3.models import PublicAccessBlock

        partition, account = s3_backends.bucket_accounts[name]
        s3 = s3_backends[account][partition]
        bucket = s3.buckets[name]
        bucket.public_access_block = PublicAccessBlock(True, True, True, True)
        bucket.ownership_rule = ownership
        bucket.encryption = {
            "Rule": {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}, "BucketKeyEnabled": "false"}
        }
        if tags:
            s3.put_bucket_tagging(name, dict(tags))

    def set_user_boundary(self, account: str, name: str, arn: str) -> None:
        from moto.iam.models import iam_backends

        user = iam_backends[account]["aws"].users[name]
        user.permissions_boundary_arn = arn or None
        user.permissions_boundary = (
            {"PermissionsBoundaryType": "Policy", "PermissionsBoundaryArn": arn} if arn else None
        )

    def reset(self) -> None:
        with self._control:
            s3_backends.bucket_accounts.clear()
            BackendDict.reset()

    def _load_rest(self) -> None:
        """Import moto's EC2 beside the first call that is not S3's: its tables take a while, and 90 MB.

        Who provisions will need it in a moment; who only stores objects never does.
        """
        loading, self._loading = self._loading, True
        if not loading:
            threading.Thread(target=_response_class, args=("ec2",), name="moto-ec2", daemon=True).start()


def _rename_keys(account: str, name: str) -> None:
    from moto.iam.models import iam_backends

    user = iam_backends[account]["aws"].users.get(name)
    for key in user.access_keys if user else ():
        key.user_name = name


def _unavailable(call: ApiCall) -> Fault:
    return Fault("NotImplemented", f"{call.service}:{call.operation} is not available in Keyhole's local AWS", 501)


@cache
def _response_class(service: str) -> Any:
    module, name = _RESPONSE_CLASSES[service]
    return getattr(importlib.import_module(module), name)


def _clean(headers: Iterable[tuple[str, Any]], *, is_s3: bool) -> Iterable[tuple[str, str]]:
    """Leave out what is not for the client."""
    for name, value in headers:
        if name.lower() not in _OWN_HEADERS and not (is_s3 and name.lower() == "x-amzn-requestid"):
            yield name, str(value)


def _as_cbor(response: Response) -> Response:
    document = json.loads(response.body or b"{}")
    headers = tuple(pair for pair in response.headers if pair[0].lower() not in ("content-type", "content-length"))
    cbor_headers = (("Content-Type", "application/cbor"), ("smithy-protocol", "rpc-v2-cbor"))
    return Response(response.status, (*headers, *cbor_headers), cbor.encode(document))
