"""What a truth rule sees, and what it answers: votes, the case, the ruling.

A rule knows nothing of shadows, mapping or platforms' ways; a group of fields votes with one tuple, so that every rule works
on groups as it does on fields.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, NamedTuple

from syncd.core.model import GoldenField, Value
from syncd.core.native import ABSENT
from syncd.core.rules import Name, Truth

Look = Callable[[Name], Any]
RAW = ".raw"  # how the scope of a platform's own fields ends


class Vote(NamedTuple):
    """What one platform's shadow says of a field (or, as a tuple, of a group).

    ``own``: it is the platform's own word. ``cleared``: it went from a value to null and we saw it. ``stale``: the platform
    was not read for longer than the rule allows. ``suspended``: why its time proves nothing: a bulk touch, in words.
    """

    platform: str
    value: Value = None
    own: bool = True
    null: bool = False
    cleared: bool = False
    invalid: bool = False
    stale: bool = False
    lo: int = 0
    hi: int = 0
    reason: str = ""
    suspended: str = ""


class Kind(StrEnum):
    """TAKE a value, let golden STAY, HOLD for a person (a conflict), or WAIT for a stale platform (no conflict)."""

    TAKE = "take"
    STAY = "stay"
    HOLD = "hold"
    WAIT = "wait"


@dataclass(frozen=True, slots=True)
class Ruling:
    """What a rule says. ``why`` is for people; ``sort`` is the kind of conflict under HOLD; ``rule`` is how the case that
    decided decides, '' if the rule has no cases.
    """

    kind: Kind
    value: Value = None
    who: str | None = None
    lo: int = 0
    hi: int = 0
    why: str = ""
    provisional: bool = False
    sort: str = "value"
    rule: str = ""


def nowhere(_: Name) -> Any:
    """Return that nothing is there: the look of a case without names."""
    return ABSENT


def timeless(_: Name) -> tuple[int, int]:
    """Return that nobody knows when: the age of a name in a case without times."""
    return 0, 0


def as_it_is(value: Any, _: Look, __: int) -> Value:
    """Return a formula's value as it is: what a case without a type makes of it."""
    return value


@dataclass(slots=True)
class Case:
    """Everything a rule may look at.

    ``votes``: of the rule's platforms, in its order. ``others``: of every mapped platform in the order of ``in:``.
    ``same`` compares two values as the field does; ``rank`` orders them; ``total`` adds them; ``margin`` is the distance two
    edits must have to be ordered (skew, ticks and clocks of the platforms given), microseconds. ``seen`` takes down what was
    asked for beyond the votes (``core.inputs``).

    ``look`` gives what a name in an expression stands for, ``age`` the interval (lo, hi] in which that was said, ``now`` is our
    clock. ``form`` makes a formula's value canonical, past the field's checks (given the look and the clock); raises
    ``values.Invalid``. ``unsure``: golden's own time proves nothing (a bulk touch). ``passed``: platforms that a formula passes
    over because they are stale.
    """

    truth: Truth
    votes: tuple[Vote, ...]
    others: tuple[Vote, ...]
    golden: GoldenField | None
    same: Callable[[Value, Value], bool]
    rank: Callable[[Value], Any]
    total: Callable[[list[Value]], Value]
    margin: Callable[[set[str]], int]
    seen: dict[str, Any] = field(default_factory=dict)
    look: Look = nowhere
    age: Callable[[Name], tuple[int, int]] = timeless
    now: int = 0
    form: Callable[[Any, Look, int], Value] = as_it_is
    unsure: bool = False
    passed: frozenset[str] = frozenset()

    @property
    def heard(self) -> Look:
        """Return the look of a formula: what stale platforms say is absent to it, though conditions may look at it."""
        if not self.passed:
            return self.look
        return lambda name: ABSENT if name.scope.removesuffix(RAW) in self.passed else self.look(name)

    @property
    def silent(self) -> bool:
        """Nobody who may has spoken yet: golden has no author, or only a provisional one."""
        return self.golden is None or self.golden.who is None or self.golden.provisional


STAY = Ruling(Kind.STAY, why="nothing usable: golden stays")


def take(vote: Vote, why: str) -> Ruling:
    """Return the ruling that takes a vote's value with its interval."""
    return Ruling(Kind.TAKE, vote.value, vote.platform, vote.lo, vote.hi, why)
