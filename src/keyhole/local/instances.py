"""The metadata services of this machine's EC2 instances: a listener on loopback for each that was asked for."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

from keyhole.local.backend import Backend
from keyhole.local.imds import LIVE_STATES, MetadataService
from keyhole.local.loopback_listener import Listener, start_listener
from keyhole.local.sessions import SessionStore


class Instances:
    """Where each instance's metadata service listens; thread-safe.

    An instance has one service, whatever is served of it: a token that was had on the instance is good in a container.
    """

    def __init__(self, backend: Backend, sessions: SessionStore) -> None:
        self._backend = backend
        self._sessions = sessions
        self._lock = threading.Lock()
        self._services: dict[str, MetadataService] = {}
        self._listeners: dict[tuple[str, int], Listener] = {}

    def imds_endpoint(self, instance_id: str, hops: int = 1) -> str | None:
        """Give the URL of the instance's metadata service, started on the first ask; None where it does not run.

        `hops` is how far away the client is: 1 on the instance itself, 2 in a container on it.

        Raises: OSError where no port can be opened.
        """
        instance = self._backend.find_instance(instance_id)
        with self._lock:
            if instance is not None and instance.state in LIVE_STATES:
                listener = self._listeners.get((instance_id, hops))
                if listener is None:
                    listener = self._listeners[instance_id, hops] = self._start(instance_id, hops)
                return listener.url
            self._services.pop(instance_id, None)
            ended = [key for key in self._listeners if key[0] == instance_id]
            listeners = [self._listeners.pop(key) for key in ended]
        for listener in listeners:
            listener.stop()
        return None

    def stop(self) -> None:
        """End all listeners; those asked for afterwards are started anew."""
        with self._lock:
            listeners = tuple(self._listeners.values())
            self._listeners.clear()
            self._services.clear()
        if listeners:
            with ThreadPoolExecutor(len(listeners)) as pool:
                list(pool.map(Listener.stop, listeners))

    def _start(self, instance_id: str, hops: int) -> Listener:
        service = self._services.get(instance_id)
        if service is None:
            service = self._services[instance_id] = MetadataService(instance_id, self._backend, self._sessions)
        return start_listener(service.seen_from(hops), "EC2ws")
