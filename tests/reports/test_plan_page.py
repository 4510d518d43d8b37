"""The plan as people see it: the contract's mock-up, its parts where there is nothing to say, and its machine formats."""

import io
import json
from typing import Any

import pytest

from syncd.reports import text
from syncd.reports.envelope import Origin
from syncd.reports.page import Look
from syncd.reports.plan import Example, Spool, assemble, is_empty, write_json
from syncd.reports.plan_edits import edits_of, limit_place
from syncd.reports.plan_page import limit_words, page

ORIGIN = Origin(1_795_140_000_000_000, "production", "9b0cafe")
SUMMARY = dict.fromkeys(
    ("records", "decided", "update", "create", "delete", "removed", "added", "conflicts_new", "conflicts_closed", "withdrawn",
     "proposed", "failed"), 0,
)  # fmt: skip


def row(before: Any, after: Any, op: str = "update", field: str | None = "tags") -> dict[str, Any]:
    """One planned change."""
    head = {"op": op, "platform": "shopify", "entity": "product", "record": "MUG-7", "field": field}
    return head | {"before": before, "after": after, "rule": None, "why": "owner", "mode": "enforce"}


def plan(**more: Any) -> dict[str, Any]:
    """The contract's plan."""
    line = {"entity": "product", "platform": "shopify", "field": "tags", "records": 1313, "removed": 1391, "added": 12}
    quiet = {"entity": "product", "platform": "sanity", "field": None, "records": 0}
    edit = {"file": "config/entities/product.yaml", "line": 69, "what": "product.tags"}
    limit = {"max": 200, "ratio": 0.1, "per_s": 600}
    stop = {"platform": "shopify", "entity": "product", "kind": "changes", "count": 1313, "linked": 12431, "limit": limit}
    keys: dict[str, Any] = {
        "against": {"sha": "4f1c9e2", "running": True, "how": ""},
        "edits": [edit | {"before": "merge union [shopify, sanity]", "after": "owner sanity"}],
        "fields": [line | {"conflicts_new": 0, "conflicts_closed": 2}, quiet],
        "examples": [
            Example("product", "MUG-7", "Blue mug", [row(["blue", "gift", "sale"], ["blue", "gift"])], []),
            Example("product", "LAMP-3", "Lamp, oak", [row(["oak", "staff-pick"], ["new", "oak"])], []),
        ],
        "next": "product SOFA-9",
        "needs": [],
        "failure": "",
        "summary": SUMMARY | {"records": 16342, "decided": 1313, "update": 1313, "removed": 1391, "conflicts_closed": 2},
        "breakers": [stop | {"action": "pause", "file": "config/syncd.yaml", "line": 26}],
        "edited_at": "2026-11-20T01:58:00Z",
    }
    return assemble(ORIGIN, **keys | more)


MOCK_UP = """\
Your edit (2 min ago) against the running config 4f1c9e2, over 16,342 records in the ledger

  config/entities/product.yaml:69   product.tags   merge union [shopify, sanity]  ->  owner sanity

  platform   records   field   values removed   values added   new conflicts   closed
  shopify      1,313   tags             1,391             12               0        2
  sanity           0

  product MUG-7    "Blue mug"
    ~ tags       shopify   blue, gift, sale  ->  blue, gift
  product LAMP-3   "Lamp, oak"
    ~ tags       shopify   oak, staff-pick   ->  new, oak
  ... 1,311 more: --all, or one of them: syncd plan product SOFA-9

  STOP  1,313 changes in shopify is over the limit of 200 and 10% in 10 min (config/syncd.yaml:26).
        A reload is still safe: syncd would pause these writes and ask you.

Plan: 1,313 to update, 0 to create, 0 to delete; 1,391 values removed.  Not saved (--out plan.json).
"""


def shown(document: dict[str, Any], width: int | None = 100) -> str:
    """The plan on a terminal of this width."""
    now = Look(width=width, relative=True)
    return text.render(page(document | {"generated_at": "2026-11-20T02:00:30Z"}, now), now)


def test_it_is_the_mock_up_of_the_contract() -> None:
    assert shown(plan()) == MOCK_UP


def test_it_fits_eighty_columns() -> None:
    long = [row(["a" * 60, "b" * 60], ["c" * 90])]
    found = shown(plan(examples=[Example("product", "MUG-7", "", long, [])]), 80)
    lines = found.splitlines()
    at = next(n for n, line in enumerate(lines) if "~ tags" in line)
    assert len(lines[at]) <= 80
    assert "…" in lines[at]
    assert max(len(line) for line in lines if line.startswith("  platform") or "1,391 " in line) <= 100


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"edits": []}, "The config on disk is the running config 4f1c9e2."),
        ({"needs": ["needs a sweep first: shopify.raw.locked was never read"]}, "  needs a sweep first: shopify.raw.locked"),
        ({"summary": SUMMARY | {"proposed": 3}}, "3 writes would wait for approval (mode propose): syncd changes"),
        ({"summary": SUMMARY | {"withdrawn": 1}}, "1 write that waits now would not be made any more"),
        ({"summary": SUMMARY | {"failed": 2}, "failure": "product A: ValueError"}, "2 records could not be foreseen"),
        ({"summary": SUMMARY, "fields": [], "examples": [], "breakers": []}, "No changes."),
        ({"saved": "plan.json"}, "Saved (syncd apply plan.json)."),
        ({"examples": [Example("product", "A", "", [row(None, None, "delete", None)], [])]}, "- (record)   shopify"),
        ({"examples": [Example("product", "A", "", [row(None, "x", "create")], [])]}, "+ tags       shopify   -  ->  x"),
        (
            {"examples": [Example("product", "A", "", [], [{"field": "price", "why": "jump 60% > 30%", "state": "new"}])]},
            "! price      new conflict: jump 60% > 30%",
        ),
    ],
)
def test_what_else_there_is_to_say(more: dict[str, Any], words: str) -> None:
    assert words in shown(plan(**more), None)


@pytest.mark.parametrize(
    ("limit", "words"),
    [
        ({"max": 200, "ratio": 0.1, "per_s": 600}, "200 and 10% in 10 min"),
        ({"max": 5, "ratio": None, "per_s": 3600}, "5 in 1 h"),
        ({"max": None, "ratio": 0.015, "per_s": 86400}, "1.5% in 1 d"),
        ({"max": None, "ratio": 1.0, "per_s": 30}, "100% in 30 s"),
    ],
)
def test_limits_in_words(limit: dict[str, Any], words: str) -> None:
    assert limit_words(limit) == words


def test_a_plan_without_effect_is_empty() -> None:
    assert is_empty(plan(summary=SUMMARY))
    assert not is_empty(plan())
    assert not is_empty(plan(summary=SUMMARY | {"conflicts_closed": 1}))


def test_long_lists_are_written_without_being_held() -> None:
    out = io.StringIO()
    with Spool() as spool:
        spool.add("changes", [row("1", "2"), row("3", None)])
        write_json(plan(), spool, ("changes", "patches"), out)
    document = json.loads(out.getvalue())
    assert next(iter(document)) == "schema"
    assert [one["before"] for one in document["changes"]] == ["1", "3"]
    assert document["patches"] == []


OLD = {"entities/product.yaml": "entity: product\nfields:\n  tags:\n    truth: {merge: union, from: [a, b]}\n    map: {a: t}\n"}
CASES = "\n      - {when: a.locked, owner: a}\n      - {newest: [a, b], tie: [a]}"


UNION = "{merge: union, from: [a, b]}"
TWO = "{priority: [a, b], if_null: next}"
MORE = "    map: {a: t}\n  price: {type: string, truth: a}\n"


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        (UNION, "b", ["4 product.tags: merge union [a, b] -> owner b"]),
        (UNION, CASES, ["5 product.tags: merge union [a, b] -> when a.locked: owner a; else newest [a, b], tie [a]"]),
        (UNION, TWO, ["4 product.tags: merge union [a, b] -> priority [a, b], if_null next"]),
        (UNION, "{manual: true, propose: a}", ["4 product.tags: merge union [a, b] -> manual, propose owner a"]),
        ("{a: t}", "{a: u, b: t}", ["5 product.tags map a: t -> u", "5 product.tags map b: (not there) -> t"]),
        ("    map: {a: t}\n", MORE, ["6 product.price: (not there) -> string, owner a"]),
    ],
)
def test_edits_in_words(old: str, new: str, words: list[str]) -> None:
    found = edits_of("config", OLD, {path: text.replace(old, new) for path, text in OLD.items()})
    assert [f"{one['line']} {one['what']}: {one['before']} -> {one['after']}" for one in found] == words
    assert {one["file"] for one in found} == {"config/entities/product.yaml"}


def test_comments_and_tests_decide_nothing() -> None:
    assert edits_of("config", OLD, {path: f"# a word\n{text}" for path, text in OLD.items()}) == []
    assert edits_of("config", OLD, OLD | {"tests/a.yaml": "x: 1"}) == []


def test_a_limit_is_found_where_it_stands() -> None:
    texts = {"syncd.yaml": "version: 1\nsafety:\n  changes: {max: 1}\n"} | OLD
    assert limit_place("config", texts, "product", "changes") == ("config/syncd.yaml", 3)
    assert limit_place("config", texts, "product", "deletes") is None
    own = {"entities/product.yaml": "entity: product\nsafety: {changes: {max: 2}}\n"}
    assert limit_place("config", texts | own, "product", "changes") == ("config/entities/product.yaml", 2)
