"""Where the access key of a workload is handed over, and under which names."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Annotated

from pydantic import AfterValidator, Field, model_validator

from keyhole.spec.fields import PLACEHOLDER, PLACEHOLDERS
from keyhole.spec.table import Table

KEY_ID = "{access_key_id}"
SECRET = "{secret_access_key}"
VALUE_PLACEHOLDERS = ("access_key_id", "secret_access_key", "bucket", "region", "endpoint", "account", "app")
BUCKETS = "buckets."
_ENV_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")
# What every reader of env files takes alike without quotes: shells, Docker and the dotenv libraries differ beyond it.
_ENV_VALUE = re.compile(r"[A-Za-z0-9_./:@%+=,~^-]*\Z")
_TOML_NAME = re.compile(r"[A-Za-z0-9_-]+\Z")
# AWS: AWS Secrets Manager API Reference, CreateSecret, Name.
_SECRET_NAME = re.compile(r"[A-Za-z0-9/_+=.@-]{1,512}\Z")


def _check_path(value: str) -> str:
    if not value or value.endswith("/") or re.search(r"[\x00-\x1f]", value):
        raise ValueError(f"`{value}` is not the path of a file|write it like `app.env`, relative to keyhole.toml")
    _check_names(f"path `{value}`", value)
    return value


def _check_secret_name(value: str) -> str:
    _check_names(f"secret name `{value}`", value)
    sample = PLACEHOLDER.sub("x", value)
    if not _SECRET_NAME.match(sample):
        raise ValueError(f"`{value}` is not a name that a secret can have|use letters, digits and `/ _ + = . @ -`")
    # AWS: the same page: such an ending is taken for the random one of an ARN.
    if re.search(r"-[A-Za-z0-9]{6}\Z", sample):
        raise ValueError(
            f"secret name `{value}` ends like an ARN of one|end it other than by a hyphen and 6 characters"
        )
    return value


def _check_names(what: str, value: str) -> None:
    for name in PLACEHOLDER.findall(value):
        if name not in PLACEHOLDERS:
            known = ", ".join(f"`{{{known}}}`" for known in PLACEHOLDERS)
            raise ValueError(f"{what} has an unknown placeholder `{{{name}}}`|the known ones are {known}")


def _check_template(value: str) -> str:
    for name in PLACEHOLDER.findall(value):
        if name not in {*VALUE_PLACEHOLDERS, "environment"} and not name.startswith(BUCKETS):
            known = ", ".join(f"`{{{known}}}`" for known in (*VALUE_PLACEHOLDERS, "environment", "buckets.KEY"))
            raise ValueError(f"value `{value}` has an unknown placeholder `{{{name}}}`|the known ones are {known}")
    if re.search(r"[\x00-\x1f\x7f]", value):
        raise ValueError(f"value `{value!r}` has a control character in it|write it on one line")
    return value


def _check_variable(value: str) -> str:
    _check_template(value)
    if not _ENV_VALUE.match(PLACEHOLDER.sub("x", value)):
        raise ValueError(
            f"value `{value}` has a character that readers of env files take differently"
            "|use letters, digits and `_ . / : @ % + = , ~ ^ -`, or `toml_file`"
        )
    return value


def _check_name(pattern: re.Pattern[str], what: str) -> AfterValidator:
    def check(value: str) -> str:
        if not pattern.match(value):
            raise ValueError(f"`{value}` is not the name of {what}|use letters, digits and underscores")
        return value

    return AfterValidator(check)


FilePath = Annotated[str, AfterValidator(_check_path), Field(examples=["app.env"])]
SecretName = Annotated[str, AfterValidator(_check_secret_name), Field(examples=["shop/{environment}/s3"])]
Variable = Annotated[str, _check_name(_ENV_NAME, "an environment variable")]
VariableValue = Annotated[str, AfterValidator(_check_variable)]
TomlName = Annotated[str, _check_name(_TOML_NAME, "a TOML key without quotes")]
TomlValue = Annotated[str, AfterValidator(_check_template)] | int | bool


class Handover(Table):
    """Where the access key goes: to files for their owner alone (0600), or to AWS Secrets Manager."""

    env_file: FilePath | None = Field(
        None, description="An env file, relative to keyhole.toml; its other lines are kept."
    )
    toml_file: FilePath | None = Field(None, description="A TOML file; its other tables and keys are kept.")
    csv_file: FilePath | None = Field(None, description="A CSV file of the key, as the AWS console offers it.")
    secret: SecretName | None = Field(
        None, description="A secret in AWS Secrets Manager: a JSON object with the variables of `env`."
    )
    env: dict[Variable, VariableValue] = Field(
        {},
        description="The variables of the env file and the secret, with `{access_key_id}`, `{secret_access_key}`, "
        "`{bucket}`, `{buckets.KEY}`, `{region}`, `{endpoint}` filled in. Default: AWS's own names.",
    )
    toml: dict[TomlName, dict[TomlName, TomlValue]] = Field(
        {}, description="The tables of the TOML file and their keys, with the same placeholders. Default: `[aws]`."
    )

    @model_validator(mode="after")
    def _goes_somewhere(self) -> Handover:
        if not (self.env_file or self.toml_file or self.csv_file or self.secret):
            raise ValueError('the key is handed over nowhere|name a place: `env_file = "app.env"`')
        if self.env and not (self.env_file or self.secret):
            raise ValueError("`env` names variables, and nothing has them|add `env_file` or `secret`")
        if self.toml and not self.toml_file:
            raise ValueError("`toml` names keys, and no file has them|add `toml_file`")
        files = [path for path in (self.env_file, self.toml_file, self.csv_file) if path]
        if len(set(files)) < len(files):
            raise ValueError("two forms of the key go to one file|give each its own")
        _check_whole("env", self.env.values())
        _check_whole("toml", [value for keys in self.toml.values() for value in keys.values()])
        return self


def _check_whole(table: str, values: Iterable[object]) -> None:
    """Hold iff nothing is there, or both halves of the key stand alone somewhere: what is handed over is read back."""
    found = list(values)
    for half in (KEY_ID, SECRET):
        if found and half not in found:
            raise ValueError(f"`{table}` has no value that is just `{half}`|add one: a key is of use as a whole")
