"""What golden must be under the rules of ``mixed_rules``, told from what the shadows know, in other words than the core's.

After every single decision each field is judged again: it must have the value that its rule gives, or be in conflict where its
rule asks a person, or stand as it stood. So whatever moves a field's inputs must lead to its decision, in whatever order.
"""

from dataclasses import dataclass, field
from typing import Any, NamedTuple

from syncd.core.model import Known, Life, Record, ShadowField, Word
from syncd.core.space import Space
from tests.core.mixed_rules import CONDITIONS, CONSTANT, FORMULAS, NAMED, REFUSED, UNTIL, Look, Rule, Untold
from tests.core.world_daemon import Breach

GROUP = ("g1", "g2")
ABSENT = object()
FREE = "free"  # what is folded, or at war, is judged by other laws


class Voice(NamedTuple):
    """What a platform says of a field, or of the group as a tuple."""

    platform: str
    value: Any
    own: bool
    null: bool
    cleared: bool
    invalid: bool
    stale: bool
    lo: int
    hi: int
    doubtful: bool = False

    @property
    def good(self) -> bool:
        return self.own and not self.null and not self.invalid


class Stood(NamedTuple):
    """Golden of a field, or of the group, before a decision."""

    value: Any
    lo: int
    hi: int
    who: str | None
    provisional: bool


class Verdict(NamedTuple):
    """``do``: take, stay, hold or free. ``times`` is the interval that a taken value has, None where any will do."""

    do: str
    value: Any = None
    who: str | None = None
    times: tuple[int, int] | None = None


STAY, HOLD = Verdict("stay"), Verdict("hold")


@dataclass(slots=True)
class Judge:
    """Judges one field of one record, knowing how its golden ``stood``."""

    world: Any
    space: Space
    record: Record
    name: str
    stood: Stood | None
    names: tuple[str, ...] = field(init=False)

    def __post_init__(self) -> None:
        self.names = GROUP if self.name == "g" else (self.name,)

    # ---- what is there to see

    def known(self, platform: str, name: str) -> ShadowField | None:
        shadow = self.record.shadows.get(platform)
        return shadow.fields.get(name) if shadow is not None and shadow.life is Life.ALIVE else None

    def voices(self) -> list[Voice]:
        """Return what each platform says, in the order of ``in:``."""
        found = []
        for platform, place in self.world.platforms.items():
            parts = [self.known(platform, n) for n in self.names]
            known = [k for k in parts if k is not None and k.known is not Known.NEVER]
            if len(known) == len(self.names):
                found.append(self.voice(platform, known, stale=place.stale))
        return found

    def voice(self, platform: str, known: list[ShadowField], *, stale: bool) -> Voice:
        late, values = max(known, key=lambda k: k.hi), tuple(k.means for k in known)
        null = all(k.means is None or k.known is Known.NULL for k in known)
        return Voice(
            platform,
            values if self.name == "g" else values[0],
            any(k.word is Word.OWN or k.known is Known.INVALID for k in known),
            null,
            any(k.cleared for k in known) and (null or self.name != "g"),
            any(k.known is Known.INVALID for k in known),
            stale,
            late.lo,
            late.hi,
            self.doubtful(platform, late.hi),
        )

    def doubtful(self, platform: str, at: int) -> bool:
        """Whether a time of a platform is one at which all its rows were touched."""
        offset, unsure = self.world.clocks.get(platform, (0, 0))
        return any(t.lo - unsure <= at + offset <= t.hi + unsure for t in self.world.touches.get((platform, "things"), ()))

    def look(self, passed: frozenset[str] = frozenset()) -> Look:
        def look(name: str) -> Any:
            found = self.operand(name, passed)
            return None if found is ABSENT else found

        return look

    def operand(self, name: str, passed: frozenset[str]) -> Any:
        """Return what a name in an expression stands for."""
        scope, _, path = name.rpartition(".")
        if scope == "golden":
            golden = self.record.golden.get(path)
            if path == self.name:
                return ABSENT if self.stood is None or self.stood.who is None else self.stood.value
            return ABSENT if golden is None or golden.who is None else golden.value
        platform = scope.removesuffix(".raw")
        shadow = self.record.shadows.get(platform)
        if shadow is None or shadow.life is not Life.ALIVE or platform in passed:
            return ABSENT
        if scope.endswith(".raw"):
            return shadow.raws.get(path, ABSENT)
        known = shadow.fields.get(path)
        if known is None or known.word is not Word.OWN or known.known in (Known.NEVER, Known.INVALID):
            return ABSENT
        return None if known.known is Known.NULL else known.means

    # ---- the rule in force

    def verdict(self, rule: Rule) -> Verdict:
        if any(k.flips >= 3 for p in self.world.platforms for n in self.names if (k := self.known(p, n)) is not None):
            return Verdict(FREE)
        ruling = self.ruling(rule)
        if ruling.do in ("stay", "take") and self.under_review() and not (ruling.do == "take" and self.is_new(ruling.value)):
            return HOLD
        return ruling

    def ruling(self, rule: Rule) -> Verdict:
        try:
            rule = self.in_force(rule, self.space.now)
            if self.frozen(rule):
                return STAY
        except Untold:
            return HOLD
        if rule.how in ("delta", "union", "intersection"):
            return Verdict(FREE)
        return getattr(self, f"by_{rule.how}")(rule)

    def in_force(self, rule: Rule, now: int) -> Rule:
        if rule.how != "cases":
            return rule
        return next(one for when, one in rule.cases if not when or CONDITIONS[when](self.look(), now))

    def frozen(self, rule: Rule) -> bool:
        stood, how = self.stood, rule.freeze
        if not how or stood is None or stood.who is None or stood.provisional:
            return False
        if how == "after_first":
            return any(v is not None for v in stood.value) if self.name == "g" else stood.value is not None
        return how == "always" or (self.space.now < UNTIL if how == "until" else CONDITIONS[how](self.look(), self.space.now))

    def is_new(self, value: Any) -> bool:
        now = stood_of(self.record, self.name)
        return now is None or now.value != value

    def under_review(self) -> bool:
        for platform in self.record.shadows:
            for name in self.names:
                shadow, golden = self.record.shadows[platform].fields.get(name), self.record.golden.get(name)
                if shadow is None or not shadow.review or shadow.kept is None:
                    continue
                if golden is not None and golden.value == shadow.kept[0]:
                    return True
        return False

    # ---- the rules

    def voices_of(self, rule: Rule) -> list[Voice]:
        said = {v.platform: v for v in self.voices()}
        return [said[p] for p in rule.platforms if p in said]

    def by_const(self, _: Rule) -> Verdict:
        return Verdict("take", CONSTANT, "rule", (0, 0))

    def by_owner(self, rule: Rule) -> Verdict:
        voice = next(iter(self.voices_of(rule)), None)
        if voice is None or not voice.own:
            return self.first_contact()
        return self.until_spoken(rule, voice, self.asked(rule, voice) or STAY)

    def by_priority(self, rule: Rule) -> Verdict:
        own = (v for v in self.voices_of(rule) if v.own)
        return next((self.until_spoken(rule, v, said) for v in own if (said := self.asked(rule, v)) is not None), STAY)

    def first_contact(self) -> Verdict:
        """Until a source has spoken, the first own word of anybody stands (R35)."""
        first = next((v for v in self.voices() if v.good), None)
        silent = self.stood is None or self.stood.who is None or self.stood.provisional
        return taken(first) if silent and first is not None else STAY

    def until_spoken(self, rule: Rule, voice: Voice, said: Verdict) -> Verdict:
        waits = voice.stale and rule.if_stale == "hold"
        return self.first_contact() if said.do == "stay" and not waits else said

    def asked(self, rule: Rule, voice: Voice) -> Verdict | None:
        """Return what one source's word leads to; None: ask the next."""
        if voice.stale and rule.if_stale != "keep":
            return STAY if rule.if_stale == "hold" else None
        if voice.invalid:
            return {"hold": HOLD, "keep": STAY, "next": None}[rule.if_invalid]
        return self.blank(rule, voice) if voice.null else taken(voice)

    def blank(self, rule: Rule, voice: Voice) -> Verdict | None:
        match rule.if_null:
            case "next":
                return None
            case "hold":
                return HOLD
            case "const":
                return Verdict("take", CONSTANT, "rule", (voice.lo, voice.hi))
            case "use":
                return next((taken(v) for v in self.voices() if v.platform == "b" and v.good), STAY)
            case "clear" if voice.cleared:
                return taken(voice)
        return STAY

    def heard(self, rule: Rule) -> list[Voice] | Verdict:
        """Return the sources of a merge that count, or what they lead to before anything is weighed."""
        said = self.voices_of(rule)
        if rule.if_invalid == "hold" and any(v.invalid for v in said):
            return HOLD
        said = [v for v in said if v.own]
        if rule.if_stale == "hold" and any(v.stale for v in said):
            return STAY
        if rule.if_null == "hold" and any(v.null for v in said):
            return HOLD
        return [v for v in said if not v.invalid and (rule.if_stale == "keep" or not v.stale)]

    def nobody(self, rule: Rule, said: list[Voice]) -> Verdict:
        empty = next((v for v in said if v.null), None)
        return (self.blank(rule, empty) if empty else None) or STAY

    def by_longest(self, rule: Rule) -> Verdict:
        said = self.heard(rule)
        if isinstance(said, Verdict):
            return said
        full = [v for v in said if not v.null]
        return taken(max(full, key=lambda v: len(v.value))) if full else self.nobody(rule, said)

    def by_newest(self, rule: Rule) -> Verdict:
        said = self.heard(rule)
        if isinstance(said, Verdict):
            return said
        edits = [v for v in said if not v.null or (v.cleared and rule.if_null in ("clear", "const", "use"))]
        edits += self.standing(rule, edits)
        if not edits:
            return self.nobody(rule, said)
        sound = [v for v in edits if not v.doubtful]
        edits = sound or [v._replace(lo=0) if v.lo == v.hi else v for v in edits]
        best = max(edits, key=lambda v: (v.hi, v.lo))
        ticks = (self.world.platforms[v.platform].able.tick for v in edits if v.platform in self.world.platforms)
        apart = self.world.setup.skew * 1_000_000 + max(ticks, default=0)
        rivals = [v for v in edits if v.platform != best.platform and v.value != best.value and best.lo - v.hi <= apart]
        if rivals:
            best = next((v for p in rule.tie for v in (*rivals, best) if v.platform == p), None)
        if best is None:
            return HOLD
        if best.null and rule.if_null in ("const", "use"):
            return self.blank(rule, best) or STAY
        equals = sum(v.value == best.value for v in edits) > 1
        return taken(best)._replace(**({"who": None, "times": None} if equals else {}))

    def standing(self, rule: Rule, edits: list[Voice]) -> list[Voice]:
        """Return golden as a candidate, unless its author speaks for itself, or it stands for a blank."""
        stood = self.stood
        if stood is None or stood.who is None or any(v.platform == stood.who for v in edits):
            return []
        if stood.who == "rule" and rule.if_null == "const" and stood.value == CONSTANT:
            return []
        if stood.who == "b" and rule.if_null == "use" and "b" not in rule.platforms:
            return []
        shadow = self.record.shadows.get(stood.who)
        doubt = shadow is not None and self.doubtful(stood.who, stood.hi)
        null = stood.value is None
        return [Voice(stood.who, stood.value, True, null, False, False, False, stood.lo, stood.hi, doubt)]

    def by_expr(self, rule: Rule) -> Verdict:
        late = frozenset(n[0] for n in NAMED[rule.text] if n[0] in self.world.platforms and self.world.platforms[n[0]].stale)
        late = late - {"g"} if rule.if_stale != "keep" else frozenset()
        if late and rule.if_stale == "hold":
            return STAY
        if all(self.operand(name, late) is ABSENT for name in NAMED[rule.text]):
            return STAY
        try:
            value = FORMULAS[rule.text](self.look(late))
        except Untold:
            return HOLD
        if value == REFUSED and self.world.setup.checked and self.name == "x":
            return HOLD if rule.if_invalid == "hold" else STAY
        return self.no_result(rule) if value is None else Verdict("take", value, "rule")

    def no_result(self, rule: Rule) -> Verdict:
        match rule.if_null:
            case "hold":
                return HOLD
            case "const":
                return Verdict("take", CONSTANT, "rule")
            case "use":
                return next((taken(v) for v in self.voices() if v.platform == "b" and v.good), STAY)
            case "clear" if self.stood is not None and self.stood.who == "rule" and not self.stood.provisional:
                return Verdict("take", None, "rule")
        return STAY


def taken(voice: Voice) -> Verdict:
    return Verdict("take", voice.value, voice.platform, (voice.lo, voice.hi))


# ---- after every decision


def stood_of(record: Record, name: str) -> Stood | None:
    """Return golden of a field, or of the group, as it stands."""
    parts = [record.golden.get(n) for n in (GROUP if name == "g" else (name,))]
    lead = parts[0]
    if lead is None or any(p is None for p in parts):
        return None
    values = tuple(p.value for p in parts if p is not None)
    return Stood(values if name == "g" else copied(values[0]), lead.lo, lead.hi, lead.who, lead.provisional)


def copied(value: Any) -> Any:
    return list(value) if isinstance(value, list) else value


def judge_decision(world: Any, space: Space, record: Record, before: dict[str, Stood | None]) -> None:
    """Compare what was decided with what the rules say; ``before`` is how golden stood. Raises Breach."""
    checked = record.golden.get("x") if world.setup.checked else None
    if checked is not None and checked.value == REFUSED:
        raise Breach("L6: an invalid value became golden")
    for name, rule in world.setup.mix:
        if name != "g" and name not in world.setup.fields:
            continue
        judge = Judge(world, space, record, name, before.get(name))
        said, now = judge.verdict(rule), stood_of(record, name)
        if said.do == FREE:
            continue
        if (said.do == "hold") is not (name in record.conflicts):
            raise Breach(f"{name}: the rule says {said}, conflict {record.conflicts.get(name)}")
        if said.do == "take":
            judge_taken(name, said, now)
        elif said.do == "stay" and (now.value if now else None) != (judge.stood.value if judge.stood else None):
            raise Breach(f"{name} must stay {judge.stood}, is {now}")


def judge_taken(name: str, said: Verdict, now: Stood | None) -> None:
    if now is None or now.value != said.value:
        raise Breach(f"{name} must be {said}, is {now}")
    if said.times is not None and (now.lo, now.hi) != said.times:
        raise Breach(f"{name} must be of {said.times}, is {now}")
    if said.who is not None and now.who != said.who:
        raise Breach(f"{name} must be by {said.who}, is {now}")
