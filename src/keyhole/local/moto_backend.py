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
from collections.abc import Iterable, Mapping
from contextlib import nullcontext
from dataclasses import replace
from functools import cache
from typing import Any

import moto.settings
from moto.core.base_backend import BackendDict
from moto.core.request import Request
from moto.iam.models import iam_backends
from moto.s3.models import FakeBucket, s3_backends

from keyhole.local import moto_wire
from keyhole.local.backend import Tags
from keyhole.local.blob import Blob, Content
from keyhole.local.call import ApiCall, Fault, Response
from keyhole.local.conditional_requests import WRITES, check_write
from keyhole.local.moto_births import bearing, guard, mend_births
from keyhole.local.moto_blobs import keep_blobs
from keyhole.local.moto_ecs_repairs import fill_network, keep_rebalancing, repair_ecs
from keyhole.local.moto_leftovers import forget_resource
from keyhole.local.moto_log_targets import mend_logging
from keyhole.local.moto_managed_policies import provide_policies
from keyhole.local.moto_models import lend_models, share_models
from keyhole.local.moto_repairs import mend_iam, use_aws_ids
from keyhole.local.moto_state import MotoState
from keyhole.local.moto_topics import keep_messages
from keyhole.local.protocols import cbor
from keyhole.local.protocols.members import write_cbor_members
from keyhole.local.s3_support import SUPPORTED
from keyhole.local.service_models import find_operation, json_content_type
from keyhole.local.stored_objects import Stamp

_RESPONSE_CLASSES = {
    "s3": ("moto.s3.responses", "S3Response"),
    "iam": ("moto.iam.responses", "IamResponse"),
    "ec2": ("moto.ec2.responses", "EC2Response"),
    "resourcegroupstaggingapi": ("moto.resourcegroupstaggingapi.responses", "ResourceGroupsTaggingAPIResponse"),
    "dynamodb": ("moto.dynamodb.responses", "DynamoHandler"),
    "cloudwatch": ("moto.cloudwatch.responses", "CloudWatchResponse"),
    "sns": ("moto.sns.responses", "SNSResponse"),
    "cloudtrail": ("moto.cloudtrail.responses", "CloudTrailResponse"),
    "secretsmanager": ("moto.secretsmanager.responses", "SecretsManagerResponse"),
    "ecs": ("moto.ecs.responses", "EC2ContainerServiceResponse"),
}
# The codes by which services refuse input that no better code is for.
_BAD_INPUT = {
    "s3": "InvalidRequest",
    "iam": "ValidationError",
    "ec2": "InvalidParameterValue",
    "sns": "InvalidParameter",
    "cloudwatch": "InvalidParameterValue",
    "ecs": "InvalidParameterException",
}
_INPUT_ERRORS = (LookupError, ValueError, TypeError, AttributeError, ArithmeticError, RecursionError)
# Headers that the server in front writes itself, and moto's `status`, which is none.
_OWN_HEADERS = frozenset({"status", "server", "date", "connection", "x-amz-request-id", "x-amz-id-2"})


class _WholeBody(Request):  # type: ignore[misc]  # moto is untyped
    """A request whose body stays bytes, whatever its content type says: S3 objects may be forms."""

    want_form_data_parsed = False
    from_wsgi_server = True
    blob: Blob | None = None

    @property
    def data(self) -> Content:
        """What moto takes for the object's bytes."""
        found: Content = self.get_data() if self.blob is None else self.blob
        return found


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
        mend_iam()
        mend_births()
        mend_logging()
        keep_blobs()
        share_models()
        self._control = threading.RLock()

    def handle(self, call: ApiCall, account: str, body: Content, stamp: Stamp | None = None) -> Response:
        moto_wire.check_members(call)
        if call.service == "s3":
            return self._handle_s3(call, account, body, stamp)
        # moto's IAM and EC2 tables are plain dicts that its own code iterates over.
        with self._control:
            if call.operation == "ModifyInstanceMetadataOptions":
                call = self._keep_options(call, account)
            if call.service == "ecs":
                call = fill_network(call)
            if call.service == "iam":
                provide_policies(iam_backends[account]["aws"], call)
            response = self._handle_flat(call, account)
            if response.status < 300:
                forget_resource(call, account)
                if call.service == "ecs":
                    keep_rebalancing(call, account)
            return response

    def _handle_s3(self, call: ApiCall, account: str, body: Content, stamp: Stamp | None) -> Response:
        if call.operation not in SUPPORTED:
            raise _unavailable(call)
        whole = moto_wire.s3_body(call, body) if isinstance(body, bytes) else b""
        request = _WholeBody(moto_wire.s3_environ(call, account, whole))
        if isinstance(body, Blob):
            request.blob = body
        responder = _response_class("s3")()
        if not (key := call.params.get("Key")):
            # moto looks whether a name is taken, and then takes it.
            with guard(call.params["Bucket"], "") if call.operation == "CreateBucket" else nullcontext():
                return self._run(
                    call, lambda: responder.bucket_response(request, request.raw_url, dict(request.headers))
                )
        with guard(call.params["Bucket"], key) if call.operation in WRITES else nullcontext(), bearing(stamp):
            check_write(call, self)
            return self._run(call, lambda: responder.key_response(request, request.raw_url, dict(request.headers)))

    def _handle_flat(self, call: ApiCall, account: str) -> Response:
        is_form = call.protocol in ("query", "ec2")
        request = _Form(moto_wire.form_environ(call, account) if is_form else moto_wire.json_environ(call, account))
        response = self._run(
            call, lambda: _response_class(call.service).dispatch(request, request.raw_url, dict(request.headers))
        )
        if call.protocol == "cbor":
            return _as_cbor(call, response)
        return _with_content_type(call, response) if call.protocol == "json" else response

    def _keep_options(self, call: ApiCall, account: str) -> ApiCall:
        """moto forgets the options that a call does not give; on AWS they stay."""
        instance = self.find_instance(str(call.params.get("InstanceId", "")))
        if instance is None or (instance.account, instance.region) != (account, call.region):
            return call
        present = {
            "HttpTokens": instance.http_tokens,
            "HttpEndpoint": instance.http_endpoint,
            "HttpPutResponseHopLimit": instance.hop_limit,
            "HttpProtocolIpv6": instance.http_protocol_ipv6,
            "InstanceMetadataTags": instance.metadata_tags,
        }
        return replace(call, params={**present, **call.params})

    def _run(self, call: ApiCall, respond: Any) -> Response:
        try:
            status, headers, body = respond()
        except NotImplementedError as error:
            raise _unavailable(call) from error
        except Exception as error:  # moto fails in many ways on what AWS would refuse
            # A bare Exception is moto's own way to refuse.
            is_of_input = type(error) is Exception or isinstance(error, _INPUT_ERRORS)
            last = traceback.extract_tb(error.__traceback__)[-1]
            where = f"{last.filename.rpartition('site-packages/')[2]}:{last.lineno}"
            # Not its words: they may quote what was sent.
            sys.stderr.write(f"moto failed at {call.service}:{call.operation}: {type(error).__name__} in {where}\n")
            message = f"Keyhole's local AWS could not answer {call.service}:{call.operation}: what it stands on failed"
            if is_of_input:
                # With every member as its model says, it is still most likely the call that moto did not expect:
                # clients repeat what fails with 500.
                raise Fault(_BAD_INPUT.get(call.service, "ValidationException"), message, 400) from error
            raise Fault("InternalError", message, 500) from error
        return Response(
            int(status),
            tuple(_clean(headers.items(), is_s3=call.service == "s3")),
            body.encode() if isinstance(body, str) else b"" if isinstance(body, Blob) else body,
            body if isinstance(body, Blob) else None,
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
        user = iam_backends[account]["aws"].users[name]
        user.permissions_boundary_arn = arn or None
        user.permissions_boundary = (
            {"PermissionsBoundaryType": "Policy", "PermissionsBoundaryArn": arn} if arn else None
        )

    def metrics_configurations(self, bucket: str) -> Mapping[str, Mapping[str, Any]]:
        partition, account = s3_backends.bucket_accounts[bucket]
        kept: Mapping[str, Mapping[str, Any]] = getattr(
            s3_backends[account][partition].buckets[bucket], "keyhole_metrics", {}
        )
        return kept

    def set_metrics_configurations(self, bucket: str, configurations: Mapping[str, Mapping[str, Any]]) -> None:
        partition, account = s3_backends.bucket_accounts[bucket]
        s3_backends[account][partition].buckets[bucket].keyhole_metrics = dict(configurations)

    def set_oidc_audiences(self, account: str, arn: str, audiences: tuple[str, ...]) -> None:
        iam_backends[account]["aws"].open_id_providers[arn].client_id_list = list(audiences)

    def reset(self) -> None:
        with self._control:
            s3_backends.bucket_accounts.clear()
            BackendDict.reset()


def _unavailable(call: ApiCall) -> Fault:
    return Fault("NotImplemented", f"{call.service}:{call.operation} is not available in Keyhole's local AWS", 501)


@cache
def _response_class(service: str) -> Any:
    module, name = _RESPONSE_CLASSES[service]
    with lend_models():
        found = getattr(importlib.import_module(module), name)
    if service == "ecs":
        repair_ecs()
    elif service == "sns":
        keep_messages()
    return found


def _clean(headers: Iterable[tuple[str, Any]], *, is_s3: bool) -> Iterable[tuple[str, str]]:
    """Leave out what is not for the client."""
    for name, value in headers:
        if name.lower() not in _OWN_HEADERS and not (is_s3 and name.lower() == "x-amzn-requestid"):
            yield name, str(value)


def _as_cbor(call: ApiCall, response: Response) -> Response:
    document = json.loads(response.body or b"{}")
    operation = find_operation(call.service, call.operation)
    if response.status < 300:
        document = write_cbor_members(document, operation.output_shape if operation else None)
    cbor_headers = (("Content-Type", "application/cbor"), ("smithy-protocol", "rpc-v2-cbor"))
    return Response(response.status, (*_without_content(response), *cbor_headers), cbor.encode(document))


def _with_content_type(call: ApiCall, response: Response) -> Response:
    """moto's older services call their JSON HTML."""
    headers = (*_without_content(response), ("Content-Type", json_content_type(call.service)))
    return replace(response, headers=headers, body=response.body or b"{}")


def _without_content(response: Response) -> tuple[tuple[str, str], ...]:
    return tuple(pair for pair in response.headers if pair[0].lower() not in ("content-type", "content-length"))
