"""Rule tests as JUnit XML: a suite per file, a case per test, its differences as the text of the failure."""

from collections.abc import Iterator, Mapping
from typing import Any
from xml.etree import ElementTree as Xml

from syncd.reports import figures


def suites(document: Mapping[str, Any]) -> Xml.Element:
    """Return the tests of a ``syncd.test`` document as JUnit."""
    root = Xml.Element("testsuites", name="syncd test", tests=str(len(document["tests"])), failures=str(document["failed"]))
    root.set("time", f"{document['seconds']:.3f}")
    for file in dict.fromkeys(test["file"] for test in document["tests"]):
        cases = [_case(test) for test in document["tests"] if test["file"] == file]
        failures = sum(case.find("failure") is not None for case in cases)
        suite = Xml.SubElement(root, "testsuite", name=file, tests=str(len(cases)), failures=str(failures), errors="0")
        suite.extend(cases)
    return root


def _case(test: Mapping[str, Any]) -> Xml.Element:
    case = Xml.Element("testcase", classname=test["file"], name=figures.plain(test["name"]), file=test["file"])
    case.set("line", str(test["line"]))
    if not test["ok"]:
        message = figures.plural(len(test["differences"]), "difference")
        failure = Xml.SubElement(case, "failure", message=message)
        failure.text = "\n".join(_lines(test))
    return case


def _lines(test: Mapping[str, Any]) -> Iterator[str]:
    yield f"{test['file']}:{test['line']}"
    for one in test["differences"]:
        yield f"{one['what']}: expected {one['expected']}, got {one['got']}"
    for text in test["decided_by"]:
        yield f"decided by {text}"
