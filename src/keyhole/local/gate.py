"""The gate: every request is authenticated, recognised and authorized here before the backend sees it."""

from __future__ import annotations

import sys
import traceback
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime

from keyhole.local import cors, overrides, post_object, s3_checks, sts
from keyhole.local.actions.owner import find_owner
from keyhole.local.authenticate import Authenticated, CheckedBody, authenticate
from keyhole.local.authorize import authorize
from keyhole.local.backend import Backend, Bucket
from keyhole.local.call import ApiCall, Caller, Fault, Headers, HttpRequest, Response
from keyhole.local.context import check_tags, fill_context
from keyhole.local.credentials import CredentialStore
from keyhole.local.errors import new_host_id, new_request_id, write_fault
from keyhole.local.happened import Happened
from keyhole.local.inquiry import Inquiry, access_denied
from keyhole.local.issuer_keys import IssuerKeys
from keyhole.local.last_use import note_use
from keyhole.local.missing_objects import hide_missing
from keyhole.local.mode import Mode
from keyhole.local.object_deletion import delete_objects
from keyhole.local.own_user import name_caller
from keyhole.local.parse import Destination, find_destination, guess_destination, parse_call, virtual_bucket
from keyhole.local.payload import check_framing
from keyhole.local.protocols.rest import split_path
from keyhole.local.sessions import SessionStore, now
from keyhole.local.sigv4 import Signature, read_signature
from keyhole.local.stamps import new_stamp
from keyhole.local.web_identity import WebIdentities

_WITHOUT_BUCKET = frozenset({"ListBuckets", "CreateBucket"})
_ANY_REGION = frozenset({"GetBucketLocation", *_WITHOUT_BUCKET})


@dataclass(slots=True)
class _Progress:
    """How far a request has come: what is known of it when it ends, well or not."""

    destination: Destination
    caller: Caller = field(default_factory=Caller)
    call: ApiCall | None = None
    inquiry: Inquiry | None = None


def _forget(_happened: Happened) -> None:
    pass


class Gate:
    """Answers HTTP requests as AWS would."""

    def __init__(
        self,
        backend: Backend,
        sessions: SessionStore,
        credentials: CredentialStore,
        region: str,
        clock: Callable[[], datetime] = now,
        *,
        mode: Mode = Mode.STRICT,
        record: Callable[[Happened], None] = _forget,
        issuer_keys: IssuerKeys | None = None,
    ) -> None:
        self._backend = backend
        self._sessions = sessions
        self._credentials = credentials
        self._region = region
        self._clock = clock
        self._mode = mode
        self._record = record
        self._web_identities = WebIdentities(backend, issuer_keys or IssuerKeys())

    def answer(self, request: HttpRequest) -> Response:
        """Give the answer to any request; never raises."""
        progress = _Progress(guess_destination(request, self._region))
        at, host_id, fault = self._clock(), new_host_id(), None
        try:
            guessed = progress.destination
            # Browsers ask before they send a presigned request as if it were sent already: nobody is held to it then.
            is_asked = request.method == "OPTIONS"
            signature = None if is_asked else read_signature(request, guessed.service, guessed.protocol)
            progress.destination = find_destination(request, signature, self._region)
            response = self._answer(request, signature, progress, at)
        except Fault as found:
            fault = found
        except Exception:  # whatever it is, the client gets AWS's error document and the terminal the cause
            traceback.print_exc(file=sys.stderr)
            fault = Fault("InternalError", "We encountered an internal error. Please try again.", 500)
        request_id = new_request_id(progress.destination.service)
        if fault:
            response = _write(fault, progress.destination, request_id, host_id)
        self._tell(request, progress, at, request_id=request_id, status=response.status, fault=fault)
        ids = [("x-amz-request-id", request_id)]
        if progress.destination.service == "s3":
            ids += [("x-amz-id-2", host_id), *cors.cors_headers(request, self._path_of(request)[0])]
        elif response.header("x-amzn-RequestId") is None:
            ids.append(("x-amzn-RequestId", request_id))
        return replace(response, headers=(*response.headers, *ids))

    def _tell(
        self,
        request: HttpRequest,
        progress: _Progress,
        at: datetime,
        *,
        request_id: str,
        status: int,
        fault: Fault | None,
    ) -> None:
        if request.method == "OPTIONS":
            return
        self._record(
            Happened(
                at=at,
                request=request,
                service=progress.destination.service,
                region=progress.destination.region,
                call=progress.call,
                caller=progress.caller,
                trail=tuple(progress.inquiry.trail) if progress.inquiry else (),
                request_id=request_id,
                status=status,
                fault=fault,
                mode=self._mode,
            )
        )

    def _answer(self, request: HttpRequest, signature: Signature | None, progress: _Progress, at: datetime) -> Response:
        destination = progress.destination
        if request.method == "OPTIONS" and destination.service == "s3":
            return cors.answer_preflight(request, *self._path_of(request))
        if destination.service == "s3" and signature is None and post_object.is_post(request):
            posted = post_object.open_post(request, self._credentials, at)
            return posted.answer(self._serve(posted.request, posted.authenticated, progress, at))
        authenticated = authenticate(request, signature, destination, self._credentials, at)
        if destination.service == "s3":
            check_framing(request)
            request = replace(request, body=CheckedBody(request, authenticated))
        return self._serve(request, authenticated, progress, at)

    def _serve(self, request: HttpRequest, authenticated: Authenticated, progress: _Progress, at: datetime) -> Response:
        """Answer a request of which it is known who makes it."""
        destination, signature = progress.destination, authenticated.signature
        caller = progress.caller = authenticated.caller
        note_use(caller, destination, at, self._backend)
        call = parse_call(request, destination)
        call = progress.call = name_caller(call, caller)
        caller = progress.caller = self._web_identities.identify(call, caller, at)
        check_tags(call)
        bucket = self._find_bucket(call, authenticated)
        if call.service == "s3":
            s3_checks.check_call(call, caller, self._backend)
        context = fill_context(call, caller, signature, at, bucket.account if bucket else caller.account)
        inquiry = progress.inquiry = Inquiry(call, caller, context, self._backend, self._mode)
        if (call.service, call.operation) == ("s3", "DeleteObjects") and bucket:
            return delete_objects(call, self._backend, inquiry.ask)
        authorize(inquiry)
        if call.service == "sts":
            answer = sts.answer(call, caller, self._backend, self._sessions)
            if answer is not None:
                return answer
        return self._pass_on(inquiry, bucket)

    def _pass_on(self, inquiry: Inquiry, bucket: Bucket | None) -> Response:
        call, caller = inquiry.call, inquiry.caller
        if bucket is None and not caller.account:
            # In no mode: who is nobody has no account in which that could be done.
            raise access_denied(call, "Access Denied")
        body = call.request.body
        data = body.content() if isinstance(body, CheckedBody) else body.read()
        if isinstance(body, CheckedBody) and (trailers := body.trailers()):
            headers = Headers([*call.request.headers.items(), *trailers.items()])
            call = replace(call, request=replace(call.request, headers=headers))
        hide_missing(inquiry)
        answer = overrides.answer_before(call, caller, bucket, self._backend)
        if answer is not None:
            return answer
        account = bucket.account if bucket else _find_asked_owner(inquiry)
        response = self._backend.handle(call, account, data, new_stamp(call, caller, bucket, self._backend))
        return overrides.repair_after(call, caller, self._backend, response)

    def _find_bucket(self, call: ApiCall, authenticated: Authenticated) -> Bucket | None:
        """Give the bucket of an S3 call. Raises: Fault where it is missing, elsewhere, or not whose it should be."""
        name = call.params.get("Bucket")
        if call.service != "s3" or not name:
            return None
        bucket = self._backend.find_bucket(str(name))
        if bucket is None:
            if call.operation in _WITHOUT_BUCKET:
                return None
            extra = (("BucketName", str(name)),)
            raise Fault("NoSuchBucket", "The specified bucket does not exist", 404, extra=extra)
        signature = authenticated.signature
        if signature and signature.region and call.operation not in _ANY_REGION:
            _check_region(bucket, signature, call)
        expected = call.params.get("ExpectedBucketOwner")
        if expected and expected != bucket.account:
            raise Fault("AccessDenied", "Access Denied", 403)
        return bucket

    def _path_of(self, request: HttpRequest) -> tuple[Bucket | None, str]:
        """Give the bucket that a request's path names, if there is one, and the key."""
        try:
            name, key = split_path(request.raw_path, virtual_bucket(request.headers.get("host", "")))
        except Fault:
            return None, ""
        return self._backend.find_bucket(name), key


def _find_asked_owner(inquiry: Inquiry) -> str:
    """Give whose state the call works on. Raises: Fault where that is another account, and its row did not ask it."""
    account = find_owner(inquiry.call, inquiry.caller.account)
    asked = {asked.request.resource_account for asked in inquiry.trail}
    if account != inquiry.caller.account and account not in asked:
        raise access_denied(inquiry.call, "Access Denied")
    return account


def _check_region(bucket: Bucket, signature: Signature, call: ApiCall) -> None:
    """AWS: S3 User Guide, "Making requests using the REST API", request routing: another region is never guessed."""
    region = "us-east-1" if signature.region == "aws-global" else signature.region
    if region == bucket.region:
        return
    headers = (("x-amz-bucket-region", bucket.region),)
    extra = (("Region", bucket.region),)
    wrong = f"the region '{region}' is wrong; expecting '{bucket.region}'"
    if signature.is_query:
        message = f"Error parsing the X-Amz-Credential parameter; {wrong}"
        raise Fault("AuthorizationQueryParametersError", message, 400, extra=extra, headers=headers)
    if call.operation == "HeadBucket":
        raise Fault("PermanentRedirect", "Moved Permanently", 301, headers=headers)
    message = f"The authorization header is malformed; {wrong}"
    raise Fault("AuthorizationHeaderMalformed", message, 400, extra=extra, headers=headers)


def _write(fault: Fault, destination: Destination, request_id: str, host_id: str) -> Response:
    return write_fault(
        fault,
        service=destination.service,
        protocol=destination.protocol,
        request_id=request_id,
        host_id=host_id,
    )
