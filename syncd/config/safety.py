"""The breakers' figures, in ``syncd.yaml`` and in an entity. A block given further in replaces the outer one whole."""

from dataclasses import replace

from syncd.config.section import Section
from syncd.core.rules import Limit, Safety

BLOCKS = ("changes", "deletes", "blanked", "shrink")
BUILT_IN = Safety()


def read_safety(section: Section | None, outer: Safety) -> Safety:
    """Return the breakers under a ``safety:`` block, those it does not give as they are outside."""
    if section is None:
        return outer
    section.known([*BLOCKS, "on_trip"])
    found = {name: _limit(name, inner) for name, inner in _inner(section)}
    on_trip = section.word("on_trip", ("pause", "warn")) or outer.on_trip
    return replace(outer, **{name: limit for name, limit in found.items() if limit}, on_trip=on_trip)


def _inner(section: Section) -> list[tuple[str, Section]]:
    return [(name, inner) for name in BLOCKS if (inner := section.section(name)) is not None]


def _limit(name: str, section: Section) -> Limit | None:
    section.known(["max", "ratio"] if name == "shrink" else ["max", "ratio", "per"])
    most, ratio, per = section.whole("max", least=0), section.share("ratio"), section.duration("per")
    if not section.block.entries.keys() & {"max", "ratio"} and not section.misspelt:
        section.source.error(
            "E102",
            section.owner,
            'missing key "max"',
            hint="add max:, ratio: or both",
            why="a breaker without a figure would never trip, or always",
            fix=f"add  {name}: {{max: 5}}",
        )
        return None
    built_in: Limit = getattr(BUILT_IN, name)
    return Limit(most, ratio, built_in.per if per is None else per)
