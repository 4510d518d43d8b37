"""JSON, NDJSON, CSV, Markdown, HTML and JUnit of the same documents."""

import csv
import io
import json
from html.parser import HTMLParser
from xml.etree import ElementTree as Xml

import pytest

from syncd.reports import html, junit, machine, markdown
from syncd.reports.drift_page import page
from syncd.reports.page import Look
from tests.reports.scene import drift, row

XSS = "<script>alert(1)</script>"


def test_json_begins_with_the_schema_and_is_one_object() -> None:
    text = machine.to_json(drift())
    assert text.startswith('{\n  "schema": "syncd.reconcile/1.0",')
    assert json.loads(text) == drift()


def test_ndjson_has_a_head_and_a_line_per_row() -> None:
    head, *rows = map(json.loads, machine.to_ndjson(drift()).splitlines())
    assert (head["type"], head["schema"], "rows" in head) == ("head", "syncd.reconcile/1.0", False)
    assert len(rows) == 38
    assert {one["type"] for one in rows} == {"row"}


def test_csv_has_a_header_also_when_there_is_nothing() -> None:
    (header,) = csv.reader(io.StringIO(machine.to_csv(drift([]))))
    assert header[:5] == ["entity", "record", "field", "platform", "why"]
    rows = list(csv.DictReader(io.StringIO(machine.to_csv(drift()))))
    assert (rows[0]["record"], rows[0]["truth.value"], rows[0]["found.by"]) == ("MUG-1", "12.50", "")


@pytest.mark.parametrize(
    ("value", "expected"),
    [("=1+1", "'=1+1"), ("@x", "'@x"), ("-5", "-5"), ("+3.5", "+3.5"), ("-x", "'-x"), ("a=b", "a=b"), (["a"], '["a"]')],
)
def test_csv_runs_nothing_in_a_spreadsheet(value: object, expected: str) -> None:
    document = drift([row("A", found={"value": value, "platform": "shopify"})])
    (found,) = csv.DictReader(io.StringIO(machine.to_csv(document)))
    assert found["found.value"] == expected


def test_csv_has_a_row_for_each_field_of_a_record() -> None:
    document = {
        "schema": "syncd.changes/1.0",
        "changes": [
            {"id": "ch-1", "fields": [{"field": "a", "after": 1}, {"field": "b", "after": True}]},
            {"id": "ch-2", "fields": []},
        ],
    }
    rows = list(csv.DictReader(io.StringIO(machine.to_csv(document))))
    assert [(one["id"], one["field"], one["after"]) for one in rows] == [
        ("ch-1", "a", "1"),
        ("ch-1", "b", "true"),
        ("ch-2", "", ""),
    ]


def test_markdown_shows_twenty_rows_and_folds_the_rest() -> None:
    text = markdown.render(page(drift(), Look()))
    head, _, folded = text.partition("<details><summary>18 more</summary>")
    assert head.count("| shopify") + head.count("shopify |") > 10
    assert folded.count("\n| product ") + folded.count("\n| customer ") == 18


def test_markdown_escapes_what_would_be_markup() -> None:
    text = markdown.render(page(drift([row(f"a|b_{XSS}`")]), Look()))
    assert "a\\|b\\_&lt;script&gt;alert(1)&lt;/script&gt;\\`" in text


class Tags(HTMLParser):
    """Collects what could load or run something."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.links: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.links += [value or "" for name, value in attrs if name in {"src", "href"} or name.startswith("on")]


def test_html_is_one_file_without_scripts() -> None:
    text = html.render(page(drift([*drift()["rows"], row(XSS)]), Look()))
    tags = Tags()
    tags.feed(text)
    assert text.startswith("<!doctype html>")
    assert not {"script", "link", "img", "iframe"} & set(tags.tags)
    assert tags.links == []
    assert "&lt;script&gt;" in text
    assert tags.tags.count("h1") == 1
    assert text.count("<tr>") > 39


def test_junit_has_a_suite_per_entity_and_a_case_per_field() -> None:
    suites = Xml.fromstring(junit.render(drift()).encode())
    found = {suite.get("name"): suite for suite in suites}
    assert set(found) == {"product", "customer"}
    names = [case.get("name") for case in found["product"]]
    assert names == ["(record)", "price", "name", "tags"]
    (failure,) = found["customer"].findall("testcase[@name='email']/failure")
    assert failure.text == "C-3911 on mailer: missed; should be 12.50, found 9.99"
    assert found["customer"].get("failures") == "2"


def test_junit_of_nothing_is_green_and_of_the_unreadable_is_an_error() -> None:
    green = Xml.fromstring(junit.render(drift([])).encode())
    assert [suite.get("failures") for suite in green] == ["0", "0"]
    red = Xml.fromstring(junit.render(drift([row("A\x00", "unreadable")])).encode())
    assert [suite.get("errors") for suite in red] == ["1", "0"]
    assert red.find("testsuite/testcase/error") is not None
