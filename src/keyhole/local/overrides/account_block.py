"""Block Public Access of a whole account: kept here, and added to that of each of its buckets.

AWS: S3 User Guide, "Configuring block public access settings for your account"; S3 Control API Reference,
PutPublicAccessBlock.
"""

from __future__ import annotations

from keyhole.local.backend import Backend, Bucket, PublicAccessBlock
from keyhole.local.call import ApiCall, Caller, Fault, Response
from keyhole.local.s3_xml import document, element

OPERATIONS = ("GetPublicAccessBlock", "PutPublicAccessBlock", "DeletePublicAccessBlock")
_NAMESPACE = "http://awss3control.amazonaws.com/doc/2018-08-20/"
_ROOT = "PublicAccessBlockConfiguration"


def answer_block(call: ApiCall, caller: Caller, _bucket: Bucket | None, backend: Backend) -> Response | None:
    """Give, set or remove the block of the caller's account; another's is out of reach. Raises: Fault."""
    if call.params["AccountId"] != caller.account:
        raise Fault("AccessDenied", "Access Denied", 403)
    if call.operation == "PutPublicAccessBlock":
        backend.set_account_block(caller.account, _read(call))
        return Response(200)
    if call.operation == "DeletePublicAccessBlock":
        backend.set_account_block(caller.account, None)
        return Response(204)
    block = backend.account_block(caller.account)
    if block is None:
        message = "The public access block configuration was not found"
        extra = (("AccountId", caller.account),)
        raise Fault("NoSuchPublicAccessBlockConfiguration", message, 404, extra=extra)
    return document(_ROOT, _write(block), namespace=_NAMESPACE)


def _read(call: ApiCall) -> PublicAccessBlock:
    given = call.params.get(_ROOT) or {}
    return PublicAccessBlock(
        block_public_acls=bool(given.get("BlockPublicAcls")),
        ignore_public_acls=bool(given.get("IgnorePublicAcls")),
        block_public_policy=bool(given.get("BlockPublicPolicy")),
        restrict_public_buckets=bool(given.get("RestrictPublicBuckets")),
    )


def _write(block: PublicAccessBlock) -> str:
    return (
        element("BlockPublicAcls", block.block_public_acls)
        + element("IgnorePublicAcls", block.ignore_public_acls)
        + element("BlockPublicPolicy", block.block_public_policy)
        + element("RestrictPublicBuckets", block.restrict_public_buckets)
    )
