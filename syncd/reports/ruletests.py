"""What `syncd test` found: a line for each rule test, and which rules they ran. Format ``syncd.test/1.0``."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from syncd.reports import figures
from syncd.reports.envelope import Origin, envelope
from syncd.reports.page import Column, Look, Page, Section, Tone
from syncd.reports.text import paint, shorten, width_of

SCHEMA = "syncd.test/1.0"
WIDTH = 90  # of a page on a pipe, and at most of one on a terminal
LEAD = len("  FAIL  ")
INDENT = " " * 10
LABEL = 10
EXPECTED = 20
GAP = 3


class Line(NamedTuple):
    """One test. ``differences``: (what, expected, got) as people read them; ``decided_by``: the rules behind them."""

    file: str
    line: int
    name: str
    differences: Sequence[tuple[str, str, str]] = ()
    decided_by: Sequence[str] = ()


class Rule(NamedTuple):
    """One rule, or one case of it (from 1), with the names of the tests that ran it. ``field``: or the group."""

    entity: str
    field: str
    case: int
    file: str
    line: int
    strategy: str
    tests: Sequence[str]


def document(origin: Origin, lines: Iterable[Line], rules: Iterable[Rule], seconds: float) -> dict[str, Any]:
    """Return everything found. ``rules`` counts rules without their cases; ``coverage`` has both."""
    tests, coverage = [_test(line) for line in lines], [_rule(rule) for rule in rules]
    whole = [rule for rule in coverage if rule["case"] is None]
    failed = sum(not test["ok"] for test in tests)
    return envelope(
        SCHEMA,
        origin,
        passed=len(tests) - failed,
        failed=failed,
        seconds=round(seconds, 3),
        rules={"run": sum(bool(rule["tests"]) for rule in whole), "total": len(whole)},
        tests=tests,
        coverage=coverage,
    )


def _test(line: Line) -> dict[str, Any]:
    return {
        "file": line.file,
        "line": line.line,
        "name": line.name,
        "ok": not line.differences,
        "differences": [{"what": what, "expected": expected, "got": got} for what, expected, got in line.differences],
        "decided_by": list(line.decided_by),
    }


def _rule(rule: Rule) -> dict[str, Any]:
    return {**rule._asdict(), "case": rule.case or None, "tests": list(rule.tests)}


# ---- the page


def layout(*, coverage: bool) -> Callable[[Mapping[str, Any], Look], Page]:
    """Return the page as a function of the document and the look; with the table of rules if asked for."""

    def laid_out(found: Mapping[str, Any], look: Look) -> Page:
        files = dict.fromkeys(test["file"] for test in found["tests"])
        parts: list[Section | str] = [_file(file, found["tests"], look) for file in files]
        if coverage:
            parts += _coverage(found["coverage"])
        return Page("", parts, _foot(found, coverage=coverage), title="Rule tests")

    return laid_out


def _file(file: str, tests: Iterable[Mapping[str, Any]], look: Look) -> str:
    """Return the lines of one file's tests."""
    lines = [file]
    for test in tests:
        if test["file"] == file:
            lines += [_passed(test, look)] if test["ok"] else _failed(test, look)
    return "\n".join(lines)


def _passed(test: Mapping[str, Any], look: Look) -> str:
    return f"  {paint('ok', Tone.GOOD, look)}    {_name(test, look, 0)}"


def _name(test: Mapping[str, Any], look: Look, beside: int) -> str:
    """Return a test's name, on a terminal as far as it fits beside something of that width."""
    name = figures.plain(test["name"])
    return name if look.width is None else shorten(name, max(look.width - LEAD - beside, LABEL), look.ellipsis)


def _failed(test: Mapping[str, Any], look: Look) -> list[str]:
    place = f"line {test['line']}"
    name = _name(test, look, len(place) + 2)
    room = max(_room(look) - LEAD - width_of(name) - len(place), 2)
    head = f"  {paint('FAIL', Tone.BAD, look)}  {name}{' ' * room}{place}"
    wide = max([LABEL, *(len(one["what"]) for one in test["differences"])]) + 2
    expected = [f"expected {one['expected']}" for one in test["differences"]]
    column = max([EXPECTED, *(width_of(text) for text in expected if width_of(text) <= EXPECTED * 2)]) + GAP
    lines = [head]
    for one, text in zip(test["differences"], expected, strict=True):
        lines += _difference(one["what"].ljust(wide), text, f"got {one['got']}", column, look)
    for number, text in enumerate(test["decided_by"]):
        lines += _rules_line(("" if number else "decided by").ljust(wide), text, look)
    return lines


def _room(look: Look) -> int:
    return WIDTH if look.width is None else min(look.width, WIDTH)


def _difference(label: str, expected: str, got: str, column: int, look: Look) -> list[str]:
    """Return expected and got side by side, or one below the other where a terminal is too narrow for both."""
    one_line = f"{INDENT}{label}{expected}{' ' * max(column - width_of(expected), GAP)}{got}"
    if look.width is None or width_of(one_line) <= look.width:
        return [one_line]
    return [f"{INDENT}{label}{expected}", f"{INDENT}{' ' * len(label)}{got}"]


def _rules_line(label: str, text: str, look: Look) -> list[str]:
    """Return the line of one rule, broken at its semicolons where a terminal is too narrow."""
    lead, lines = f"{INDENT}{label}", list[str]()
    for part in text.split("; "):
        if lines and (look.width is None or width_of(f"{lines[-1]}; {part}") <= look.width):
            lines[-1] += f"; {part}"
        elif lines:
            lines[-1] += ";"
            lines.append(f"{INDENT}{' ' * len(label)}{part}")
        else:
            lines.append(lead + part)
    return lines


def _foot(found: Mapping[str, Any], *, coverage: bool) -> str:
    run, total = found["rules"]["run"], found["rules"]["total"]
    counts = f"{found['passed']:,} passed, {found['failed']:,} failed in {found['seconds']:.2f} s."
    more = f"   syncd test --coverage names the other {total - run}." if run < total and not coverage else ""
    return f"{counts}   Rules run: {run} of {total}.{more}"


# ---- the rules


def _coverage(rules: Sequence[Mapping[str, Any]]) -> list[Section | str]:
    """Return the rules that were run, and those that were not."""
    run = [(*_names(rule), "; ".join(map(figures.plain, rule["tests"]))) for rule in rules if rule["tests"]]
    left = [_names(rule) for rule in rules if not rule["tests"]]
    columns = (Column("rule", least=12), Column("decides by"), Column("at", least=20))
    return [
        Section((*columns, Column("run by", least=16)), run, "Rules that tests run", "No test runs a rule."),
        Section(columns, left, "Rules that no test runs", "Every rule is run by a test."),
    ]


def _names(rule: Mapping[str, Any]) -> tuple[str, str, str]:
    case = f"  case {rule['case']}" if rule["case"] else ""
    return f"{rule['entity']}.{rule['field']}{case}", rule["strategy"], f"{rule['file']}:{rule['line']}"
