"""The local AWS: one process, one port on loopback, started and stopped as a whole."""

from __future__ import annotations

import errno
import http.client
import json
import os
import secrets
import threading
from types import TracebackType
from typing import Self

from keyhole.errors import KeyholeError
from keyhole.local import admin, state
from keyhole.local.call import HttpRequest, Response
from keyhole.local.credentials import CredentialStore
from keyhole.local.events import EventLog
from keyhole.local.gate import Gate
from keyhole.local.github_claims import ISSUER
from keyhole.local.github_issuer import GithubIssuer
from keyhole.local.github_routes import GithubRoutes
from keyhole.local.happened import Happened
from keyhole.local.http_server import GateServer
from keyhole.local.instances import Instances
from keyhole.local.issuer_keys import IssuerKeys
from keyhole.local.mode import Mode
from keyhole.local.moto_backend import MotoBackend
from keyhole.local.port_holder import find_holder
from keyhole.local.root_keys import DEFAULT_ACCOUNT, Credentials, root_credentials
from keyhole.local.sessions import SessionStore
from keyhole.local.task_routes import TaskRoutes

DEFAULT_PORT = 4566
_STATUS_TIMEOUT_S = 2


class LocalAws:
    """An AWS on this machine, empty at every start.

    moto's state is one per process: several of these in one process see the same accounts, and starting one empties
    them for all. Port 0 takes a free one.
    """

    def __init__(
        self,
        port: int = DEFAULT_PORT,
        host: str = "127.0.0.1",
        region: str = "us-east-1",
        mode: Mode = Mode.STRICT,
    ) -> None:
        self._host = host
        self._port = port
        self._region = region
        self._master = secrets.token_bytes(32)
        self._backend = MotoBackend()
        self._sessions = SessionStore()
        self._instances = Instances(self._backend, self._sessions)
        credentials = CredentialStore(self._master, self._backend, self._sessions)
        self._events: EventLog | None = None
        self._github = GithubIssuer()
        self._issuer_keys = IssuerKeys({ISSUER: self._github.public_keys})
        self._gate = Gate(
            self._backend,
            self._sessions,
            credentials,
            region,
            mode=mode,
            record=self._record,
            issuer_keys=self._issuer_keys,
        )
        self._tasks = TaskRoutes(self._backend, self._sessions)
        github = GithubRoutes(self._github, lambda: self.url)
        routes = (admin.reset_route(self.reset), *self._tasks.routes(), *github.routes())
        self._admin = admin.Admin(region, self._instances.imds_endpoint, self._master, mode, routes)
        self._server: GateServer | None = None
        self._thread: threading.Thread | None = None

    @property
    def port(self) -> int:
        """The port it listens on; after `start`, never 0."""
        return self._port

    @property
    def url(self) -> str:
        """The endpoint URL for clients."""
        return f"http://{self._host}:{self._port}"

    @property
    def region(self) -> str:
        """The region of requests that name none."""
        return self._region

    def root_credentials(self, account: str = DEFAULT_ACCOUNT) -> Credentials:
        """Give the root keys of an account for as long as this runs. Raises: ValueError."""
        return root_credentials(self._master, account)

    def start(self) -> Self:
        """Listen, with nothing in any account. Raises: KeyholeError where the port is taken."""
        server = GateServer(self._host, self._port, self._answer)
        try:
            server.prepare()
        except OSError as error:
            raise self._port_taken(error) from error
        self.reset()
        self._server = server
        self._port = server.bind_addr[1]
        try:
            state.make_state_dir()
            self._events = EventLog(state.events_path(self._port))
            self._events.open()
            state.write_state(state.LocalState(os.getpid(), self.url, self._port, self._master))
            self._thread = threading.Thread(target=server.serve, name=f"local-aws-{self._port}", daemon=True)
            self._thread.start()
        except BaseException:
            # Also for a signal in between: the root keys' secret does not stay on disk.
            self.stop()
            raise
        return self

    def stop(self) -> None:
        """Stop listening and forget the root keys; safe to call twice."""
        server, self._server = self._server, None
        if server is None:
            return
        state.remove_state(self._port, os.getpid())
        self._instances.stop()
        self._tasks.stop()
        server.stop()
        if self._thread:
            self._thread.join(timeout=5)
        if self._events:
            self._events.close()

    def wait(self) -> None:
        """Return when it has stopped."""
        while self._thread and self._thread.is_alive():
            self._thread.join(timeout=0.2)

    def reset(self) -> None:
        """Empty every account, make every session unknown, and end the metadata services and agents."""
        self._instances.stop()
        self._tasks.stop()
        self._sessions.forget_all()
        self._github.forget_all()
        self._issuer_keys.forget_all()
        self._backend.reset()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _record(self, happened: Happened) -> None:
        if self._events:
            self._events.record(happened)

    def _answer(self, request: HttpRequest) -> Response:
        if request.raw_path.startswith(admin.PREFIX):
            return self._admin.answer(request)
        return self._gate.answer(request)

    def _port_taken(self, error: OSError) -> KeyholeError:
        # cheroot tells what went wrong in the message only, once it has tried every address.
        is_taken = error.errno in (errno.EADDRINUSE, None) or "in use" in str(error)
        if not is_taken:
            return KeyholeError(f"cannot listen on `{self._host}:{self._port}`: {error.strerror or error}")
        other = read_status(self._host, self._port)
        if other is None:
            holder = find_holder(self._port)
            return KeyholeError(
                f"port `{self._port}` is taken by another program{f' ({holder})' if holder else ''}",
                hint="give another one with `--port`, or end that program",
            )
        return KeyholeError(
            f"a keyhole local AWS is already running on port `{self._port}` (process {other.get('pid', 'unknown')})",
            hint="use it, end it, or start this one on another port with `--port`",
        )


def read_status(host: str, port: int) -> dict[str, object] | None:
    """Ask whoever listens there whether it is a local AWS of Keyhole's; None if it is not, or nobody does."""
    connection = http.client.HTTPConnection(host, port, timeout=_STATUS_TIMEOUT_S)
    try:
        connection.request("GET", f"{admin.PREFIX}status", headers={"Host": f"127.0.0.1:{port}"})
        found = json.loads(connection.getresponse().read(64 * 1024))
    except (OSError, http.client.HTTPException, ValueError):
        return None
    finally:
        connection.close()
    return found if isinstance(found, dict) and "keyhole" in found else None
