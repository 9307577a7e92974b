"""The access key of a workload outside AWS, and the places that it is handed over in."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from keyhole.blueprint.workloads import workload_names
from keyhole.handover import Place, Scalar
from keyhole.handover.csv_text import HEADINGS
from keyhole.handover.values import ENDPOINT_IF_ANY, KEY_ID
from keyhole.handover.values import SECRET as SECRET_KEY
from keyhole.naming import Scope
from keyhole.resources import Wanted
from keyhole.resources.access_key import AccessKey
from keyhole.resources.secret import Secret
from keyhole.spec import App, Spec
from keyhole.spec.handover import Handover
from keyhole.spec.model import AccessKeyWorkload

# boto3 reads AWS_DEFAULT_REGION, the other SDKs AWS_REGION.
DEFAULT_ENV: dict[str, Scalar] = {
    "AWS_ACCESS_KEY_ID": KEY_ID,
    "AWS_SECRET_ACCESS_KEY": SECRET_KEY,
    "AWS_REGION": "{region}",
    "AWS_DEFAULT_REGION": "{region}",
    "AWS_ENDPOINT_URL": ENDPOINT_IF_ANY,
}
DEFAULT_TOML: dict[str, Scalar] = {
    "aws.access_key_id": KEY_ID,
    "aws.secret_access_key": SECRET_KEY,
    "aws.region": "{region}",
    "aws.endpoint_url": ENDPOINT_IF_ANY,
}


def access_key_resources(spec: Spec, key: str, scope: Scope) -> Iterator[Wanted]:
    """Give a workload's access key and the secret that it goes to; nothing where it is handed over nowhere."""
    workload = spec.app.workloads[key]
    if not isinstance(workload, AccessKeyWorkload) or workload.handover is None:
        return
    places = tuple(_places(spec, key, workload.handover, scope))
    needs: tuple[str, ...] = (f"user.{key}",)
    for place in places:
        if place.is_secret:
            description = f"access key of {key} of {scope.app}, made by Keyhole"
            yield Secret(f"secret.{key}", place.target, scope.tags, description)
            needs += (f"secret.{key}",)
    user_name = workload_names(spec.app, key, scope.account).user
    yield AccessKey(f"access-key.{key}", user_name, places, needs)


def _places(spec: Spec, key: str, handover: Handover, scope: Scope) -> Iterator[Place]:
    app, account = spec.app, scope.account
    folder = Path(spec.places.file).parent
    env = {name: _fill(app, key, value, account) for name, value in (handover.env or DEFAULT_ENV).items()}
    chosen = {f"{table}.{name}": value for table, keys in handover.toml.items() for name, value in keys.items()}
    toml = {name: _fill(app, key, value, account) for name, value in (chosen or DEFAULT_TOML).items()}
    csv: dict[str, Scalar] = dict(zip(HEADINGS, (KEY_ID, SECRET_KEY), strict=True))
    if handover.secret:
        name = app.fill(handover.secret, account)
        yield Place("json", name, env, name)
    for form, template, values in (
        ("env", handover.env_file, env),
        ("toml", handover.toml_file, toml),
        ("csv", handover.csv_file, csv),
    ):
        if template:
            path = app.fill(template, account)
            yield Place(form, os.path.normpath(folder / path), values, path)


def _fill(app: App, key: str, template: Scalar, account: str) -> Scalar:
    """Fill in what is known before anything is made; the key and the endpoint are not."""
    if not isinstance(template, str):
        return template
    names = list(dict.fromkeys(grant.bucket for grant in app.workloads[key].grants))
    if len(names) == 1:
        template = template.replace("{bucket}", app.bucket_name(names[0], account))
    for bucket in app.buckets:
        template = template.replace("{buckets." + bucket + "}", app.bucket_name(bucket, account))
    return app.fill(template, account)
