"""The file that `keyhole init` writes: small, complete, and working as it is."""

from __future__ import annotations

from keyhole.spec.schema import SCHEMA_FILE


def starter_spec(name: str, region: str) -> str:
    """Give the text of a first keyhole.toml."""
    return f"""\
#:schema ./{SCHEMA_FILE}

[app]
name = "{name}"
region = "{region}"

# A bucket: private, encrypted, without ACLs. Everyone may read what is under `public/`.
[buckets.files]
public_read = ["public/"]

# An app on an EC2 instance. It gets a role and temporary credentials: no access key anywhere.
[workloads.web]
kind = "ec2"
# instance = "web"        # the Name tag, or the id, of the running instance to attach the role to

[[workloads.web.grants]]
bucket = "files"
prefix = "public/"
verbs = ["read", "write", "delete", "list"]
"""
