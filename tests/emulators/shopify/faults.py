"""What may go wrong, on demand. A fault waits for a request that it is meant for, and is used up by it."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

Kind = Literal[
    "throttle",  # 200 THROTTLED, nothing done
    "status",  # an HTTP status instead, nothing done
    "drop_before",  # the connection is cut, nothing done
    "drop",  # done, then the connection is cut
    "status_after",  # done, then an HTTP status instead of the answer
    "internal",  # 200 INTERNAL_SERVER_ERROR, nothing done
    "denied",  # 200 ACCESS_DENIED, nothing done
    "partial",  # done, but one part of the answer is null and there is an error beside the data
    "refuse",  # a mutation's user errors, nothing done
    "slow",  # answered after ``seconds``
    "garbage",  # done, then an answer that is no JSON
]


@dataclass
class Fault:
    """One fault. ``on``: query, mutation, the name of a root field, token, file (of a bulk operation), or any."""

    kind: Kind
    times: int = 1
    on: str = "any"
    status: int = 503
    seconds: float = 0
    headers: dict[str, str] = field(default_factory=dict)
    errors: list[dict[str, Any]] = field(default_factory=list)


@dataclass
class Faults:
    """All that is wrong now. ``lag``: search is so many seconds behind; ``stale``: reads by id that show what was."""

    waiting: list[Fault] = field(default_factory=list)
    lag: float = 0
    stale: int = 0
    version: str | None = None  # the version that is served instead of the one that was asked for
    gone_fields: frozenset[str] = frozenset()  # as Product.vendor
    delay: float = 0  # seconds that each answer takes
    bulk_fails: str | None = None  # the error code of bulk operations; half of their rows are there

    def add(self, kind: Kind, times: int = 1, **other: Any) -> None:
        """Have something go wrong the next time, or the next ``times`` times."""
        self.waiting.append(Fault(kind, times, **other))

    def take(self, *kinds: Kind, on: Sequence[str]) -> Fault | None:
        """Return the first fault of these kinds that is meant for such a request, used up once."""
        for fault in self.waiting:
            if fault.kind in kinds and (fault.on == "any" or fault.on in on):
                fault.times -= 1
                if fault.times <= 0:
                    self.waiting.remove(fault)
                return fault
        return None

    def clear(self) -> None:
        """Have all be well again."""
        self.__init__()  # type: ignore[misc]
