"""Results of rule tests as reports tell them, and what a test would have to expect for what it got."""

from collections.abc import Mapping, Sequence
from typing import Any

from syncd.config.ruletest import Expect
from syncd.core.rules import Rules
from syncd.daemon.blame import Places, blame
from syncd.daemon.outcome import Outcome
from syncd.daemon.rehearse import Result
from syncd.daemon.touched import all_rules
from syncd.reports.ruletests import Line, Rule

KEPT = ("any order", "run twice", "second pass")  # checks that no expectation can take back


def lines(results: Sequence[Result], rules: Rules, texts: Mapping[str, str]) -> list[Line]:
    """Return a line for each test. ``texts``: the files of the folder by path."""
    places = Places(texts)
    return [
        Line(
            one.test.at.file,
            one.test.at.line,
            one.test.name,
            [(found.what, found.expected, found.got) for found in one.differences],
            [] if one.ok else blame(one, rules, places),
        )
        for one in results
    ]


def coverage(results: Sequence[Result], rules: Rules, texts: Mapping[str, str]) -> list[Rule]:
    """Return every rule and case with the tests that ran it. ``texts``: the files of the folder by path."""
    found, places = [], Places(texts)
    for ran, (strategy, at) in all_rules(rules).items():
        names = [one.test.name for one in results if ran in one.ran]
        line = places.case(ran.entity, ran.name, ran.case) if ran.case else None
        found.append(Rule(ran.entity, ran.name, ran.case, at.file, line or at.line, strategy, names))
    return found


def expectation(expect: Expect, got: Outcome) -> dict[str, Any]:
    """Return what stands for what was got under the keys that a test asks; golden and decided_by for what they name."""
    found: dict[str, Any] = {
        "writes": got.writes,
        "writes_total": got.writes_total,
        "stray_edits": list(got.stray_edits),
        "conflicts": list(got.conflicts),
        "held": list(got.held),
        "creates": list(got.creates),
        "deletes": got.deletes,
    }
    asked = {key: value for key, value in found.items() if getattr(expect, key) is not None}
    if expect.golden is not None:
        asked["golden"] = {name: got.golden.get(name) for name in expect.golden}
    if expect.decided_by is not None:
        asked["decided_by"] = {name: got.decided_by[name] for name in expect.decided_by if name in got.decided_by}
    if expect.deletes is not None and not any(expect.deletes.values()):
        asked["deletes"] = list(got.deletes)
    return asked


def stale_expectations(results: Sequence[Result]) -> dict[str, dict[int, dict[str, Any]]]:
    """Return by file, and by the test's place in it, the expectations that are not what was got."""
    found: dict[str, dict[int, dict[str, Any]]] = {}
    for one in results:
        differing = {each.what for each in one.differences} - set(KEPT)
        new = expectation(one.test.expect, one.got)
        changed = {key: value for key, value in new.items() if key in differing}
        if changed:
            found.setdefault(one.test.at.file, {})[one.test.number] = changed
    return found
