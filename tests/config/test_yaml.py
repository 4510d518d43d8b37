"""Strict YAML: what plain values mean, where things stand, and what is refused."""

from decimal import Decimal
from pathlib import Path

import pytest

from syncd.config.folder import read_folder
from syncd.config.nodes import Block, Scalar, plain, scalars
from syncd.config.source import Source
from syncd.config.yaml import MOST_BYTES, parse


def read(text: str, **variables: str) -> Source:
    source = Source("config/x.yaml", "x.yaml", text)
    parse(source, variables)
    return source


def value(text: str, **variables: str) -> object:
    source = read(f"a: {text}\n", **variables)
    assert source.found == []
    assert source.root is not None
    return plain(source.root.get("a"))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("yes", "yes"),
        ("no", "no"),
        ("on", "on"),
        ("Off", "Off"),
        ("y", "y"),
        ("12:30", "12:30"),
        ("1:2:3", "1:2:3"),
        ("2026-10", "2026-10"),
        ("2026-10-01", "2026-10-01"),
        ("1_000", "1_000"),
        ("3.1.1", "3.1.1"),
        ("0b11", "0b11"),
        ("tRue", "tRue"),
        ("nil", "nil"),
        ("true", True),
        ("True", True),
        ("FALSE", False),
        ("~", None),
        ("null", None),
        ("NULL", None),
        ("", None),
        ("# nothing", None),
        ("12", 12),
        ("-7", -7),
        ("+7", 7),
        ("00123", 123),
        ("0o17", 15),
        ("0x1F", 31),
        ("1.10", Decimal("1.10")),
        (".5", Decimal("0.5")),
        ("1e3", Decimal(1000)),
        ("-.inf", Decimal("-Infinity")),
        ("'12'", "12"),
        ('"true"', "true"),
        ("''", ""),
        ("9" * 500, "9" * 500),
        ("[a, 1, ~]", ["a", 1, None]),
        ("{b: {c: 1}, 5: x, true: y}", {"b": {"c": 1}, "5": "x", "true": "y"}),
        ("|\n  two\n  lines\n", "two\nlines\n"),
        (">\n  one\n  line\n", "one line\n"),
    ],
)
def test_values_are_read_by_the_core_schema_of_yaml_1_2(text: str, expected: object) -> None:
    found = value(text)
    assert found == expected
    assert type(found) is type(expected)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("${A}", "one"),
        ("x${A}y${A}", "xoney" + "one"),
        ("'${A}'", "one"),
        ("${N}", 5),
        ("'${N}'", "5"),
        ("${B:-two}", "two"),
        ("${B:-}", None),
        ("${EMPTY:-two}", "two"),
        ("${EMPTY}", None),
        ("$${A}", "${A}"),
        ("$A and {page}", "$A and {page}"),
        ("${B:-http://h:1/p?q=1}", "http://h:1/p?q=1"),
    ],
)
def test_variables_are_filled_into_values(text: str, expected: object) -> None:
    assert value(text, A="one", N="5", EMPTY="") == expected


def test_variables_are_not_filled_into_keys() -> None:
    source = read("${A}: ${A}\n", A="one")
    assert source.root is not None
    assert plain(source.root) == {"${A}": "one"}


def test_every_node_knows_its_place_in_characters() -> None:
    source = read('a:\n  - "grün": [x, {y: 😀z}]\n    b: 1.10   # c\n')
    found = [(node.text, *node.span) for _, node in scalars(source.root)]
    assert found == [("x", 2, 14, 15), ("😀z", 2, 21, 23), ("1.10", 3, 8, 12)]
    inner = source.root.get("a") if source.root else None
    assert inner is not None
    assert inner.span.line == 2


def test_a_byte_order_mark_and_windows_line_ends_move_nothing(tmp_path: Path) -> None:
    (tmp_path / "syncd.yaml").write_bytes(b"\xef\xbb\xbfa: 1\r\nb: two\r\n")
    (source,) = read_folder(str(tmp_path))
    parse(source, {})
    assert isinstance(source.root, Block)
    node = source.root.get("b")
    assert isinstance(node, Scalar)
    assert (node.text, node.span) == ("two", (2, 4, 7))
    assert source.line(2) == "b: two"


@pytest.mark.parametrize(
    ("text", "heads"),
    [
        ("", ["1:1: error E001: not YAML: the file is empty"]),
        ("# only a comment\n", ["1:1: error E001: not YAML: the file is empty"]),
        ("~\n", ["1:1: error E001: not YAML: the file is empty"]),
        ("- a\n", ["1:1: error E010: must be a mapping of keys"]),
        ("just text\n", ["1:1: error E010: must be a mapping of keys"]),
        ("\ta: 1\n", ["1:1: error E001: not YAML: a tab; YAML is indented with spaces"]),
        ("a:\n\tb: 1\n", ["2:1: error E001: not YAML: a tab; YAML is indented with spaces"]),
        ("a: b: c\n", ['1:5: error E001: not YAML: a ":" where no key can be']),
        ("a: [1, 2\nb: 3\n", ['2:2: error E001: not YAML: the "[" on line 1 is not closed here']),
        ("a: {b: 1\nc: 3\n", ['2:2: error E001: not YAML: the "{" on line 1 is not closed here']),
        ("a: [x]]\n", ["1:7: error E001: not YAML: indented differently from the lines it belongs to"]),
        ("a: 'open\nb: 1\n", ["1:4: error E001: not YAML: this quote is never closed"]),
        ('a: "\\d"\n', ["1:6: error E001: not YAML: no such escape in double quotes"]),
        ("a: @x\n", ['1:4: error E001: not YAML: a text cannot start with "@"']),
        ("a:\n  b: 1\n c: 2\n", ["3:2: error E001: not YAML: indented differently from the lines it belongs to"]),
        ("a: 1\nfoo\nb: 2\n", ['3:1: error E001: not YAML: a key without its ":"']),
        ("a: - b\n", ["1:4: error E001: not YAML: a list cannot start on the line of its key"]),
        ("a: x\x01y\n", ["1:5: error E001: not YAML: a character that cannot be printed (U+0001)"]),
        ("a: 1\n---\nb: 2\n", ["2:1: error E001: a second document starts here"]),
        ("a: 1\nb: 2\na: 3\n", ['3:1: error E002: duplicate key "a"']),
        ("a: {b: 1, b: 2}\n", ['1:11: error E002: duplicate key "b"']),
        ("a: &x 1\n", ["1:4: error E003: an anchor is not allowed here"]),
        ("b: *x\n", ["1:4: error E003: an alias is not allowed here"]),
        ("a: {<<: *x}\n", ["1:9: error E003: an alias is not allowed here"]),
        ("a: !!str 1\n", ["1:4: error E003: a tag is not allowed here"]),
        ("a: !x {b: 1}\n", ["1:4: error E003: a tag is not allowed here"]),
        ("a: &x !y z\n", ["1:4: error E003: an anchor is not allowed here", "1:7: error E003: a tag is not allowed here"]),
        ("? [a]\n: b\n", ["1:3: error E010: a key must be text"]),
        ("a: ${X}\n", ["1:4: error E013: variable X is not set"]),
        ('a: "é ${X} ${Y:-d} ${Z}"\n', ["1:7: error E013: variable X is not set", "1:20: error E013: variable Z is not set"]),
        ("a: |\n  one\n  ${X}\n", ["3:3: error E013: variable X is not set"]),
        ("a: ${not a name}\n", ["1:4: error E013: this is not a variable"]),
        ("a: '${1}'\n", ["1:5: error E013: this is not a variable"]),
        ("a: " + "[" * 70 + "]" * 70 + "\n", ["1:67: error E001: not read: nested deeper than 64 levels"]),
        ("a: " + "[" * 70, ["1:67: error E001: not read: nested deeper than 64 levels"]),
        ("a: '" + "x" * MOST_BYTES + "'\n", ["1:1: error E001: not read: the file is larger than 1 MiB"]),
    ],
)
def test_what_is_refused_is_told_at_its_place(text: str, heads: list[str]) -> None:
    assert [one.head.removeprefix("config/x.yaml:") for one in read(text).found] == heads


def test_a_quote_opened_inside_a_transform_is_told_how_to_write_it() -> None:
    (one,) = read('read: [decimal(",")]\n').found
    assert (one.col, one.fix) == (18, "put the whole of it in single quotes:  'decimal(...)'")


@pytest.mark.parametrize(
    ("content", "place"),
    [
        (b"a: 1\nb: caf\xe9\n", (2, 7)),
        (b"\xff\xfea\x00", (1, 1)),
        ("# grün\na: ".encode() + b"\xe4\n", (2, 4)),
    ],
)
def test_a_file_that_is_not_utf_8(tmp_path: Path, content: bytes, place: tuple[int, int]) -> None:
    (tmp_path / "syncd.yaml").write_bytes(content)
    (source,) = read_folder(str(tmp_path))
    (one,) = source.found
    assert (one.code, one.line, one.col) == ("E001", *place)
    assert "not UTF-8" in one.message


def test_a_thousand_aliases_expand_to_nothing() -> None:
    bomb = "a0: &a0 [x]\n" + "".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 30))
    source = read(bomb)
    assert {one.code for one in source.found} == {"E003"}
    assert len(str(plain(source.root))) < 10_000


def test_a_variable_that_ends_the_braces_is_told_to_be_quoted() -> None:
    (one,) = read("a: {b: ${X}/y}\n").found
    assert (one.code, one.line) == ("E001", 1)
    assert "in quotes" in one.fix
