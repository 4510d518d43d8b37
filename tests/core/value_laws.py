"""The laws of values at rest (semantics section 4), with their preconditions: what platforms said last, and what golden must
therefore be.
"""

from collections.abc import Iterable
from typing import Any, NamedTuple

from syncd.core.model import SECOND, Record
from tests.core.world_daemon import Breach
from tests.core.world_platform import BAD

SLACK = 12 * SECOND  # what clocks and ticks of the test world can add up to


class Edit(NamedTuple):
    """What a person did: when, where, what, and as which moment of the world."""

    at: int
    platform: str
    value: Any
    seq: int


def could_spell(sent: Any, stored: Any) -> bool:
    """Whether a normaliser could have made ``stored`` of ``sent``: blanks, case, a cut; sets member by member."""
    if isinstance(sent, str) and isinstance(stored, str | None):
        one, other = ("".join((t or "").split()).lower() for t in (sent, stored))
        return (stored is None and not sent.strip()) or one == other or (len(other) > 1 and one.startswith(other))
    if isinstance(sent, list | frozenset):
        return folded(sent) == folded(stored)
    return False


def folded(members: Iterable[str] | None) -> set[str]:
    return {m.casefold() for m in members or ()}


def last(world: Any, key: str, name: str, platform: str) -> Edit | None:
    return next((e for e in reversed(world.history.get((key, name), [])) if e.platform == platform), None)


def usable(edit: Edit | None) -> bool:
    return edit is not None and edit.value is not None and edit.value is not BAD


def held(world: Any, key: str, record: Record, name: str) -> bool:
    return name in record.conflicts or name not in world.setup.fields or (key, name) in world.blind or name not in record.golden


def owner_law(world: Any, key: str, record: Record) -> None:
    """L5: the owner's last value wins."""
    edit = last(world, key, "o", "a")
    if world.owners or edit is None or held(world, key, record, "o"):
        return
    golden = record.golden["o"].value
    said = [e.value for e in world.history[key, "o"] if e.platform == "a"]
    if usable(edit) and golden != edit.value and not respelt(world, key, "o", golden, edit.value):
        raise Breach(f"L5: golden {golden!r}, the owner says {edit.value!r}")
    if edit.value is None and not world.setup.clear and golden is None and any(v not in (None, BAD) for v in said):
        raise Breach("L6: the owner's blank erased golden")


def respelt(world: Any, key: str, name: str, golden: Any, value: Any) -> bool:
    """The owner takes whole records, and what we re-sent of its own word was spelt anew."""
    row = world.platforms["a"].live(key)
    resent = "whole" in world.platforms["a"].spec and bool(row) and row[0].values[name] == golden
    return resent or aba(world, key, name, value)


def aba(world: Any, key: str, name: str, value: Any) -> bool:
    """Away and back between two looks is no edit."""
    edits = [e.value for e in world.history.get((key, name), [])]
    return len([v for v in edits if v == value or could_spell(v, value)]) > 1


def rule_change_law(world: Any, key: str, record: Record) -> None:
    """L17: a change of rules never undoes an edit that was accepted."""
    if len(world.owners) != 1 or key != "K" or held(world, key, record, "o") or key in world.in_doubt:
        return
    owner, moment, golden = world.owners[0]
    edit = last(world, key, "o", "a")
    if owner == "a" or last(world, key, "o", owner) is not None or not usable(edit) or edit is None:
        return
    if edit.seq < moment and golden == edit.value and record.golden["o"].value != edit.value:
        raise Breach(f"L17: golden {record.golden['o'].value!r}, accepted was {edit.value!r}")


def priority_law(world: Any, key: str, record: Record) -> None:
    """The first that says something usable decides."""
    if held(world, key, record, "p") or key in world.in_doubt or world.restored:
        return
    one, two, golden = last(world, key, "p", "a"), last(world, key, "p", "b"), record.golden["p"].value
    chosen = one if usable(one) else two if usable(two) and two is not None and comes_next(one, two) else None
    if chosen is None or golden == chosen.value or could_spell(golden or "", chosen.value):
        return
    if not (respelt(world, key, "p", golden, chosen.value) if chosen is one else aba(world, key, "p", chosen.value)):
        raise Breach(f"priority: {chosen.platform} says {chosen.value!r}, golden {golden!r}")


def comes_next(one: Edit | None, two: Edit) -> bool:
    """Whether the second was asked: the first never spoke, or emptied its field before the second spoke."""
    return one is None or (one.value is None and two.seq > one.seq)


def newest_law(world: Any, key: str, record: Record) -> None:
    """L7: newest is truly newest, for edits further apart than skew, ticks and clocks."""
    edits = [e for p in ("a", "b", "c") if (e := last(world, key, "n", p)) is not None]
    if not edits or held(world, key, record, "n") or key in world.in_doubt or world.restored or world.touches:
        return
    edits.sort(key=lambda e: e.seq)
    top, golden = edits[-1], record.golden["n"].value
    apart = world.setup.skew * SECOND + SLACK
    far = all(top.at - e.at > apart for e in world.history[key, "n"] if e.platform != top.platform)
    if not far or not usable(top) or any(e.value is BAD for e in edits) or aba(world, key, "n", top.value):
        return
    if golden != top.value and not could_spell(golden or "", top.value):
        raise Breach(f"L7: the newest is {top.value!r}, golden {golden!r}")


def counter_law(world: Any, key: str, record: Record) -> None:
    """L8: a counter is its seed and all that was added."""
    if held(world, key, record, "d") or key in world.doubtful_counts or world.restored:
        return
    if world.history[key, "born"][0].platform == "d":
        return
    edits = [e.value for e in world.history.get((key, "d"), []) if e.platform != "d"]
    true = world.history[key, "born"][0].value + sum(edits)
    if record.golden["d"].value != true:
        raise Breach(f"L8: golden {record.golden['d'].value}, true {true}")


def union_law(world: Any, key: str, record: Record) -> None:
    """L9: a member that one platform touched ends as it left it; added at one, removed at another is gone."""
    if held(world, key, record, "u") or key in world.in_doubt or world.restored:
        return
    have = folded(record.golden["u"].value)
    for member in "rst":
        edits = [e for e in world.history.get((key, f"u {member}"), []) if e.platform in ("a", "b", "c")]
        if not edits or any(e.platform == "d" for e in world.history[key, f"u {member}"]):
            continue
        one = len({e.platform for e in edits}) == 1
        moved = [e.value for e in edits] == [True, False] and not one
        if (one and (member in have) is not edits[-1].value) or (moved and member in have):
            raise Breach(f"L9: {member} was last {'added' if edits[-1].value else 'removed'}, golden {sorted(have)}")


def group_law(world: Any, key: str, record: Record) -> None:
    """L10: a group is one that some platform really held."""
    if "g1" not in world.setup.fields or "g1" not in record.golden or key in world.in_doubt or world.restored:
        return
    golden = (record.golden["g1"].value, record.golden["g2"].value)
    real = any(
        all(a == b or (a and b and (could_spell(a, b) or could_spell(b, a))) for a, b in zip(golden, one, strict=True))
        for one in world.groups.get(key, ())
    )
    if not real and golden != (None, None):
        raise Breach(f"L10: nobody ever had {golden}")


LAW_OF = {
    owner_law: "o",
    rule_change_law: "o",
    priority_law: "p",
    newest_law: "n",
    counter_law: "d",
    union_law: "u",
    group_law: "",  # whatever the rule: no group is made up
}
