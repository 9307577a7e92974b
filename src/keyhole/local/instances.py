"""The metadata services of this machine's EC2 instances: one listener on loopback for each that was asked for."""

from __future__ import annotations

import threading
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

from cheroot import wsgi

from keyhole.local.backend import Backend
from keyhole.local.imds import LIVE_STATES, MetadataService
from keyhole.local.sessions import SessionStore

_THREADS = 4


@dataclass(frozen=True, slots=True)
class _Listener:
    server: wsgi.Server
    thread: threading.Thread

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.bind_addr[1]}"

    def stop(self) -> None:
        self.server.stop()
        self.thread.join()


class Instances:
    """Where each instance's metadata service listens; thread-safe."""

    def __init__(self, backend: Backend, sessions: SessionStore) -> None:
        self._backend = backend
        self._sessions = sessions
        self._lock = threading.Lock()
        self._listeners: dict[str, _Listener] = {}

    def imds_endpoint(self, instance_id: str) -> str | None:
        """Give the URL of the instance's metadata service, started on the first ask; None where it does not run.

        Raises: OSError where no port can be opened.
        """
        instance = self._backend.find_instance(instance_id)
        is_live = instance is not None and instance.state in LIVE_STATES
        with self._lock:
            listener = self._listeners.get(instance_id)
            if is_live:
                if listener is None:
                    listener = self._listeners[instance_id] = self._start(instance_id)
                return listener.url
            self._listeners.pop(instance_id, None)
        if listener is not None:
            listener.stop()
        return None

    def stop(self) -> None:
        """End all listeners; those asked for afterwards are started anew."""
        with self._lock:
            listeners = tuple(self._listeners.values())
            self._listeners.clear()
        if listeners:
            with ThreadPoolExecutor(len(listeners)) as pool:
                list(pool.map(_Listener.stop, listeners))

    def _start(self, instance_id: str) -> _Listener:
        service = MetadataService(instance_id, self._backend, self._sessions)
        server = wsgi.Server(
            ("127.0.0.1", 0),
            service,
            numthreads=_THREADS,
            server_name="EC2ws",
            request_queue_size=64,
            shutdown_timeout=1,
        )
        # Until then stop() is not noticed.
        server.expiration_interval = 0.1
        # Metadata requests have next to no headers and no body at all.
        server.max_request_header_size = 16 * 1024
        server.max_request_body_size = 16 * 1024
        # The workers are daemons like the thread that makes them: a process that ends without stop() does end.
        opened: Future[None] = Future()
        thread = threading.Thread(target=_serve, args=(server, opened), name=f"imds-{instance_id}", daemon=True)
        thread.start()
        opened.result()
        return _Listener(server, thread)


def _serve(server: wsgi.Server, opened: Future[None]) -> None:
    try:
        server.prepare()
    except OSError as error:
        opened.set_exception(error)
        return
    opened.set_result(None)
    server.serve()
