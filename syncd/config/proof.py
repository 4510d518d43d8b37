"""The proof that what is written to a platform is read back as it was: on generated values, and on the ledger's own (E240).

Only pipelines are tried: a type alone reads what it wrote. What differs by blanks and case only is W247, because such a
spelling settles; anything else would be read as a change, and written again.
"""

from collections.abc import Iterator, Mapping

from syncd.config.nodes import Block, Node
from syncd.config.scene import FieldDraft, Scene
from syncd.config.section import Section
from syncd.core import phones
from syncd.core.model import Value
from syncd.core.reftypes import Ref
from syncd.core.roundtrip import Loss, Trip, candidates, fits, said_by, try_out
from syncd.core.rules import Field, FieldMap, Truth
from syncd.core.spelling import only_spelling
from syncd.core.transforms import Step

MOST = 400  # values tried on one platform


def prove_maps(scene: Scene, section: Section, fields: Mapping[str, Field]) -> None:
    """Note E240 for each two-way mapping with a value that does not come back, W247 where only its case differs."""
    for field in fields.values():
        draft = scene.fields[field.name]
        places = [(name, place) for name, place in field.maps.items() if is_two_way(place)]
        if not places or isinstance(field.type, Ref):  # ids come back by their records
            continue
        values = golden_values(scene, field, draft)
        for name, place in places:
            there = scene.parts[name].platform if name in scene.parts else None
            kind = field.type.at(there.timezone, there.home) if there is not None else field.type
            _judge(scene, section, field, name, try_out(kind, place, values[:MOST], field.equal.same))


def is_two_way(place: FieldMap) -> bool:
    """Return whether a mapping writes what it reads, through a pipeline."""
    return place.direction == "both" and bool(place.read or place.write)


def golden_values(scene: Scene, field: Field, draft: FieldDraft) -> list[Value]:
    """Return values that golden can have: what the ledger has, and what the sources of the rule can say."""
    seen = [value for value in scene.evidence.samples.get((scene.name, field.name), ()) if value is not None]
    wide = list(candidates(field.type, words_of(field), f"{scene.name}.{field.name}"))
    truth = draft.truth or scene.groups.get(draft.group or "")
    named = sources_of(truth) if truth else []
    sources = [name for name in named if name in field.maps and field.maps[name].direction != "out"]
    if truth is None or not sources or is_free(truth):
        return [*seen, *(value for value in wide if fits(value, field.checks))]
    found = list(seen)
    for name in sources:
        found += [v for v in said_by(field.type, field.maps[name], wide, field.checks) if v not in found]
    return found


def words_of(field: Field) -> Iterator[Value]:
    """Yield the words of a field's tables, on both sides, since nothing else comes through, and numbers of its countries."""
    for place in field.maps.values():
        for step in (one for one in (*place.read, *place.write) if isinstance(one, Step)):
            if step.verb == "table":
                yield from (word for pair in step.args for word in pair if word is not None)
            elif step.verb in ("e164", "national"):
                yield phones.example(step.args[0])


def sources_of(truth: Truth) -> list[str]:
    """Return the platforms whose word can become golden."""
    found = [*truth.platforms, *([truth.null_use] if truth.null_use else [])]
    for inner in (*(branch.truth for branch in truth.branches), *([truth.propose] if truth.propose else [])):
        found += sources_of(inner)
    return list(dict.fromkeys(found))


def is_free(truth: Truth) -> bool:
    """Return whether golden can be what no platform said: a formula's result."""
    return truth.how == "expr" or any(is_free(branch.truth) for branch in truth.branches)


def _judge(scene: Scene, section: Section, field: Field, platform: str, trip: Trip) -> None:
    """Note the worst that happened to a field's values on one platform."""
    real = [loss for loss in trip.losses if not settles(field, loss)]
    where = place_of(section, field.name, platform) or scene.fields[field.name].map_nodes[platform]
    if real:
        _lost(scene, where, field, platform, real[0].text)
    elif trip.losses:
        scene.source.warning(
            "W247",
            where,
            f"{platform} gives {field.name} back in another case",
            hint=trip.losses[0].text,
            why=f"the two are not the same under equal: {field.equal.name}, so {platform} would seem to have changed it",
            fix="write  equal: casefold     (then both are the same)",
        )
    elif trip.tried and not trip.said and trip.wordless:
        _lost(scene, where, field, platform, f"nothing can be written: {trip.wordless}")


def settles(field: Field, loss: Loss) -> bool:
    """Return whether only blanks and case differ: a spelling that is taken as the platform's own."""
    return not loss.why and loss.read is not None and only_spelling(field, loss.value, loss.read)


def _lost(scene: Scene, where: Node, field: Field, platform: str, what: str) -> None:
    if any(one.code == "E240" and (one.line, one.col) == where.span[:2] for one in scene.source.found):
        return  # told by its form already
    scene.source.error(
        "E240",
        where,
        "what this writes is not read back as it was",
        hint=what,
        why=f"{field.name} is two-way: syncd would read its own write as a change, and repeat",
        fix="let read: and write: undo each other for every value\n"
        f"or   direction: in     never write this field to {platform}",
    )


def place_of(section: Section, field: str, platform: str) -> Node | None:
    """Return the pipeline that a finding is about: what is written, else what is read."""
    node: Node | None = section.block
    for key in ("fields", field, "map", platform):
        node = node.get(key) if isinstance(node, Block) else None
    return (node.get("write") or node.get("read")) if isinstance(node, Block) else None
