"""The JSON schema of keyhole.toml, for editors that complete and check TOML."""

from __future__ import annotations

import json
from typing import Any

from keyhole.spec.model import App

SCHEMA_FILE = "keyhole.schema.json"


def schema_text() -> str:
    """Give the schema as the text of a file."""
    return json.dumps(spec_schema(), indent=2) + "\n"


def spec_schema() -> dict[str, Any]:
    """Give the schema of the whole file: the app's tables, and the same tables as overrides per environment."""
    schema = App.model_json_schema()
    properties = schema["properties"]
    del properties["environment"]
    overrides = {
        key: {"type": "object"}
        for key in ("app", "buckets", "workloads", "uploads", "callers", "monitoring", "audit", "terraform_state")
    }
    properties["environments"] = {
        "type": "object",
        "description": "Environments, each with what differs in it: `[environments.prod.buckets.images]`.",
        "additionalProperties": {"type": "object", "properties": overrides, "additionalProperties": False},
    }
    schema["$schema"] = "https://json-schema.org/draft/2020-12/schema"
    schema["title"] = "keyhole.toml"
    schema["description"] = "One app's buckets, workloads and what each may do."
    return schema
