"""What one process of the service has at hand besides the store: its door, its limits, its numbers, its state."""

from __future__ import annotations

from dataclasses import dataclass, field

from keyhole.service.callers.door import Door, open_door
from keyhole.service.callers.limits import UploadRates
from keyhole.service.callers.quotas import Quotas
from keyhole.service.metrics import Metrics
from keyhole.service.operation import Operation
from keyhole.service.settings import Service


@dataclass(slots=True)
class Runtime:
    """One process of the service. `is_draining` holds once it was told to end."""

    operation: Operation
    door: Door
    rates: UploadRates
    quotas: Quotas = field(default_factory=Quotas)
    metrics: Metrics = field(default_factory=Metrics)
    is_draining: bool = False
    in_flight: int = 0


def make_runtime(service: Service, operation: Operation | None = None) -> Runtime:
    """Give what a process of this service needs. Raises: KeyholeError where tokens or session key are unusable."""
    operation = operation or Operation()
    door = open_door(service, tokens_file=operation.tokens_file, session_key=operation.session_key)
    return Runtime(operation, door, UploadRates(workers=operation.workers))
