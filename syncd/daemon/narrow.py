"""The quick way to foresee what an edit of a few fields does: only what those fields need is read of a record.

It gives what the whole record would give, or ``None`` for "look at the whole". Where nothing but where values come from is
edited, and no rule looks into a value, records of one pattern need not even be decided: the first of them tells of all.
"""

from collections.abc import Collection
from dataclasses import dataclass, field, replace

from syncd.core.case import RAW
from syncd.core.dependencies import names_in, readers
from syncd.core.model import Life, Record
from syncd.core.rules import Entity, Name, Rules, Truth
from syncd.core.space import Space
from syncd.core.subject import subjects
from syncd.daemon.foretell import Foreseen, Outcome, difference, is_same, is_something, outcome, planned
from syncd.daemon.overlay import Edit, meaning, with_dependents
from syncd.ledger.glimpse import LIFE, Glimpse, Pattern, Rows

BLIND = frozenset(
    ("owner", "priority", "newest", "max", "min", "latest", "earliest", "longest", "union", "intersection", "delta", "manual")
)  # how a rule decides that cannot tell one value from another where all say the same


@dataclass(frozen=True, slots=True)
class Side:
    """One set of rules, on entities that have only what the edited fields need.

    ``blind``: its rules do not look into values. ``still``: the patterns of which it is known that deciding changes nothing and
    nobody has anything to be told.
    """

    space: Space
    entity: Entity
    blind: bool
    still: set[Pattern] = field(default_factory=set)

    def decided(self, record: Record, names: frozenset[str], living: Collection[str], pattern: Pattern | None) -> Outcome:
        """Decide these fields of a record, if its pattern does not tell already that they stand."""
        if pattern in self.still:
            return Outcome(record, (), NOBODY)
        found = outcome(self.space, self.entity, record, names, living)
        if self.blind and pattern is not None and is_same(Outcome(record, (), NOBODY), found, names):
            self.still.add(pattern)
        return found


@dataclass(frozen=True, slots=True)
class Narrow:
    """An edit of some fields. ``mild``: only where values come from is edited, so that who has no row of a record is told the
    same as before while golden stays.
    """

    edit: Edit
    names: frozenset[str]
    old: Side
    new: Side
    glimpse: Glimpse
    mild: bool

    def foretell(self, rows: Rows) -> tuple[Record, Foreseen | None] | None:
        """Return what the edit does to a record that nothing waits for, with what was read of it; None: look at the whole."""
        if rows.asked:
            return None
        if rows.record[LIFE] != Life.ALIVE:
            return EMPTY, None  # what becomes of it is no field's rule
        living, unmade = self.platforms(rows)
        if living is None or (unmade and not self.mild):
            return None
        pattern = self.glimpse.pattern(rows) if self.old.blind or self.new.blind else None
        if pattern in self.old.still and pattern in self.new.still:
            return EMPTY, None
        try:
            record = self.glimpse.record(rows)
            found = self.decided(rows, record, living, pattern, unmade=unmade)
        except Exception:  # noqa: BLE001 - it asked for more than was read, or fails in any case: the whole record tells
            return None
        return None if found is LOOK else (record, found)

    def platforms(self, rows: Rows) -> tuple[list[str] | None, bool]:
        """Return on which platforms a record lives (None: it is not for us to say), and whether it might be made on others."""
        entity = self.edit.new
        assert entity is not None
        living, unmade = [], False
        for platform, member in entity.members.items():
            row = rows.shadows.get(platform)
            life = row[LIFE] if row is not None else Life.GONE
            if life == Life.ALIVE:
                living.append(platform)
            elif life == Life.ARCHIVED:
                return None, False
            elif life == Life.GONE:
                unmade = unmade or (member.mode != "observe" and member.abilities.create)
        return living, unmade

    def decided(
        self, rows: Rows, record: Record, living: Collection[str], pattern: Pattern | None, *, unmade: bool
    ) -> Foreseen | None:
        """Return what the edit does, None if nothing; LOOK if more than these fields counts."""
        old, new = self.old, self.new
        before = old.decided(record, self.names, living, pattern)
        after = new.decided(record, self.names, living, pattern)
        if is_same(before, after, self.names):
            return None
        if unmade or not self.glimpse.is_enough(rows):
            return LOOK
        before, after = (planned(s.space, s.entity, one, one.behind) for s, one in ((old, before), (new, after)))
        found = difference(self.edit, before, after)
        return found if is_something(found) else None


EMPTY = Record(0, "", 0)  # of a record of which nothing was read
NOBODY = frozenset[str]()
LOOK = Foreseen(0, "", "")  # look at the whole


def narrowed(edit: Edit, spaces: tuple[Space, Space]) -> Narrow | None:
    """Return the quick way to foresee an edit, None if there is none: anything may come out otherwise."""
    if edit.old is None or edit.new is None or edit.fields is None:
        return None
    if any(member.abilities.whole for member in edit.new.members.values()):
        return None  # the other fields are written along
    names = needed(edit.old, edit.fields) | needed(edit.new, edit.fields)
    old, new = only(edit.old, names), only(edit.new, names)
    raws = any(one.scope.endswith(RAW) for entity in (old, new) for name in names for one in names_of(entity, name))
    before, after = (
        Side(with_rules(space, small), small, is_blind(space, whole, edit.fields))
        for space, small, whole in ((spaces[0], old, edit.old), (spaces[1], new, edit.new))
    )
    glimpse = Glimpse(edit.new, names, edit.fields, raws=raws)
    mild = is_mild(edit.old, edit.new, edit.fields)
    return Narrow(replace(edit, old=old, new=new), edit.fields, before, after, glimpse, mild)


def with_rules(space: Space, entity: Entity) -> Space:
    """Return a working set like this one in which an entity has other rules."""
    return replace(space, rules=Rules(space.rules.sha, {**space.rules.entities, entity.name: entity}))


def only(entity: Entity, names: Collection[str]) -> Entity:
    """Return an entity with these fields alone, in their order; of groups all or nothing is among them."""
    fields = {name: one for name, one in entity.fields.items() if name in names}
    groups = {name: group for name, group in entity.groups.items() if group.fields[0] in names}
    return replace(entity, fields=fields, groups=groups)


# ---- what is needed


def needed(entity: Entity, edited: frozenset[str]) -> set[str]:
    """Return the fields that deciding and planning these ones looks at, with the rest of their groups."""
    restless = {one.name for subject in readers(entity).restless for one in subject.fields}
    found = with_dependents(entity, {*edited, *restless})
    for name in tuple(found):
        found |= {one.path.partition(".")[0] for one in names_of(entity, name)}
    found |= {name for name, one in entity.fields.items() if one.required}
    found.add(entity.label.partition("{")[2].partition("}")[0])
    found |= {one for group in entity.groups.values() if found & set(group.fields) for one in group.fields}
    return found & entity.fields.keys()


def names_of(entity: Entity, name: str) -> set[Name]:
    """Return what the formulas of a field's rule and the conditions on its values name."""
    subject = subjects(entity)[name]
    conditions = [condition for part in subject.fields for condition in part.conditions]
    return names_in(subject.truth) | {one for condition in conditions for one in condition.names}


# ---- what may be concluded without deciding


def is_mild(old: Entity, new: Entity, names: Collection[str]) -> bool:
    """Return whether the edit is only about where values come from, and nothing comes out otherwise by itself."""
    if readers(old).restless or readers(new).restless:
        return False
    return all(meaning(replace(new.fields[n], truth=None)) == meaning(replace(old.fields[n], truth=None)) for n in names)


def is_blind(space: Space, entity: Entity, names: Collection[str]) -> bool:
    """Return whether the rules of these fields cannot tell one value from another where all platforms say the same."""
    if readers(entity).restless:
        return False
    rules = [subjects(entity)[name].truth for name in names]
    return all(is_blind_rule(truth) and not (space.touches and truth.how == "newest") for truth in rules)


def is_blind_rule(truth: Truth) -> bool:
    """Return whether a rule only asks who says something, not what."""
    looks = truth.propose is not None or (truth.freeze is not None and truth.freeze.when is not None)
    return truth.how in BLIND and not looks
