"""A desk to try rules on by hand: a few fields on a few platforms, looks laid before the decider, and what came of it.

The platforms are a, b and c unless told otherwise; every field is mapped by its own name; things are called by their platform.
"""

from dataclasses import replace
from typing import Any

from syncd.core import conclude, decide, plan, receipt
from syncd.core.equality import parse_equality
from syncd.core.mapping import parse_path
from syncd.core.model import (
    SECOND,
    Abilities,
    Answer,
    Attempt,
    Change,
    GoldenField,
    Receipt,
    Record,
    ShadowField,
    Via,
    Write,
)
from syncd.core.rules import Deletes, Entity, Field, FieldMap, Group, Match, Member, Rules, Truth
from syncd.core.space import Space
from syncd.core.values import parse_type

ABC = ("a", "b", "c")
GOOD = Abilities(guard=True, ordered=True, contiguous=True, answers=True)
KEY = Field(
    "k",
    parse_type("string"),
    Truth("owner", ("a",)),
    {p: FieldMap("k", ("k",)) for p in ABC},
    parse_equality("exact"),
    required=True,
)


def owner(platform: str = "a", **options: Any) -> Truth:
    return Truth("owner", (platform,), **options)


def rule(how: str, *platforms: str, **options: Any) -> Truth:
    return Truth(how, platforms or ABC, **options)


def a_field(
    name: str = "f", truth: Truth | None = None, kind: Any = "string", *, platforms: tuple[str, ...] = ABC, **options: Any
) -> Field:
    """Return a field mapped by its own name. ``equal`` names the equality, ``way`` its direction on single platforms."""
    way = options.pop("way", {})
    equal = parse_equality(options.pop("equal", "exact"))
    maps = {p: FieldMap(name, parse_path(name), direction=way.get(p, "both")) for p in platforms}
    maps.update(options.pop("maps", {}))
    truth = owner() if truth is None and "group" not in options else truth
    return Field(name, parse_type(kind), truth, maps, equal, **options)


def a_member(platform: str, able: Abilities = GOOD, **options: Any) -> Member:
    options = {"mode": "enforce", "create": True, "unmatched": "create", "guard": "version"} | options
    return Member(platform, "things", able, **options)


class Desk:
    """One entity with its working set. ``now`` and ``number`` move on with every look."""

    def __init__(
        self,
        *fields: Field,
        members: tuple[Member, ...] = (),
        groups: tuple[Group, ...] = (),
        deletes: Deletes = Deletes(),  # noqa: B008 - it cannot be changed
        matches: tuple[Match, ...] = (),
    ) -> None:
        by_key = Match(("k",), lambda value: value, text="k")
        known = {m.platform: m for m in (*(a_member(p) for p in ABC), *members)}
        self.entity = Entity(
            "thing",
            "k",
            {f.name: f for f in (KEY, *fields)},
            known,
            matches or (by_key,),
            {g.name: g for g in groups},
            deletes,
        )
        self.numbers = 0
        self.versions = dict.fromkeys(known, 0)
        self.space = Space(Rules("0", {"thing": self.entity}), 1000 * SECOND, self.number)

    def number(self) -> int:
        self.numbers += 1
        return self.numbers

    # ---- looks

    def change(self, platform: str, item: dict | None = None, **options: Any) -> Change:
        """Return a whole read of K on a platform, one second later and one version on, unless told otherwise."""
        self.space.now += SECOND
        self.versions[platform] += 1
        whole = None if item is None else {"k": "K"} | item
        plain = {"version": self.versions[platform], "changed_at": self.space.now}
        options = plain | options
        native = options.pop("id", platform.upper())
        via, as_of = options.pop("via", Via.READ), options.pop("as_of", None)
        as_of = self.number() if as_of is None else as_of
        return Change(platform, "things", native, via, as_of, self.space.now, whole, **options)

    def look(self, platform: str, *, how: dict[str, Any] | None = None, **values: Any) -> decide.Said:
        """Lay a look before the decider. ``how`` has what is special about it."""
        return decide.observe(self.space, self.change(platform, values, **(how or {})))

    def gone(self, platform: str, **options: Any) -> decide.Said:
        options = {"gone": True, "version": None} | options
        return decide.observe(self.space, self.change(platform, options.pop("item", None), **options))

    # ---- what came of it

    @property
    def record(self) -> Record:
        return self.space.records[1]

    def golden(self, name: str = "f") -> Any:
        found = self.record.golden.get(name)
        return found.value if found else None

    def golden_field(self, name: str = "f") -> GoldenField:
        return self.record.golden[name]

    def known(self, platform: str, name: str = "f") -> ShadowField:
        return self.record.shadows[platform].fields[name]

    def why(self, name: str = "f") -> str:
        """Return why the field's conflict is open, or ''."""
        found = self.record.conflicts.get(name)
        return found.why if found else ""

    def plan(self, platform: str, **options: Any) -> plan.Plan:
        return plan.plan(self.space, self.record, platform, **options)

    def sent(self, platform: str) -> dict[str, Any]:
        """Return what a platform would be told now."""
        write = self.plan(platform).write
        return dict(write.sent) if write else {}

    def revise(self) -> None:
        conclude.revise(self.space, self.record, "asked")

    def rules(self, **options: Any) -> None:
        """Change the entity's rules."""
        self.entity = replace(self.entity, **options)
        self.space.rules = Rules("1", {"thing": self.entity})

    # ---- writes

    def swept(self, *platforms: str) -> None:
        for platform in platforms or ABC:
            self.space.swept[platform, "things"] = self.number()

    def attempt(self, platform: str, write: Write | None = None) -> Attempt:
        """Journal what would be sent."""
        write = write or self.plan(platform).write
        assert write is not None
        shadow = self.record.shadows.get(platform)
        raws = {n: shadow.fields[n].raw for n in write.sent if shadow and n in shadow.fields} if write.id else {}
        self.space.in_flight.add((self.record.id, platform))
        end = self.space.now + self.entity.members[platform].abilities.lifetime
        return Attempt(self.number(), write, self.number(), self.space.now, end, raws)

    def answer(self, platform: str, attempt: Attempt | None = None, **stored: Any) -> decide.Said:
        """Send what is planned; the platform answers with a body in which these values are stored in another way."""
        attempt = attempt or self.attempt(platform)
        item = {n: stored.get(n, v) for n, v in attempt.write.sent.items()} | stored
        look = self.change(platform, item)
        return receipt.settle(
            self.space, attempt, Receipt(Answer.DONE, platform.upper(), look, atomic=True, version=look.version)
        )

    def write_all(self, *platforms: str) -> None:
        """Tell platforms what they should hold; they store it as sent."""
        for platform in platforms or ABC:
            if self.plan(platform).write is not None:
                self.answer(platform)


def desk(*fields: Field, **options: Any) -> Desk:
    return Desk(*(fields or (a_field(),)), **options)
