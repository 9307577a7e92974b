"""How much a question may cost: steps, and seconds; past that the answer is unknown, never a guess."""

from __future__ import annotations

import time
from dataclasses import dataclass, field

DEFAULT_S = 5.0
MOST_STEPS = 20_000_000
_LOOK_EVERY = 16


class BudgetError(Exception):
    """The question is too large for its budget."""


@dataclass(slots=True)
class Budget:
    """Counts down. `seconds` from now; a step is one state of an automaton or one choice of the search."""

    seconds: float = DEFAULT_S
    steps: int = MOST_STEPS
    spent: int = 0
    _deadline: float = field(init=False)
    _next_look: int = field(init=False, default=_LOOK_EVERY)

    def __post_init__(self) -> None:
        self._deadline = time.monotonic() + self.seconds

    def part(self) -> Budget:
        """Give what one of many questions may cost: a quarter of the time that is left, so that others get theirs."""
        return Budget(max(self._deadline - time.monotonic(), 0.0) / 4, self.steps)

    @property
    def is_over(self) -> bool:
        """Hold once the time is over."""
        return time.monotonic() > self._deadline

    def check(self) -> None:
        """Look at the clock. Raises: BudgetError once it is too late."""
        if self.is_over:
            raise BudgetError(f"it takes longer than {self.seconds:.3g} s")

    def spend(self, steps: int) -> None:
        """Count steps. Raises: BudgetError once there are too many, or too late."""
        self.spent += steps
        if self.spent < self._next_look:
            return
        self._next_look = self.spent + _LOOK_EVERY
        if self.spent > self.steps:
            raise BudgetError(f"it takes more than {self.steps:,} steps")
        self.check()
