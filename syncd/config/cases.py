"""Cases of a truth: those that are never reached (E222), and rules that cannot stand where they are written (E223)."""

from collections.abc import Sequence
from dataclasses import dataclass

from syncd.config.conditions import constant, covered, implies
from syncd.config.nodes import Block, Node
from syncd.config.scene import Scene
from syncd.core.rules import Expression, Truth

FOLDED = ("union", "intersection", "delta")  # they move golden when a change is seen, and have no value to suggest
NOT_FOR_GROUPS = ("expr", "const", "union", "intersection", "delta", "sum", "any", "all", "longest")
FIRST_TRUE = "the first case that is true wins"


@dataclass(frozen=True, slots=True)
class Condition:
    """The condition of one case. ``where`` is None without one; ``when`` also if it has errors."""

    node: Node
    where: Node | None
    when: Expression | None


def note_unreachable(scene: Scene, cases: Sequence[Condition]) -> None:
    """Note E222 for every case that can never decide; what follows one that always decides is told once."""
    for n, case in enumerate(cases):
        always = _always(cases[: n + 1])
        if always and n < len(cases) - 1:
            _never_reached(scene, cases[n + 1].node, *always)
            return
        if case.when is not None and case.where is not None:
            _decided_before(scene, cases[:n], case.when, case.where)


def _always(cases: Sequence[Condition]) -> tuple[str, str] | None:
    """Return how and why the last of these cases leaves nothing to those behind it, if it does."""
    last = cases[-1]
    line = last.node.span.line
    if last.where is None:
        return f"line {line} always decides", f"{FIRST_TRUE}, and the one before it has no condition"
    if last.when is None:
        return None
    if constant(last.when):
        return f"line {line} always decides", f"{FIRST_TRUE}, and the condition of the one before it is always true"
    conditions = [case.when for case in cases if case.when is not None]
    if covered(conditions) == len(conditions) - 1:
        return f"line {line} decides what is left", f"{FIRST_TRUE}, and one of those before it always is"
    return None


def _decided_before(scene: Scene, earlier: Sequence[Condition], when: Expression, where: Node) -> None:
    """Note E222 for a condition that is never true, or never true where no earlier one is."""
    if constant(when) is False:
        scene.source.error(
            "E222",
            where,
            "this case is never reached",
            hint="never true",
            why=f"{FIRST_TRUE}, and this one cannot be",
            fix="remove it, or give it a condition that can be true",
        )
        return
    before = next((one for one in earlier if one.when is not None and implies(when, one.when)), None)
    if before is None or before.when is None or before.where is None or constant(before.when) is False:
        return
    line, same = before.where.span.line, implies(before.when, when)
    scene.source.error(
        "E222",
        where,
        "this case is never reached",
        hint=f"line {line} has the same condition" if same else f"line {line} is true whenever this is",
        why=f"{FIRST_TRUE}: where this condition is true, line {line} has decided already",
        fix="remove it, or change its condition" if same else "move it before that line, or remove it",
    )


def _never_reached(scene: Scene, node: Node, hint: str, why: str) -> None:
    fix = "remove it, or move the case without a condition to the end"
    if "no condition" not in why:
        fix = "remove it, or correct the conditions before it"
    scene.source.error("E222", node, "this case is never reached", hint=hint, why=why, fix=fix)


def fits_proposal(scene: Scene, node: Node, truth: Truth) -> bool:
    """Return whether a rule can suggest a value; notes E223."""
    if truth.how not in (*FOLDED, "manual"):
        return True
    what = "manual" if truth.how == "manual" else f"merge: {truth.how}"
    _misplaced(
        scene, node, f"{what} cannot propose a value", "it has none to suggest", "propose a platform, or a rule that names one"
    )
    return False


def fits_group(scene: Scene, node: Node, truth: Truth) -> bool:
    """Return whether a rule can decide several fields at once; notes E223."""
    const = truth.if_null == "const"
    if truth.how not in NOT_FOR_GROUPS and not const:
        return True
    what = "if_null: {const}" if const else truth.how if truth.how in ("expr", "const") else f"merge: {truth.how}"
    _misplaced(
        scene,
        node,
        f"{what} cannot decide a group",
        "it gives one value, and the fields of a group are taken together from one platform",
        "use owner, priority or newest, or take the field out of the group",
    )
    return False


def _misplaced(scene: Scene, node: Node, message: str, why: str, fix: str) -> None:
    where: Node = node
    if isinstance(node, Block):
        where = next((node.key(key) for key in ("merge", "expr", "const", "manual", "if_null") if key in node.entries), node)
    scene.source.error("E223", where, message, hint="not here", why=why, fix=fix)
