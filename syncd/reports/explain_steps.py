"""The steps from what was said to what is stored where, each with a code that stays the same (``docs/explain.md``)."""

from collections.abc import Iterator, Mapping

from syncd.core.case import Case, Look, Vote
from syncd.core.computed import Failed, is_so
from syncd.core.force import in_force
from syncd.core.inputs import named
from syncd.core.model import FieldChange, GoldenField, Known
from syncd.core.native import ABSENT
from syncd.core.rederive import case_again
from syncd.core.resolve import case_of, jump
from syncd.core.rules import Branch, Check, Expression, FieldType, Truth
from syncd.core.subject import Subject
from syncd.core.truth import Kind, judge
from syncd.core.waits import WAITS
from syncd.ledger.history import Decided
from syncd.reports import figures
from syncd.reports.explain_writes import Step, clock, write_steps
from syncd.reports.facts import Facts, says_new
from syncd.reports.outline import FieldLine, PlatformLine

NUMBERS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
FOLDED = ("union", "intersection", "delta")


def steps(facts: Facts, line: FieldLine, platforms: Mapping[str, PlatformLine]) -> Iterator[Step]:
    """Yield each step from what was said to what is stored where."""
    golden = facts.record.golden.get(line.name)
    decided = facts.decided.get(line.name)
    yield from _names(facts)
    if golden is None or golden.who is None:
        yield Step("silent", "nobody who is mapped has said a value yet", "golden has none")
    else:
        yield _changed(facts, line)
        yield from _rule_steps(facts, line, golden, decided)
    yield from _orphans(facts, line)
    yield from _waits_for_person(facts, line)
    yield from _strays(facts, line, golden)
    yield from write_steps(facts, line, golden, platforms)


def _names(facts: Facts) -> Iterator[Step]:
    """Yield what the record was called before, and the records that became one with it."""
    for one in facts.names:
        yield Step("named", f"{facts.record.entity} {figures.plain(one.name)} is this record too", figures.plain(one.why))


def _changed(facts: Facts, line: FieldLine) -> Step:
    before = facts.before(line.name)
    saying = [name for name in line.ways if says_new(facts.record, line.name, name, before)]
    since = f" since version {before.version}" if before else ""
    if len(saying) > 1:
        return Step("changed", f"{_number(len(saying))} platforms changed it{since}", "so the rule decides")
    if not saying:
        return Step("changed", f"no platform changed it{since}", "the rule decides alone")
    return Step("changed", f"{saying[0]} changed it{since}", "one word to weigh")


def _number(count: int) -> str:
    return NUMBERS[count] if count < len(NUMBERS) else str(count)


# ---- the rule


def _rule_steps(facts: Facts, line: FieldLine, golden: GoldenField, decided: Decided | None) -> Iterator[Step]:
    subject = facts.ruled.subject(line.name) if facts.ruled else None
    change = next((one for one in decided.decision.fields if one.name == line.name), None) if decided else None
    if facts.ruled and subject and not subject.plain:
        force = in_force(facts.ruled.space, facts.record, subject)
        if force.frozen:
            why = _frozen(force.frozen, force.truth)
            yield Step("frozen", f"{why}{_since(facts, golden)}", "golden stays; other edits are stray")
    if golden.ruled is not None or golden.who == "person":
        why = "a person decided; it stands until a platform says something else"
        yield Step("person", why, figures.value(golden.value))
        return
    if subject is None or change is None or decided is None or not (change.inputs or change.given):
        yield Step("rule", _short(line, change), figures.value(golden.value))
        return
    yield from _derived(subject, change, _case(facts, subject, golden, decided, change))


def _frozen(why: str, truth: Truth) -> str:
    """Return why golden stands, with the date if there is one."""
    if truth.freeze is None or truth.freeze.kind != "until":
        return why
    return f"frozen until {figures.moment(figures.stamp(truth.freeze.until))}"


def _since(facts: Facts, golden: GoldenField) -> str:
    made = next((one.at for one in facts.versions if one.version == golden.version), None)
    return f", since version {golden.version}" + (f" of {clock(made, facts.moment)}" if made else "")


def _short(line: FieldLine, change: FieldChange | None) -> str:
    """Return the rule where no more is known than what was decided."""
    rule = f"truth {line.strategy} {', '.join(line.platforms)}".rstrip()
    if change is None:
        return rule
    said = change.who if change.who not in (None, "rule") else "the rule"
    why = "" if change.why in ("", change.rule) else f": {change.why}"
    return f"{rule}: {said} has the word{why}"


def _case(facts: Facts, subject: Subject, golden: GoldenField, decided: Decided, change: FieldChange) -> Case:
    """Return what the rule looked at: what was recorded with the decision, or what there is now if the rule is a later one and
    that would not give this golden.
    """
    case = case_again(subject, change, decided.decision.at)
    if facts.ruled is None or decided.config == facts.ruled.space.rules.sha or "fold" in change.given:
        return case
    ruling = judge(case)
    if ruling.kind is Kind.TAKE and ruling.who == golden.who:
        return case
    return case_of(facts.ruled.space, facts.record, subject)


def _derived(subject: Subject, change: FieldChange, case: Case) -> Iterator[Step]:
    """Yield the steps of a decision derived again from what it looked at."""
    truth = subject.truth
    number = 0
    while truth.how == "cases":
        for branch in truth.branches:
            number += 1
            said, chosen = _asked(branch, case, number)
            yield said
            if chosen:
                truth = branch.truth
                break
    together = "" if subject.single else f" for {' and '.join(field.name for field in subject.fields)} together"
    yield Step("rule", f"truth {_weighed(truth, case, change)}{together}", figures.value(change.after))
    yield from _checks(subject, change)


def _asked(branch: Branch, case: Case, number: int) -> tuple[Step, bool]:
    """Return the step of one case, and whether it is the one that decides."""
    rule = f"{branch.truth.how} {', '.join(branch.truth.platforms)}".rstrip()
    if branch.when is None:
        return Step("case", f"case {number}, no condition", f"so {rule} decides"), True
    text = f"case {number} when {branch.when.text}{_values(branch.when, case.look)}"
    try:
        true = is_so(branch.when, case.look, case.now)
    except Failed as error:
        return Step("case", text, f"cannot be told: {error}"), True
    return Step("case", text, f"true: {rule} decides" if true else "false"), true


def _values(expression: Expression, look: Look) -> str:
    """Return what the names of a formula stood for."""
    values = [f"{named(name)} is {_operand(look(name))}" for name in expression.names]
    return f" ({', '.join(values)})" if values else ""


def _operand(value: object) -> str:
    if value is ABSENT:
        return "not there"
    if isinstance(value, tuple):
        return ", ".join(_operand(one) for one in value) or "(empty)"
    return "null" if value is None else figures.value(value if isinstance(value, (bool, int, str)) else str(value))


def _weighed(truth: Truth, case: Case, change: FieldChange) -> str:
    """Return the rule with what it looked at."""
    fold = change.given.get("fold")
    if fold:
        return (
            f"merge {truth.how}: {fold['platform']} said {figures.value(fold['value'])}, had {figures.value(fold.get('raw'))}"
        )
    if truth.expr is not None:
        return f"expr {truth.expr.text}{_values(truth.expr, case.heard)}"
    name = f"{'' if truth.how in ('owner', 'priority', 'newest', 'const') else 'merge '}{truth.how}"
    known = {vote.platform: vote for vote in case.others}
    mark = ":" if len(truth.platforms) == 1 else ""
    words = [f"{p}{mark} {_vote(truth, known.get(p), case.now)}" for p in truth.platforms]
    why = "" if change.why == change.rule else f"; {change.why}"
    return f"{name} {'; '.join(words)}".rstrip() + why


def _vote(truth: Truth, vote: Vote | None, now: int) -> str:
    """Return what a platform said, how old that was, and how old it may be."""
    if vote is None or not (vote.own or vote.invalid):
        return "said nothing of its own"
    if vote.invalid:
        return f"is invalid ({vote.reason})"
    state = "stale" if vote.stale else "empty" if vote.null else "has a value"
    if vote.suspended:
        return vote.suspended.partition(": ")[2]
    words = [state if state == "has a value" else f"is {state}"]
    if vote.hi:
        words.append(f"{figures.span(max(now - vote.hi, 0) / figures.SECOND)} old")
    if truth.stale_after:
        words.append(f"limit {figures.span(truth.stale_after / figures.SECOND)}")
    return ", ".join(words) if len(truth.platforms) == 1 else " ".join(words[:2])


def _checks(subject: Subject, change: FieldChange) -> Iterator[Step]:
    """Yield what the field's checks said of the value that was taken."""
    field = next(field for field in subject.fields if field.name == change.name)
    if change.after is None or change.who == "person":
        return
    words = [f"{check.name} {_setting(check)}".rstrip() + ": ok" for check in field.checks]
    if field.max_step is not None and subject.single:
        words.append(f"max_step {field.max_step:.0%}: {_moved(field.type, change)}")
    if words:
        yield Step("check", f"check {'.  '.join(words)}", "accepted")


def _setting(check: Check) -> str:
    setting = getattr(check, "setting", None)
    return "" if setting is None or setting is True else figures.value(figures.exact(setting))


def _moved(kind: FieldType, change: FieldChange) -> str:
    golden = change.given.get("golden")
    if not golden or golden.get("provisional") or golden["value"] is None:
        return "first value, free"
    old, new = kind.number(golden["value"]), kind.number(change.after)
    if old == 0:
        return "from 0, free"
    share = (new - old) / abs(old)
    return f"{'+' if share >= 0 else '-'}{jump(old, new) if abs(share) >= 1 else f'{abs(share):.1%}'}, ok"


# ---- what waits, and what strayed


def _waits_for_person(facts: Facts, line: FieldLine) -> Iterator[Step]:
    names = {line.name, line.group}
    conflict = next((one for one in facts.conflicts if one.field in names), None)
    if conflict:
        yield Step("held", conflict.why, f"held as c-{conflict.id}: golden stays")
    elif (identity := next((one for one in facts.conflicts if one.kind == "identity"), None)) is not None:
        yield Step("identity", identity.why, f"c-{identity.id} waits for a person")


def _orphans(facts: Facts, line: FieldLine) -> Iterator[Step]:
    """Yield what a reference waits for, on each platform that names a thing which is no record yet."""
    for name, shadow in facts.record.shadows.items():
        known = shadow.fields.get(line.name)
        if known is not None and known.known is Known.INVALID and known.reason.startswith(WAITS):
            yield Step("orphan", f"{name} {figures.plain(known.reason)}", "golden stays until that is a record")


def _strays(facts: Facts, line: FieldLine, golden: GoldenField | None) -> Iterator[Step]:
    """Yield the stray edits that this value met, the last of each platform."""
    version = golden.version if golden else 0
    found = {one.platform: one for at, one in facts.strays if one.field == line.name and at >= version}
    verb = "own" if line.strategy == "owner" else "decide"
    for stray in found.values():
        text = f"{stray.platform} differs and does not {verb} {line.name}: {figures.value(stray.value)}"
        yield Step("stray", text, f"stray_edits: {stray.action}")
