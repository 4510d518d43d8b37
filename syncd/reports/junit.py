"""Drift reports as JUnit XML, so that any CI shows drift as red tests: a suite per entity, a case per field; and rule tests."""

from collections.abc import Iterable, Mapping
from typing import Any
from xml.etree import ElementTree as Xml

from syncd.reports import figures, ruletests_junit
from syncd.reports.drift import Row, entities_of


def render(document: Mapping[str, Any]) -> str:
    """Return the report as JUnit; rows that could not be read are errors, all others failures."""
    if str(document["schema"]).startswith("syncd.test/"):
        return _written(ruletests_junit.suites(document))
    suites = Xml.Element("testsuites", name=f"syncd reconcile {document['id']}")
    for line in entities_of(document):
        suites.append(_suite(line, [row for row in document["rows"] if row["entity"] == line["entity"]]))
    return _written(suites)


def _written(suites: Xml.Element) -> str:
    Xml.indent(suites)
    return '<?xml version="1.0" encoding="utf-8"?>\n' + Xml.tostring(suites, encoding="unicode") + "\n"


def _suite(line: Mapping[str, Any], rows: list[Row]) -> Xml.Element:
    names = dict.fromkeys(["(record)", *line.get("fields", ()), *(_name(row) for row in rows)])
    cases = [_case(line["entity"], name, [row for row in rows if _name(row) == name]) for name in names]
    suite = Xml.Element("testsuite", name=line["entity"], tests=str(len(cases)))
    suite.set("failures", str(sum(1 for case in cases if case.find("failure") is not None)))
    suite.set("errors", str(sum(1 for case in cases if case.find("error") is not None)))
    suite.extend(cases)
    return suite


def _name(row: Row) -> str:
    return row["field"] or "(record)"


def _case(entity: str, name: str, rows: list[Row]) -> Xml.Element:
    case = Xml.Element("testcase", classname=entity, name=name)
    unread = [row for row in rows if row["why"] == "unreadable"]
    for tag, some in (("error", unread), ("failure", [row for row in rows if row not in unread])):
        if some:
            note = Xml.SubElement(case, tag, message=figures.plural(len(some), "row"))
            note.text = "\n".join(_lines(some))
    return case


def _lines(rows: Iterable[Row]) -> Iterable[str]:
    for row in rows:
        truth, found = row.get("truth") or {}, row.get("found") or {}
        yield (
            f"{figures.plain(row['record'])} on {row['platform']}: {row['why']}; "
            f"should be {figures.value(truth.get('value'))}, found {figures.value(found.get('value'))}"
        )
