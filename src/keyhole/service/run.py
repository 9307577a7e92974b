"""The service as a process: it binds first, says where it is, and drains before it ends."""

from __future__ import annotations

import contextlib
import errno
import logging
import socket
import sys
from collections.abc import Callable

import uvicorn

from keyhole.errors import KeyholeError
from keyhole.service.app import create_app
from keyhole.service.linger import Linger
from keyhole.service.settings import Settings
from keyhole.service.store import Store

_DRAIN_S = 20
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
    settings: Settings, store: Store, host: str, port: int, *, announce: Callable[[str], None] | None = None
) -> None:
    """Run until SIGINT or SIGTERM, then finish what was begun, for 20 seconds at most.

    `announce` gets the page's URL once it is certain that connections will be taken. Raises: KeyholeError.
    """
    with bind(host, port) as listener:
        _log_to_stderr()
        if announce is not None:
            announce(show_url(listener))
        # uvicorn raises the signal again once it has drained.
        with contextlib.suppress(KeyboardInterrupt):
            make_server(settings, store).run(sockets=[listener])


def make_server(settings: Settings, store: Store) -> uvicorn.Server:
    """Give the server: one log line per request, and it is ours."""
    config = uvicorn.Config(
        Linger(create_app(settings, store)),
        lifespan="off",
        ws="none",
        log_config=None,
        log_level="warning",
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=_DRAIN_S,
    )
    return uvicorn.Server(config)


def _log_to_stderr() -> None:
    """Write the service's lines to stderr, unless the program that runs it has arranged otherwise."""
    for name in ("keyhole.service", "uvicorn"):
        log = logging.getLogger(name)
        if log.hasHandlers():
            continue
        handler = logging.StreamHandler(sys.stderr)
        handler.setFormatter(logging.Formatter("%(asctime)s %(message)s", datefmt="%H:%M:%S"))
        log.addHandler(handler)
        log.propagate = False
    logging.getLogger("keyhole.service").setLevel(logging.INFO)
    logging.getLogger("python_multipart").setLevel(logging.ERROR)  # broken forms are the client's, and answered
