"""Which rules read what: the order in which subjects are decided, and which are decided again when something moves.

All of it is found once for an entity, and nothing of it costs anything where no rule has an expression.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass

from syncd.core.case import RAW
from syncd.core.parts import Name
from syncd.core.rules import Entity, Expression, Truth
from syncd.core.subject import Subject, subjects

COMPILED = "(dependencies)"  # no platform is called that


@dataclass(frozen=True, slots=True)
class Readers:
    """Who reads what. ``order``: the subjects, each after those whose golden it reads; ``by_name``: the same. ``of_field``:
    field -> names of the subjects that read it, on a platform or in golden. ``of_raw``: (platform, path) -> names of subjects.
    ``restless``: subjects that may come out otherwise although nothing moved: a platform gets stale, a clock is asked, a date
    comes.
    """

    order: tuple[Subject, ...]
    by_name: Mapping[str, Subject]
    of_field: Mapping[str, frozenset[str]]
    of_raw: Mapping[tuple[str, str], frozenset[str]]
    restless: tuple[Subject, ...]


def readers(entity: Entity) -> Readers:
    """Return who reads what in an entity; the entity keeps it."""
    known: Readers | None = entity.compiled.get(COMPILED)
    if known is None:
        known = entity.compiled[COMPILED] = find_readers(entity)
    return known


def find_readers(entity: Entity) -> Readers:
    """Return who reads what."""
    distinct = {s.name: s for s in subjects(entity).values()}
    fields: dict[str, set[str]] = {}
    raws: dict[tuple[str, str], set[str]] = {}
    for subject in distinct.values():
        for name in names_in(subject.truth):
            if name.scope.endswith(RAW):
                raws.setdefault((name.scope.removesuffix(RAW), name.path), set()).add(subject.name)
            else:
                fields.setdefault(name.path, set()).add(subject.name)
    return Readers(
        tuple(distinct[name] for name in in_order(dependencies(entity))),
        distinct,
        {name: frozenset(found) for name, found in fields.items()},
        {place: frozenset(found) for place, found in raws.items()},
        tuple(s for s in distinct.values() if is_restless(s.truth)),
    )


# ---- what a rule names


def rules_in(truth: Truth) -> Iterator[Truth]:
    """Yield a rule, those of its cases, and what it proposes."""
    yield truth
    for branch in truth.branches:
        yield from rules_in(branch.truth)
    if truth.propose is not None:
        yield from rules_in(truth.propose)


def expressions_in(truth: Truth, *, frozen: bool = True) -> Iterator[Expression]:
    """Yield every expression of a rule, those of ``freeze`` only on demand."""
    for rule in rules_in(truth):
        yield from (branch.when for branch in rule.branches if branch.when is not None)
        if rule.expr is not None:
            yield rule.expr
        if frozen and rule.freeze is not None and rule.freeze.when is not None:
            yield rule.freeze.when


def names_in(truth: Truth, *, frozen: bool = True) -> set[Name]:
    """Return every name in the expressions of a rule."""
    return {name for expression in expressions_in(truth, frozen=frozen) for name in expression.names}


def is_restless(truth: Truth) -> bool:
    """Return whether a rule may say something else later although nothing moved."""
    stale = any(rule.if_stale != "keep" for rule in rules_in(truth))
    return stale or is_timed(truth)


def is_timed(truth: Truth) -> bool:
    """Return whether a rule asks what time it is."""
    return any(one.timed for one in expressions_in(truth)) or bool(untils_in(truth))


def untils_in(truth: Truth) -> set[int]:
    """Return the moments at which a freeze of a rule ends, microseconds."""
    return {rule.freeze.until for rule in rules_in(truth) if rule.freeze is not None and rule.freeze.kind == "until"}


def asks_the_clock(entity: Entity) -> bool:
    """Return whether records of an entity are to be decided again as time goes by: some expression asks what time it is."""
    makes = (member.create_when for member in entity.members.values())
    rules = (subject.truth for subject in subjects(entity).values())
    return any(one is not None and one.timed for one in makes) or any(
        expression.timed for truth in rules for expression in expressions_in(truth)
    )


def moments(entity: Entity) -> set[int]:
    """Return the moments at which freezes of an entity end."""
    return set[int]().union(*(untils_in(subject.truth) for subject in subjects(entity).values()))


# ---- the order


def dependencies(entity: Entity) -> Mapping[str, set[str]]:
    """Return for each subject those whose golden value must be decided before it. A freeze may read its own field."""
    names = {field: subject.name for field, subject in subjects(entity).items()}
    found: dict[str, set[str]] = {}
    for subject in subjects(entity).values():
        read = {names[n.path] for n in names_in(subject.truth) if n.scope == "golden" and n.path in names}
        always = {names[n.path] for n in names_in(subject.truth, frozen=False) if n.scope == "golden" and n.path in names}
        found[subject.name] = {name for name in read if name != subject.name or name in always}
    return found


def cycle(entity: Entity) -> tuple[str, ...]:
    """Return subjects that wait for each other, each for the next and the last for the first; () if none do."""
    return circle_in(dependencies(entity))


def circle_in(needs: Mapping[str, Collection[str]]) -> tuple[str, ...]:
    """Return a circle in what needs what, () if there is none."""
    done: set[str] = set()

    def search(name: str, way: tuple[str, ...]) -> tuple[str, ...]:
        if name in way:
            return way[way.index(name) :]
        if name in done:
            return ()
        found = next((c for other in sorted(needs.get(name, ())) if (c := search(other, (*way, name)))), ())
        done.add(name)
        return found

    return next((found for name in needs if (found := search(name, ()))), ())


def in_order(needs: Mapping[str, Collection[str]]) -> list[str]:
    """Return the names so that each comes after those it needs, else in the order given; a circle is cut somewhere."""
    placed: dict[str, None] = {}
    begun: set[str] = set()

    def place(name: str) -> None:
        if name in begun:
            return
        begun.add(name)
        for other in sorted(needs.get(name, ())):
            place(other)
        placed[name] = None

    for name in needs:
        place(name)
    return list(placed)


# ---- who follows


def followers(entity: Entity, names: Iterable[str]) -> set[str]:
    """Return the subjects that read these fields, on a platform or in golden."""
    of_field = readers(entity).of_field
    if not of_field:
        return set()
    return set[str]().union(*(of_field.get(name, ()) for name in names))


def raw_followers(entity: Entity, platform: str, paths: Iterable[str]) -> set[str]:
    """Return the subjects that read these paths of a platform's own."""
    of_raw = readers(entity).of_raw
    return set[str]().union(*(of_raw.get((platform, path), ()) for path in paths))


def fields_of(entity: Entity, names: Collection[str]) -> set[str]:
    """Return the fields of these subjects."""
    return {field for field, subject in subjects(entity).items() if subject.name in names} if names else set()
