"""Formulas and conditions at work: what ``expr`` gives, and which of several cases decides."""

from typing import Any

from syncd.core.case import STAY, Case, Kind, Look, Ruling, take
from syncd.core.native import ABSENT, Invalid
from syncd.core.operands import Failed, is_true
from syncd.core.rules import Branch, Expression, Truth

__all__ = ["Failed", "branch_in", "formula", "is_so"]


def is_so(condition: Expression, look: Look, now: int) -> bool:
    """Return whether a condition is true; null and absent are not. Raises Failed if it cannot be told."""
    return is_true(condition(look, now))


def branch_in(truth: Truth, look: Look, now: int) -> tuple[Branch, str]:
    """Return the first case whose condition is true, or has none, and ''; or the one whose condition failed, and why.

    Conditions after the one that decides are not asked.
    """
    for branch in truth.branches:
        if branch.when is None:
            return branch, ""
        try:
            if is_so(branch.when, look, now):
                return branch, ""
        except Failed as error:
            return branch, f'"{branch.when.text}" cannot be told: {error}'
    raise AssertionError("the last case has no condition")  # E221


# ---- expr


def formula(case: Case) -> Ruling:
    """Return what the rule's formula gives. Where nothing that it reads was ever there golden stays."""
    expression = case.truth.expr
    assert expression is not None
    look = case.heard
    if expression.names and all(look(name) is ABSENT for name in expression.names):
        return STAY
    try:
        value = expression(look, case.now)
        canonical = case.form(value, look, case.now)
    except Failed as error:
        return Ruling(Kind.HOLD, why=f'formula "{expression.text}": {error}')
    except Invalid as error:
        return not_fitting(case, f'formula "{expression.text}": {error}')
    if canonical is None:
        return gave_nothing(case, expression)
    return computed(case, canonical, "formula")


def not_fitting(case: Case, why: str) -> Ruling:
    """Return what ``if_invalid`` makes of a value that does not fit the field: there is no next one to go to."""
    if case.truth.if_invalid == "hold":
        return Ruling(Kind.HOLD, why=why)
    return Ruling(Kind.STAY, why=f"{why}: golden stays")


def computed(case: Case, value: Any, why: str) -> Ruling:
    """Return the ruling of a value that the rule made, as old as the latest that it was made of; an equal one stays as old as
    it is.
    """
    golden = case.golden
    if golden is not None and golden.who == "rule" and golden.value == value:
        return Ruling(Kind.TAKE, golden.value, "rule", golden.lo, golden.hi, why)
    assert case.truth.expr is not None
    ages = [case.age(name) for name in case.truth.expr.names]
    lo, hi = max((age[0] for age in ages), default=0), max((age[1] for age in ages), default=0)
    return Ruling(Kind.TAKE, value, "rule", lo, hi, why)


def gave_nothing(case: Case, expression: Expression) -> Ruling:
    """Return what ``if_null`` makes of a formula that gives null. ``clear`` needs a value that it gave before (R15)."""
    truth, golden, why = case.truth, case.golden, f'formula "{expression.text}" gives null'
    match truth.if_null:
        case "hold":
            return Ruling(Kind.HOLD, why=why)
        case "const":
            return computed(case, truth.null_value, f"{why}: constant")
        case "use":
            other = next((v for v in case.others if v.platform == truth.null_use), None)
            usable = other is not None and other.own and not other.null and not other.invalid
            return take(other, f"{why}: use {truth.null_use}") if other is not None and usable else STAY
        case "clear" if golden is not None and golden.who == "rule" and not golden.provisional:
            return computed(case, None, why)
    return Ruling(Kind.STAY, why=f"{why}: golden stays")
