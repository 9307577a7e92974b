"""The service as a process: it binds first, says where it is, and drains before it ends."""

from __future__ import annotations

import errno
import logging
import os
import socket
from collections.abc import Callable
from contextlib import ExitStack
from urllib.parse import quote

import uvicorn
from starlette.types import ASGIApp

from keyhole.aws.client import BotocoreAws
from keyhole.errors import KeyholeError
from keyhole.service.app import create_app
from keyhole.service.callers.scoped import ScopedAws
from keyhole.service.connections import GuardedConnection, make_room_for_connections
from keyhole.service.draining import DrainingServer
from keyhole.service.images.check import ImageChecker
from keyhole.service.images.scratch import Scratch
from keyhole.service.linger import Linger
from keyhole.service.log_lines import log_to_stderr
from keyhole.service.memory import keep_memory_flat
from keyhole.service.metrics import CountedChecker
from keyhole.service.operation import Operation
from keyhole.service.runtime import Runtime, make_runtime
from keyhole.service.s3_store import StoreOpener
from keyhole.service.settings import Service
from keyhole.service.store import OpenStore
from keyhole.service.workers import Reload, Supervisor

log = logging.getLogger("keyhole.service")

_LAST_PORT = 65535


def bind(host: str, port: int) -> socket.socket:
    """Give a listening socket; port 0 takes any that is free. Raises: KeyholeError."""
    if not 0 <= port <= _LAST_PORT:
        raise KeyholeError(f"there is no port {port}", hint=f"choose one from 1 to {_LAST_PORT}, or 0 for any")
    try:
        family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
        return socket.create_server(address[:2], family=family, backlog=2048)
    except socket.gaierror as error:
        raise KeyholeError(f"`{host}` is not an address of this machine", hint="try `127.0.0.1`") from error
    except OSError as error:
        raise _explain(error, host, port) from error


def _explain(error: OSError, host: str, port: int) -> KeyholeError:
    match error.errno:
        case errno.EADDRINUSE:
            return KeyholeError(
                f"port {port} on {host} is taken: another program listens there",
                hint=f"end it, or choose another port: `--port {port + 1 if port < _LAST_PORT else 8000}`",
            )
        case errno.EACCES:
            return KeyholeError(f"port {port} may only be opened by root", hint="choose one above 1023: `--port 8000`")
        case errno.EADDRNOTAVAIL:
            return KeyholeError(f"`{host}` is not an address of this machine", hint="try `127.0.0.1`")
        case _:
            return KeyholeError(f"cannot listen on {host}, port {port}: {error}", hint="choose another `--port`")


def show_url(listener: socket.socket) -> str:
    """Give the URL at which a browser on this machine finds the page."""
    host, port = listener.getsockname()[:2]
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 - read here, not bound
    return f"http://[{host}]:{port}/" if ":" in host else f"http://{host}:{port}/"


def serve(
    service: Service,
    operation: Operation,
    host: str,
    port: int,
    *,
    announce: Callable[[str], None] | None = None,
    reload: Reload | None = None,
) -> None:
    """Run until SIGINT or SIGTERM, then finish what was begun, for a while at most.

    `announce` gets the page's URL once it is certain that connections will be taken. `reload` gives what several
    workers begin anew with on SIGHUP. Raises: KeyholeError.
    """
    with bind(host, port) as listener:
        log_to_stderr(operation.log_format)
        runtime = make_runtime(service, operation)
        if announce is not None:
            announce(show_url(listener))
        if operation.workers > 1:
            Supervisor((service, operation), listener, reload=reload).run()
        else:
            run_process(service, runtime, listener)


def run_process(service: Service, runtime: Runtime, listener: socket.socket) -> None:
    """Be one process of the service on this socket, until a signal ends it. Raises: KeyholeError."""
    keep_memory_flat()
    make_room_for_connections()
    warn_of_acl()
    with ExitStack() as stack:
        checker = stack.enter_context(ImageChecker(workers=runtime.operation.checks_at_once))
        # What was being received when a process was killed is removed by the next.
        scratch = Scratch()
        stack.callback(scratch.remove)
        opener = make_opener(service, runtime.operation)
        counted = CountedChecker(checker, runtime.metrics)
        app = create_app(service, runtime, open_store=opener, checker=counted, directory=scratch.path)
        make_server(app, runtime).run(sockets=[listener])


def make_opener(service: Service, operation: Operation) -> OpenStore:
    """Give what opens the service's stores: with the workload's credentials, or with those of a caller's session.

    Few retries: a person waits for the answer, and a browser can ask again.
    """
    settings = service.first
    workload = BotocoreAws(
        settings.region,
        credentials=operation.credentials,
        profile=operation.profile,
        endpoint_url=settings.endpoint_url,
        max_attempts=2,
    )
    return StoreOpener(ScopedAws(workload).choose)


def make_server(app: ASGIApp, runtime: Runtime) -> DrainingServer:
    """Give the server: one log line per request, and it is ours."""
    config = uvicorn.Config(
        Linger(app),
        http=GuardedConnection,
        loop="auto",
        lifespan="off",
        ws="none",
        log_config=None,
        log_level="warning",
        access_log=False,
        server_header=False,
        proxy_headers=False,  # whom to believe is for `keyhole.service.proxies` to say
        timeout_graceful_shutdown=int(runtime.operation.drain_s),
    )
    return DrainingServer(config, runtime)


def warn_of_acl() -> None:
    """Say that the ACL which programs of this kind take from the environment is not sent, and why."""
    wanted = os.environ.get("AWS_S3_ACL", "")
    if wanted:
        log.warning(
            "AWS_S3_ACL=%s is not sent: the bucket enforces its owner and takes no ACL; "
            "who may read is in the file (`public_read`)",
            quote(wanted[:40]),
        )
