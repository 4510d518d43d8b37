"""What a YAML parser found wrong, in plain words and at one place."""

import re

import yaml as pyyaml

from syncd.config.nodes import Span
from syncd.config.source import Source

_REASONS = [  # (what PyYAML says, what it means, what to do); {line} is where the construct was opened
    (
        r"mapping values are not allowed",
        'a ":" where no key can be',
        'quote the text that holds ": ", or start a new line',
    ),
    (r"could not find expected ':'", 'a key without its ":"', 'write a ":" and a space after the key'),
    (
        r"expected <block end>|did not find expected key",
        "indented differently from the lines it belongs to",
        "indent it like its neighbours",
    ),
    (r"expected ',' or '\]'", 'the "[" on line {line} is not closed here', 'write "," between items, "]" at the end'),
    (r"expected ',' or '\}'", 'the "{{" on line {line} is not closed here', 'write "," between keys, "}" at the end'),
    (r"unknown escape character", "no such escape in double quotes", "use single quotes"),
    (r"expected the node content", "a value is missing here", "write the value, or quote it"),
    (r"sequence entries are not allowed", "a list cannot start on the line of its key", "start it on a new line"),
]


def explain(source: Source, problem: pyyaml.YAMLError) -> None:
    """Note E001 for what the parser raised."""
    if isinstance(problem, pyyaml.reader.ReaderError):
        _unprintable(source, problem)
        return
    mark = getattr(problem, "problem_mark", None) or getattr(problem, "context_mark", None)
    said = str(getattr(problem, "problem", "") or "not understood")
    if mark is None:
        source.error("E001", Span(1, 1, 2), f"not YAML: {said}")
        return
    opened = getattr(problem, "context_mark", None)
    if re.search("unexpected (end of stream|document separator)", said) and opened is not None:
        _open_quote(source, _inside(source, opened.line + 1, opened.column + 1))
        return
    reason, fix = _reason(source.text[mark.index : mark.index + 1], said, (opened or mark).line + 1)
    if "${" in source.line(mark.line + 1) and "expected ',' or" in said:
        fix = 'inside braces or brackets put a value with ${...} in quotes:  "${NAME}"'
    source.error("E001", _inside(source, mark.line + 1, mark.column + 1), f"not YAML: {reason}", fix=fix)


def _open_quote(source: Source, where: Span) -> None:
    """Note a quote that is never closed, at its beginning: the end of the file says nothing."""
    before = source.line(where.line)[: where.col - 1]
    call = re.search(r"(\w+\()[^)]*$", before)
    fix = f"put the whole of it in single quotes:  '{call[1]}...)'" if call else "close the quote"
    source.error("E001", where, "not YAML: this quote is never closed", fix=fix)


def _reason(char: str, said: str, opened: int) -> tuple[str, str]:
    if "cannot start any token" in said:
        if char == "\t":
            return "a tab; YAML is indented with spaces", "replace the tab by spaces"
        return f'a text cannot start with "{char}"', "quote it"
    for pattern, reason, fix in _REASONS:
        if re.search(pattern, said):
            return reason.format(line=opened), fix
    return said, ""


def _inside(source: Source, line: int, col: int) -> Span:
    """Return a place that exists: the end of the last line with something on it, for what is missing at the end."""
    while line > 1 and not source.line(line).strip():
        line -= 1
        col = len(source.line(line).rstrip()) + 1
    return Span(line, col, col + 1)


def _unprintable(source: Source, problem: pyyaml.reader.ReaderError) -> None:
    at = problem.position if isinstance(problem.position, int) else 0
    before = source.text[:at]
    line, col = before.count("\n") + 1, at - (before.rfind("\n") + 1) + 1
    code = problem.character if isinstance(problem.character, int) else ord(str(problem.character)[:1] or "\0")
    what = f"not YAML: a character that cannot be printed (U+{code:04X})"
    source.error("E001", Span(line, col, col + 1), what, fix="remove it")
