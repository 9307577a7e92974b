"""Terraform's `backend "s3"` block for the state bucket of the file.

HashiCorp: Terraform, "Backend Type: s3".
"""

from __future__ import annotations

import json

from keyhole.spec import App


def backend_block(app: App, account: str, *, is_local: bool = False) -> str:
    """Give the block, "" where the file keeps no state for Terraform.

    `is_local`: the local AWS has no DNS, so that the bucket goes into the path of its URLs.
    """
    state = app.terraform_state
    if state is None:
        return ""
    bucket = app.buckets[state.bucket]
    settings: dict[str, str | bool] = {
        "bucket": app.bucket_name(state.bucket, account),
        "key": app.fill(state.key or "/".join(_parts(app)), account),
        "region": app.region,
    }
    # `encrypt` without a key asks for S3's own keys, whatever the bucket says: it is for a bucket that uses them.
    if bucket.encryption == "AES256" or bucket.kms_key:
        settings["encrypt"] = True
    if bucket.kms_key:
        settings["kms_key_id"] = bucket.kms_key
    if state.table_name is not None:
        settings["dynamodb_table"] = app.fill(state.table_name, account)
    else:
        settings["use_lockfile"] = True
    if is_local:
        settings["use_path_style"] = True
    width = max(map(len, settings))
    lines = (f"    {name:<{width}} = {json.dumps(value)}" for name, value in settings.items())
    return "\n".join(("terraform {", '  backend "s3" {', *lines, "  }", "}", ""))


def _parts(app: App) -> tuple[str, ...]:
    environment = () if app.environment == "default" else (app.environment,)
    return (app.name, *environment, "terraform.tfstate")
