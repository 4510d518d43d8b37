"""Timelines of keys: what becomes one, what is a rename, and what is asked."""

from syncd.core import split
from syncd.core.life import IDENTITY
from syncd.core.model import State
from tests.core.desk import a_field, rule
from tests.core.town import Town


def keys_come_later() -> bool:
    """A thing is made in A and B at once, and the key they share is filled in afterwards."""
    town = Town()
    first = town.put("a", "1", k="K")
    town.put("b", "2", g="40")
    town.put("a", "1", g="40")
    return town.living() == [first] and set(first.shadows) == {"a", "b"}


def counted_once() -> bool:
    """Two records become one; each had counted for itself."""
    town = Town("manual", a_field("d", rule("delta"), kind="integer"))
    first = town.put("a", "1", k="K", d=10)
    town.put("b", "2", g="40", d=7)
    town.put("a", "1", g="40")
    town.put("b", "2", d=6)
    return bool(first.golden["d"].value == 9)


def no_silent_merge() -> bool:
    """A's K is renamed into L, which lives in B."""
    town = Town()
    town.put("a", "1", k="K")
    town.put("b", "2", k="L")
    town.put("a", "1", k="L")
    return len(town.living()) == 2


def not_written_meanwhile() -> bool:
    """A's K is renamed into L; K's row in B must not be renamed before somebody said what that means."""
    town = Town()
    first = town.put("a", "1", k="K")
    town.put("b", "1", k="K")
    town.put("a", "2", k="L")
    town.put("a", "1", k="L")
    return first.shadows["b"].id == "1" and "k" not in town.sent("b")


def merge_is_followed() -> bool:
    """A makes one of its two things: one row is gone, and its key stands on the other."""
    town = Town()
    first = town.put("a", "1", k="K")
    town.put("a", "2", k="L")
    town.put("b", "2", k="L")
    town.remove("a", "2")
    town.put("a", "1", k="L")
    return town.living() == [first] and first.shadows["b"].id == "2" and IDENTITY not in first.conflicts


def old_key_is_free() -> bool:
    """A's K is renamed to M, and another thing gets the key K."""
    town = Town()
    first = town.put("a", "1", k="K")
    town.put("a", "1", k="M")
    return town.put("b", "2", k="K") is not first


def value_of_another() -> bool:
    """Two things with one value of a unique field: the second one's is none until the first gives it up."""
    town = Town("manual", a_field("s", rule("priority"), unique=True))
    town.put("a", "1", k="K", s="mug")
    second = town.put("a", "2", k="L", s="mug")
    held = second.shadows["a"].fields["s"].known == State.INVALID and "s" in second.conflicts
    town.put("a", "1", s="cup")
    town.batch("a", "2")
    return held and second.golden["s"].value == "mug" and "s" not in second.conflicts


def kept_apart() -> bool:
    """A person says that two things with one key are two."""
    town = Town()
    first = town.put("a", "1", k="K")
    second = town.put("b", "2", k="L")
    split.keep_apart(town.space, (first.id,), second.id, "ana")
    town.put("a", "1", k="L")
    return not first.conflicts and not second.conflicts
