"""What the parts of a compiled expression do. Each maker returns a closure that is called with ``look`` and the state of the
evaluation; those under "conditions" give true or false, the others an operand.
"""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

from syncd.core.functions import Function
from syncd.core.native import ABSENT, Invalid, number_of, shown
from syncd.core.operands import (
    ANY,
    KINDS,
    MAX_RESULT,
    NULL,
    NUMBER,
    NUMBERS,
    ORDERED,
    TEXT,
    Failed,
    add,
    arithmetic,
    bounded,
    condition,
    equal,
    kind_of,
    like,
    member,
    operand_of,
    spend,
)
from syncd.core.parts import Name

Look = Callable[[Name], Any]
Run = Callable[[Look, list[int]], Any]
PLAIN = frozenset((str, bool, type(None)))

# ---- operands


def load(name: Name, said: str) -> Run:
    """Return what gives the value of a name; what is absent is null."""

    def run(look: Look, _: list[int]) -> Any:
        value = look(name)
        return value if type(value) in PLAIN else operand_of(value, said)

    return run


def spelt(name: Name, said: str) -> Run:
    """Return what gives a platform's own number, which may be spelt as text there: its shape says that it is one."""

    def run(look: Look, _: list[int]) -> Any:
        value = operand_of(look(name), said)
        try:
            return number_of(value) if isinstance(value, str) and value else value or (None if value == "" else value)
        except Invalid as reason:
            raise Failed(f"{said}: {reason}") from None

    return run


def gather(runs: tuple[Run, ...]) -> Run:
    """Return what makes a list."""
    return lambda look, state: tuple([run(look, state) for run in runs])


def index(of: Run, key: int | str, said: str) -> Run:
    """Return what takes a member of a list or an object; null where there is none."""

    def run(look: Look, state: list[int]) -> Any:
        value = of(look, state)
        if value is None:
            return None
        if isinstance(value, list | tuple) and isinstance(key, int):
            return operand_of(value[key], said) if -len(value) <= key < len(value) else None
        if isinstance(value, dict):
            return operand_of(value.get(str(key)), said)
        raise Failed(f"{said} is {kind_of(value)}: nothing is in it at {shown(key)}")

    return run


def compute(work: Callable[[Any, Any], Any], left: Run, right: Run, said: tuple[str, str, str]) -> Run:
    """Return what calculates with two numbers; null with anything is null."""

    def run(look: Look, state: list[int]) -> Any:
        a, b = left(look, state), right(look, state)
        if type(a) in NUMBERS and type(b) in NUMBERS:
            return arithmetic(work, a, b, said[2])
        for value, name in ((a, said[0]), (b, said[1])):
            if value is not None and type(value) not in NUMBERS:
                raise Failed(f"{name} is {kind_of(value)}, not a number")
        return None

    return run


def plus(left: Run, right: Run, said: tuple[str, str, str]) -> Run:
    """Return what adds two numbers or joins two texts."""

    def run(look: Look, state: list[int]) -> Any:
        a, b = left(look, state), right(look, state)
        if type(a) in NUMBERS and type(b) in NUMBERS:
            return arithmetic(add, a, b, said[2])
        if isinstance(a, str) and isinstance(b, str):
            if len(a) + len(b) > MAX_RESULT:
                raise Failed(f"{said[2]} has more than {MAX_RESULT // 1024} Ki characters")
            return a + b
        if (a is None or isinstance(a, str)) and (b is None or isinstance(b, str)):
            return None
        if isinstance(a, str) or isinstance(b, str):
            raise Failed(f"{said[0]} is {kind_of(a)}, and {said[1]} is {kind_of(b)}: write text(...) to join them")
        return refuse_numbers(a, b, said)

    return run


def refuse_numbers(a: Any, b: Any, said: tuple[str, str, str]) -> None:
    """Return null for null and a number; raises Failed for what cannot be added."""
    for value, name in ((a, said[0]), (b, said[1])):
        if value is not None and type(value) not in NUMBERS:
            raise Failed(f"{name} is {kind_of(value)}, not a number")


def negated(of: Run, said: str, sign: int) -> Run:
    """Return what changes the sign of a number."""

    def run(look: Look, state: list[int]) -> Any:
        value = of(look, state)
        if type(value) in NUMBERS:
            return bounded(value * sign)
        if value is None:
            return None
        raise Failed(f"{said} is {kind_of(value)}, not a number")

    return run


def choose(test: Run, left: Run, right: Run) -> Run:
    """Return what gives one of two, as a condition says."""
    return lambda look, state: left(look, state) if test(look, state) else right(look, state)


def call(function: Function, runs: tuple[Run, ...], said: tuple[str, ...]) -> Run:
    """Return what calls a function."""
    work, nulls = function.work, function.nulls
    taken = [types_of(function.kinds(n)) for n in range(len(runs))]

    def run(look: Look, state: list[int]) -> Any:
        state[1] -= 1
        args = [part(look, state) for part in runs]
        for n, value in enumerate(args):
            if type(value) not in taken[n]:
                if value is None and not nulls:
                    return None
                if value is not None:
                    raise not_taken(function, n, value, said)
        try:
            return work(state, *args)
        except Failed as reason:
            raise Failed(f"{function.name}({', '.join(said)}): {reason}") from None

    return run


def types_of(kinds: frozenset[str]) -> frozenset[type]:
    """Return the types of these kinds."""
    return frozenset(found for found, kind in KINDS.items() if (kind in kinds or ANY in kinds) and kind != NULL)


def not_taken(function: Function, place: int, value: Any, said: tuple[str, ...]) -> Failed:
    """Return why a function does not take a value."""
    wanted = " or ".join(sorted(function.kinds(place)))
    return Failed(f"{said[place]} is {kind_of(value)}, and {function.name}() takes {wanted}")


# ---- conditions


def judged(of: Run, said: str) -> Run:
    """Return what takes an operand as a condition."""
    return lambda look, state: condition(of(look, state), said)


def asked(name: Name, said: str) -> Run:
    """Return what takes the value of a name as a condition."""

    def run(look: Look, _: list[int]) -> bool:
        value = look(name)
        return value if value is True or value is False else condition(operand_of(value, said), said)

    return run


def missing(name: Name) -> Run:
    """Return whether nothing is there under a name."""
    return lambda look, _: look(name) is ABSENT


def opposite(of: Run) -> Run:
    """Return ``not``."""
    return lambda look, state: not of(look, state)


def every(runs: tuple[Run, ...]) -> Run:
    """Return ``and``; what stands behind the first that is false is not asked."""
    if len(runs) == 2:
        first, second = runs
        return lambda look, state: first(look, state) and second(look, state)

    def run(look: Look, state: list[int]) -> bool:
        return all(one(look, state) for one in runs)

    return run


def some(runs: tuple[Run, ...]) -> Run:
    """Return ``or``; what stands behind the first that is true is not asked."""

    def run(look: Look, state: list[int]) -> bool:
        return any(one(look, state) for one in runs)

    return run


def same(left: Run, right: Run, said: tuple[str, str]) -> Run:
    """Return ``==``: null is only null, and two kinds cannot be compared."""

    def run(look: Look, state: list[int]) -> bool:
        a, b = left(look, state), right(look, state)
        if type(a) is str and type(b) is str:
            if len(a) > MAX_RESULT:
                spend(state, len(a) >> 12)
            return a == b
        if a is None or b is None:
            return a is b
        if not like(a, b):
            raise unlike(a, b, said)
        return equal(a, b, state)

    return run


def ranked(left: Run, right: Run, test: Callable[[Any, Any], bool], said: tuple[str, str]) -> Run:
    """Return ``<`` and its like; with null false."""

    def run(look: Look, state: list[int]) -> bool:
        a, b = left(look, state), right(look, state)
        if a is None or b is None:
            return False
        if not like(a, b):
            raise unlike(a, b, said)
        if type(a) not in ORDERED:
            raise Failed(f"{said[0]} is {kind_of(a)}, which has no order")
        return bool(test(a, b))

    return run


def over(name: Name, left: Run, right: Run, limit: Any, test: Callable[[Any, Any], Any], said: tuple[str, str]) -> Run:
    """Return the order of a field that is a number and a number: the quick way for the most common condition."""
    slow = ranked(left, right, test, said)
    exact = Decimal(limit)

    def run(look: Look, state: list[int]) -> Any:
        value = look(name)
        if type(value) is Decimal:
            return test(value, exact)
        return slow(look, state)

    return run


def within(left: Run, right: Run, said: tuple[str, str]) -> Run:
    """Return ``in``."""
    return lambda look, state: member(left(look, state), right(look, state), state, said)


def among(left: Run, right: Run, values: tuple[Any, ...], said: tuple[str, str]) -> Run:
    """Return ``in`` for a list that is written out: where it has only texts, or only numbers, one of those is found at once."""
    slow = within(left, right, said)
    known = frozenset(value for value in values if type(value) is str or type(value) in NUMBERS)
    kinds = {kind_of(value) for value in values} - {NULL}
    quick = types_of(frozenset(kinds)) if len(kinds) == 1 and kinds <= {TEXT, NUMBER} else frozenset[type]()

    def run(look: Look, state: list[int]) -> Any:
        value = left(look, state)
        return value in known if type(value) in quick else slow(look, state)

    return run


def unlike(a: Any, b: Any, said: tuple[str, str]) -> Failed:
    """Return why two operands cannot be compared."""
    text = f"{said[0]} is {kind_of(a)}, and {said[1]} is {kind_of(b)}"
    names = [name for value, name in ((a, said[0]), (b, said[1])) if isinstance(value, str)]
    return Failed(f"{text}: write number({names[0]})" if names and NUMBER in (kind_of(a), kind_of(b)) else text)
