"""``truth``: who decides a field. The grammar of the rules, compiled into ``core.rules.Truth``."""

from collections.abc import Sequence
from dataclasses import replace

from syncd.config import literals
from syncd.config.cases import Condition, fits_group, fits_proposal, note_unreachable
from syncd.config.constants import constant
from syncd.config.expressions import in_rules, platforms_of, read_condition
from syncd.config.nodes import Block, Entry, Items, Node, Scalar, Span, is_blank, written
from syncd.config.scene import Scene
from syncd.config.section import Section, missing_key, unknown_key
from syncd.config.suggest import near
from syncd.config.truthparts import READERS, Subject, owner_rule, place, read_freeze
from syncd.core.model import Value
from syncd.core.rules import At, Branch, Expression, Truth

RULES = ("owner", "priority", "newest", "merge", "expr", "const", "manual")
OPTIONS = ("if_null", "if_stale", "if_invalid", "stale_after", "freeze")
PARTS = {"newest": ("skew", "tie"), "merge": ("from",), "manual": ("propose", "reviewers")}
BLANKS = ("keep", "clear", "next", "hold")


def read_truth(scene: Scene, entry: Entry, subject: Subject) -> Truth | None:
    """Return the rule under ``truth:``, None after noting what is wrong. Its place is that of the key."""
    if isinstance(entry.value, Items):
        return _cases(scene, entry.value, entry.key.span, subject)
    return _rule(scene, entry.value, entry.key.span, subject)


def _cases(scene: Scene, cases: Items, owner: Span, subject: Subject) -> Truth | None:
    """Read a list of cases; the rule itself if there is only that."""
    if not cases.nodes:
        literals.wrong_type(scene.source, cases, "a rule, or cases with a rule at their end")
    found: list[Branch | None] = []
    read: list[Condition] = []
    for n, node in enumerate(cases.nodes):
        when = node.entries.get("when") if isinstance(node, Block) else None
        read.append(_condition(scene, node, when))
        if when is not None and n == len(cases.nodes) - 1:
            _last_condition(scene, cases, when, subject, [one.when for one in read])
        truth = _rule(scene, _without_when(node), owner, subject)
        found.append(Branch(read[-1].when, truth) if truth else None)
    note_unreachable(scene, read)
    branches = [one for one in found if one is not None]
    if len(branches) < len(found) or not branches:
        return None
    if len(branches) == 1:
        return branches[0].truth
    named = (*(one for branch in branches for one in _named(branch)),)
    return Truth(
        "cases", tuple(dict.fromkeys(named)), branches=tuple(branches), at=At(scene.source.file, owner.line, owner.col)
    )


def _named(branch: Branch) -> tuple[str, ...]:
    """Return the platforms of one case: of its rule, and of its condition."""
    return (*branch.truth.platforms, *(platforms_of(branch.when) if branch.when else ()))


def _condition(scene: Scene, node: Node, when: Entry | None) -> Condition:
    """Return the condition of a case as read."""
    if when is None:
        return Condition(node, None, None)
    if is_blank(when.value):
        literals.wrong_type(scene.source, when.key, "a condition", fix="write  when: EXPRESSION, or leave when: out")
        return Condition(node, when.key, None)
    return Condition(node, when.value, read_condition(scene, when.value, in_rules(scene), "when"))


def _without_when(node: Node) -> Node:
    """Return a case as the rule it is."""
    if not isinstance(node, Block) or "when" not in node.entries:
        return node
    return Block(node.span, node.flow, {key: entry for key, entry in node.entries.items() if key != "when"})


def _last_condition(scene: Scene, cases: Items, when: Entry, subject: Subject, conditions: Sequence[Expression | None]) -> None:
    """Note E221: where the last condition is false too, nobody would decide."""
    neither = "neither case is" if len(cases.nodes) == 2 else "no case is" if len(cases.nodes) > 2 else "it is not"
    known = _undecided(scene, subject, conditions)
    count = f": for {known[0]:,} of {known[1]:,} {scene.name}s today {neither} true" if known else f" where {neither} true"
    case = _without_when(cases.nodes[-1])
    words = getattr(subject.type, "words", ())
    sure = isinstance(case, Block) and case.entries.keys() & {"if_null", "const", "manual"}
    if words and isinstance(case, Block) and not sure:  # the last word of an enum says the least
        bare = f"{written(case)[:-1]}, if_null: {{const: {words[-1]}}}}}"
    else:
        bare = written(case)
    scene.source.error(
        "E221",
        when.key,
        "the last case has a condition",
        hint="then who decides?",
        why=f"{subject.name} would have no rule{count}",
        fix=f"drop the condition:  - {bare}\nor add a last line:  - {{manual: true}}      (send those to the conflict inbox)",
    )


def _undecided(scene: Scene, subject: Subject, conditions: Sequence[Expression | None]) -> tuple[int, int] | None:
    """Return for how many records no condition is true, of how many, if anybody knows."""
    known = scene.evidence.undecided.get((scene.name, subject.name))
    good = [one for one in conditions if one is not None]
    if known is not None or scene.evidence.count is None or len(good) < len(conditions):
        return known
    return scene.evidence.count(scene.name, good)


def _rule(scene: Scene, node: Node, owner: Span, subject: Subject) -> Truth | None:
    if isinstance(node, Scalar):
        return owner_rule(scene, node, At(scene.source.file, owner.line, owner.col), subject)
    if isinstance(node, Items):
        literals.wrong_type(scene.source, node, "a platform or a rule")
        return None
    section = Section(scene.source, node, owner)
    how = [rule for rule in RULES if rule in node.entries]
    if not how:
        _no_rule(section)
        return None
    _known(section, how)
    truth = _manual(scene, section, subject) if how[0] == "manual" else READERS[how[0]](scene, section, subject)
    if truth is None:
        return None
    truth = _with_options(scene, section, truth, subject)
    return truth if not subject.group or fits_group(scene, node, truth) else None


def _no_rule(section: Section) -> None:
    """Note that no key of a mapping says who decides."""
    known = {*OPTIONS, "removals", *(part for parts in PARTS.values() for part in parts)}
    for entry in section.block.entries.values():
        if entry.key.text not in known:
            unknown_key(section.source, entry, RULES, code="E104", what="rule option")
            return
    missing_key(section.source, section.owner, "owner", instead=f"one of {', '.join(RULES)}")


def _known(section: Section, how: list[str]) -> None:
    """Note the keys that do not belong to a rule (E104)."""
    allowed = [*PARTS.get(how[0], ()), *OPTIONS, *(("removals",) if how[0] == "merge" else ())]
    for key, entry in section.block.entries.items():
        if key in how[1:]:
            _second_rule(section, entry, how[0], allowed)
        elif key == "when":
            _no_case(section, entry)
        elif key != how[0] and key not in allowed:
            why = _not_obeyed(section.block, key, allowed)
            section.misspelt.update(unknown_key(section.source, entry, allowed, code="E104", what="rule option", why=why))


def _no_case(section: Section, entry: Entry) -> None:
    """Note a condition outside a list: it would need a second rule for where it is false."""
    rule = written(_without_when(section.block))
    section.source.error(
        "E104",
        entry.key,
        '"when" stands in a list of cases',
        hint="and where it is false?",
        why="a rule with a condition decides nothing where the condition is false",
        fix=f"write  [{written(section.block)}, {{manual: true}}]\nor drop the condition:  {rule}",
    )


def _second_rule(section: Section, entry: Entry, how: str, allowed: list[str]) -> None:
    section.source.error(
        "E104",
        entry.key,
        f'two rules in one: "{how}" and "{entry.key.text}"',
        why="two rules can name two winners",
        fix=f"keep one of them     (allowed beside {how}: {', '.join(allowed)})",
    )


def _not_obeyed(block: Block, key: str, allowed: list[str]) -> str:
    """Return what would have become of an option that is misspelt."""
    said = "an option syncd does not know could not be obeyed"
    whose = _first_platform(block)
    whose = whose.upper() if len(whose) <= 3 else whose
    effect = {
        "if_null": f'{whose} blanks would be treated as "keep"',
        "if_stale": f'stale {whose} values would be treated as "keep"',
        "if_invalid": f'invalid {whose} values would be treated as "hold"',
    }
    meant = next(iter(near(key, allowed)), "")
    return f"{said}: {effect[meant]}" if whose and meant in effect else said


def _first_platform(block: Block) -> str:
    for key in ("owner", "priority", "newest", "from"):
        node = block.get(key)
        if isinstance(node, Items) and node.nodes:
            node = node.nodes[0]
        if isinstance(node, Scalar):
            return node.text
    return ""


def _manual(scene: Scene, section: Section, subject: Subject) -> Truth | None:
    if section.flag("manual") is False:
        key = section.block.key("manual")
        literals.bad_value(scene.source, key, "manual is true, or it is not there", fix="write  manual: true")
    reviewers = _reviewers(scene, section)
    propose = section.block.entries.get("propose")
    if propose is None or is_blank(propose.value):
        return Truth("manual", reviewers=reviewers, at=place(section))
    suggestion = _rule(scene, propose.value, propose.key.span, subject)
    if suggestion is None or not fits_proposal(scene, propose.value, suggestion):
        return None
    return Truth("manual", propose=suggestion, reviewers=reviewers, at=place(section))


def _reviewers(scene: Scene, section: Section) -> tuple[str, ...]:
    """Return the names of the people or teams that are asked."""
    nodes, whole = section.list("reviewers"), section.node("reviewers")
    names = [literals.text(scene.source, node) for node in nodes]
    if isinstance(whole, Items) and not nodes:
        literals.bad_value(scene.source, whole, "must name at least one reviewer", fix="write  reviewers: [NAME], or remove it")
    for node, name in zip(nodes, names, strict=True):
        if name is not None and not name.strip():
            literals.bad_value(scene.source, node, "a reviewer has a name", fix="write  reviewers: [NAME]")
    return tuple(dict.fromkeys(name for name in names if name))


def _with_options(scene: Scene, section: Section, truth: Truth, subject: Subject) -> Truth:
    if_null, value, use = _if_null(scene, section, subject)
    return replace(
        truth,
        if_null=if_null or scene.service.defaults.if_null,
        null_value=value,
        null_use=use,
        if_stale=section.word("if_stale", ("keep", "next", "hold")) or truth.if_stale,
        if_invalid=section.word("if_invalid", ("keep", "next", "hold")) or truth.if_invalid,
        stale_after=section.duration("stale_after"),
        freeze=read_freeze(scene, section),
    )


def _if_null(scene: Scene, section: Section, subject: Subject) -> tuple[str | None, Value, str | None]:
    """Return what becomes of a null: the word, the constant, the platform to use."""
    node = section.node("if_null")
    if not isinstance(node, Block):
        return section.word("if_null", BLANKS), None, None
    inner = Section(scene.source, node, section.block.key("if_null").span)
    inner.known(["const", "use"])
    const, use = node.get("const"), inner.node("use")
    if const is not None and use is not None:
        literals.bad_value(scene.source, node, "either const or use, not both", fix="keep one of them")
    if use is not None:
        name = scene.platform(use, f"{subject.name} would stay blank where its rule finds nothing")
        return ("use", None, name) if name else (None, None, None)
    if const is not None:
        return "const", constant(scene.source, const, subject.type, "const"), None
    if not inner.misspelt:
        missing_key(scene.source, inner.owner, "const", instead="const or use")
    return None, None, None
