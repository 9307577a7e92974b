"""From the file, the environment and the options to the service that runs."""

from __future__ import annotations

import os
from dataclasses import replace
from ipaddress import ip_address
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from keyhole.aws.client import BotocoreAws
from keyhole.blueprint import build_blueprint
from keyhole.blueprint.uploads import caller_role_arn
from keyhole.cli.last_probes import probes_file
from keyhole.errors import KeyholeError
from keyhole.naming import Scope
from keyhole.service.callers.tokens import FILE_NAME, read_tokens
from keyhole.service.environment import StoreEnvironment, bound_settings, check_store, read_environment
from keyhole.service.operation import Operation, read_networks
from keyhole.service.settings import Service, make_service, make_settings
from keyhole.spec import Spec
from keyhole.spec.uploads import TokenCallers
from keyhole.verify.picture import access_picture

_LOOPBACK_NAMES = ("localhost", "127.0.0.1", "[::1]")


def prepare_service(
    spec: Spec, names: tuple[str, ...], *, profile: str = "", local: bool = False
) -> tuple[Service, StoreEnvironment]:
    """Give the service over these uploads, and what the environment said. Raises: KeyholeError, AwsError.

    On AWS the account is asked for, since names of buckets may have it in them; another store knows none. The `local`
    AWS stands in the place of any store, with credentials of its own.
    """
    app = spec.app
    environment = read_environment(os.environ)
    if local:
        environment = replace(environment, bucket="", region="", endpoint="", credentials=None)
    endpoint = "" if local else app.app.endpoint or ""
    if endpoint and environment.endpoint and endpoint.rstrip("/") != environment.endpoint.rstrip("/"):
        raise KeyholeError(
            f"APP_OBJECT_STORAGE__ENDPOINT is `{environment.endpoint}`, and the file says `{endpoint}`",
            hint="leave the variable out, or correct it",
        )
    endpoint = endpoint or environment.endpoint
    account = app.app.account or ""
    if not endpoint:
        aws = BotocoreAws(app.region, credentials=environment.credentials, profile=profile)
        account, endpoint_of_aws = str(aws.call("sts", "GetCallerIdentity")["Account"]), aws.endpoint_url
    else:
        _check_other_store(spec, names, account)
        endpoint_of_aws = endpoint
    scope = Scope(app.name, app.environment, account, app.region)
    uploads = [
        make_settings(
            app,
            name,
            account,
            endpoint_url=endpoint_of_aws,
            role_arn="" if endpoint else caller_role_arn(app, name, scope),
        )
        for name in names
    ]
    check_store(uploads, environment)
    bound = [bound_settings(settings, environment) for settings in uploads]
    service = make_service(app, app.uploads[names[0]].workload, bound)
    return replace(service, account="" if endpoint else account), environment


def _check_other_store(spec: Spec, names: tuple[str, ...], account: str) -> None:
    """Return if these uploads can be served from a store that is not AWS. Raises: KeyholeError."""
    app = spec.app
    for name in names:
        upload = app.uploads[name]
        if upload.caller_role:
            raise KeyholeError(
                f"upload `{name}` has a role for its callers, and a store at an endpoint of its own has no roles",
                hint="leave `caller_role` out; for AWS leave the endpoint out",
                where=spec.places.where(("uploads", name, "caller_role")),
            )
        template = app.buckets[upload.bucket].name
        if not account and (template is None or "{account}" in template):
            raise KeyholeError(
                f"bucket `{upload.bucket}` needs its plain name: the store at the endpoint knows no account",
                hint='add `name = "…"` as the store has it',
                where=spec.places.where(("buckets", upload.bucket)),
            )


def check_reach(service: Service, host: str, *, anyone: bool) -> None:
    """Return if the service may listen there. Raises: KeyholeError where strangers could upload and delete."""
    if is_loopback(host) or not service.is_open or anyone:
        return
    raise KeyholeError(
        f"whoever reaches `{host}` could upload and delete: the file has no callers",
        hint='add `[callers.app]` with `kind = "token"`, or say that it is meant: `--anyone`',
    )


def is_loopback(host: str) -> bool:
    """Hold iff only this machine reaches the address."""
    try:
        return ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host.lower() == "localhost"


def choose_hosts(host: str, allowed: list[str]) -> tuple[str, ...]:
    """Give the names by which the service may be called: on loopback those of this machine, else only those given.

    Empty for any. Raises: KeyholeError.
    """
    for name in allowed:
        if not name or any(character in name for character in "/ ,@") or name.rpartition(":")[2].isdecimal():
            raise KeyholeError(f"`{name[:80]}` is no host", hint="write it without scheme and port: `img.example.com`")
    if not is_loopback(host):
        return tuple(allowed)
    shown = f"[{host}]" if ":" in host and not host.startswith("[") else host
    return tuple(dict.fromkeys((*_LOOPBACK_NAMES, shown, *allowed)))


def find_remarks(service: Service, operation: Operation, host: str) -> list[tuple[str, str]]:
    """Give what whoever starts the service should know, each with what to do about it."""
    remarks = []
    if not service.is_open and not is_loopback(host) and not operation.proxies:
        remarks.append(
            (
                f"what comes to `{host}` is not encrypted: tokens can be read on their way",
                "let a proxy with TLS stand before it, and name it by `--proxy`",
            )
        )
    limited = [name for name, settings in service.uploads.items() if settings.uploads_per_minute is not None]
    if operation.workers > 1 and limited:
        remarks.append(
            (
                f"each of {operation.workers} workers allows its share of the `uploads_per_minute` of `{limited[0]}`",
                "",
            )
        )
    for name, settings in service.uploads.items():
        # What another store lets browsers do is said there.
        if service.account and settings.signed_uploads and not _may_send(settings.origins, host, operation):
            remarks.append(
                (
                    f"browsers keep the page here from sending to `{name}`: its address is not among the `origins`",
                    'add it to the file, like `origins = ["http://127.0.0.1:8080"]`, and run `keyhole up`',
                )
            )
    return remarks


def _may_send(origins: tuple[str, ...], host: str, operation: Operation) -> bool:
    """Hold unless the service's own page cannot be among the pages whose uploads the bucket takes."""
    if operation.proxies or not is_loopback(host):
        return bool(origins)  # only the proxy knows by which name it is called
    return any(is_loopback(urlsplit(origin).hostname or "") for origin in origins)


def check_operation(operation: Operation) -> None:
    """Return if proxies and readers of metrics are networks. Raises: KeyholeError."""
    read_networks(operation.proxies, "--proxy")
    read_networks(operation.metrics_from, "--metrics-from")


def find_tokens(service: Service, tokens: Path | None, file: Path) -> tuple[Path, str]:
    """Give the file of tokens, and a remark where nobody could come in. Raises: KeyholeError."""
    path = (tokens or file.parent / FILE_NAME).resolve()
    groups = [name for name, callers in service.callers.items() if isinstance(callers, TokenCallers)]
    if groups and not any(entry.group in groups for entry in read_tokens(path)):
        return path, f"there is no token in `{path}` yet: nobody can come in"
    return path, ""


def draw_access(spec: Spec, service: Service, *, local: bool) -> dict[str, Any]:
    """Give who can do what, for the page that shows it; nothing where the store has no IAM."""
    account = service.account
    if not account:
        return {}
    blueprint = build_blueprint(spec, account)
    return {"picture": access_picture(spec, blueprint), "probes_file": probes_file(blueprint.scope, is_local=local)}
