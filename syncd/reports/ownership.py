"""The ownership table: per field who decides it, whose edits count, and what happens otherwise. Format ``syncd.rules/1.0``."""

import textwrap
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from syncd.core.rules import Entity, Field, Rules, Truth
from syncd.reports import figures, rulewords
from syncd.reports.envelope import Origin, envelope
from syncd.reports.page import Cell, Column, Look, Page, Section, Tone

SCHEMA = "syncd.rules/1.0"
HEADS = ("field", "who decides", "edits that count", "otherwise")
LEAST = (1000, 16, 16, 20)  # columns of a narrow terminal; names are never broken
GAP = 2


def document(rules: Rules, origin: Origin, *, entity: str | None = None) -> dict[str, Any]:
    """Return the table of all entities, or of one."""
    chosen = [one for name, one in rules.entities.items() if entity in (None, name)]
    return envelope(SCHEMA, origin, rules=[line(one, field) for one in chosen for field in one.fields.values()])


def line(entity: Entity, field: Field) -> dict[str, Any]:
    """Return one field's rule as the format has it."""
    truth = truth_of(entity, field)
    counts = rulewords.editors(entity, field, truth)
    return {
        "entity": entity.name,
        "field": field.name,
        "field_type": field.type.name,
        "group": field.group,
        "decides": rulewords.decides(truth),
        "may_edit": counts,
        "otherwise": rulewords.otherwise(entity, field, counts),
        "written_to": written_to(entity, field),
        "note": field.note or None,
        "rule": {"file": truth.at.file, "line": truth.at.line, "strategy": truth.how},
    }


def truth_of(entity: Entity, field: Field) -> Truth:
    """Return the rule that decides a field: its own or its group's."""
    truth = entity.groups[field.group].truth if field.group else field.truth
    assert truth is not None
    return truth


def written_to(entity: Entity, field: Field) -> list[str]:
    """Return the platforms to which a field may be written."""
    return [
        name
        for name, member in entity.members.items()
        if name in field.maps and field.maps[name].direction != "in" and not rulewords.is_closed(member, field)
    ]


# ---- for people


def page(document: Mapping[str, Any], look: Look) -> Page:
    """Return a table per entity; on a terminal long cells take several lines."""
    entities = list(dict.fromkeys(one["entity"] for one in document["rules"]))
    sections = [_section(name, [one for one in document["rules"] if one["entity"] == name], look) for name in entities]
    count = figures.plural(len(document["rules"]), "field")
    foot = f"{count} of {figures.plural(len(entities), 'entity', 'entities')}.  Where a rule stands: syncd rules --format json"
    return Page("", sections, foot, title=f"Who owns what ({document['environment'] or 'no environment'})")


def _section(entity: str, lines: Sequence[Mapping[str, Any]], look: Look) -> Section:
    cells = [_cells(one) for one in lines]
    rows: list[tuple[Cell | str, ...]] = []
    widths = _widths(cells, look.width) if look.width else None
    for row in cells:
        rows += _wrapped(row, widths) if widths else [row]
    return Section(tuple(Column(head) for head in HEADS), [_toned(row) for row in rows], title=entity)


def _cells(one: Mapping[str, Any]) -> tuple[str, ...]:
    name = f"{one['field']} (with {one['group']})" if one["group"] else one["field"]
    otherwise = f"{one['otherwise']}.  {one['note']}" if one["note"] else one["otherwise"]
    return name, one["decides"], ", ".join(one["may_edit"]) or "none", otherwise


def _toned(row: Sequence[Cell | str]) -> tuple[Cell | str, ...]:
    return (Cell(str(row[0]), Tone.HEAD), *row[1:])


def _widths(rows: Sequence[Sequence[str]], room: int) -> list[int]:
    """Return the columns' widths: as much as each wants, the widest made narrower until all fit."""
    wants = [max(len(head), *(len(row[at]) for row in rows)) for at, head in enumerate(HEADS)]
    spare = room - 2 - GAP * (len(HEADS) - 1)
    while sum(wants) > spare:
        loose = [at for at, want in enumerate(wants) if want > LEAST[at]]
        if not loose:
            return wants
        widest = max(loose, key=lambda at: wants[at] / LEAST[at])
        wants[widest] -= 1
    return wants


def _wrapped(row: Sequence[str], widths: Sequence[int]) -> Iterator[tuple[str, ...]]:
    """Yield the lines of one row."""
    parts = [textwrap.wrap(cell, width) or [""] for cell, width in zip(row, widths, strict=True)]
    for at in range(max(len(part) for part in parts)):
        yield tuple(part[at] if at < len(part) else "" for part in parts)
