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

# A bucket: private, encrypted, without ACLs. Everyone may read what is under `images/`.
[buckets.files]
public_read = ["images/"]

# An app on an EC2 instance. It gets a role and temporary credentials: no access key anywhere.
[workloads.web]
kind = "ec2"
instance = "{name}-web"     # the Name tag, or the id, of the running instance to attach the role to

[[workloads.web.grants]]
bucket = "files"
prefix = "images/"
verbs = ["read", "write", "delete", "list"]

# What `keyhole serve` takes, and where it puts it.
[uploads.images]
workload = "web"
bucket = "files"
prefix = "images/"
content_types = ["image/png", "image/jpeg", "image/gif", "image/webp"]
max_bytes = 10485760        # 10 MiB
"""
