"""How findings are shown: underlined exactly, in file order, at most twenty."""

from pathlib import Path

from syncd.config.diagnostics import Diagnostic, in_file_order, render, shown
from tests.config.folders import SERVICE, loaded, small


def one(line: int = 1, severity: str = "error", **parts: object) -> Diagnostic:
    fields = {"code": "E010", "file": "f.yaml", "col": 1, "end_col": 2, "message": "m", **parts}
    return Diagnostic(severity=severity, line=line, **fields)  # type: ignore[arg-type]


def test_the_line_is_underlined_as_a_terminal_shows_it() -> None:
    found = one(line=7, col=6, end_col=8, source="名: 'é'\tx", hint="here", why="one\ntwo", fix="f", notes=("n",))
    assert found.text().split("\n") == [
        "f.yaml:7:6: error E010: m",
        "   7 | 名: 'é' x",
        "     |       ^^ here",
        "  why  one",
        "       two",
        "  fix  f",
        "  note n",
    ]


def test_what_has_no_line_has_no_picture() -> None:
    assert one(source="").text() == "f.yaml:1:1: error E010: m"


def test_a_long_line_number_moves_both_lines() -> None:
    assert one(line=12345, source="x: 1").text().split("\n")[1:] == ["12345 | x: 1", "      | ^"]


def test_control_characters_are_not_sent_to_the_terminal() -> None:
    assert "\x1b" not in one(source="a: \x1b[31m", col=4, end_col=5).text()


def test_at_most_twenty_are_shown_errors_first_and_the_rest_is_counted() -> None:
    found = [one(n, "warning" if n % 2 else "error") for n in range(1, 51)]
    kept, left = shown(found)
    assert ([each.line for each in kept], left) == (list(range(2, 42, 2)), 30)
    assert render(found).endswith("\n\n30 more not shown")
    assert "not shown" not in render(found[:20])


def test_mistakes_do_not_hide_behind_what_is_of_a_later_version() -> None:
    found = [*(one(n, code="E190") for n in range(1, 31)), one(31, code="E201"), one(32, "warning")]
    kept, left = shown(found)
    assert (kept[-1].code, len(kept), left) == ("E201", 20, 12)


def test_repeats_are_told_once_and_files_keep_their_order() -> None:
    found = [one(2, file="b"), one(1, file="b"), one(9, file="a"), one(9, file="a")]
    assert [(each.file, each.line) for each in in_file_order(found, ["b", "a"])] == [("b", 1), ("b", 2), ("a", 9)]


def test_all_errors_of_a_folder_come_at_once_in_file_order(tmp_path: Path) -> None:
    many = SERVICE + "".join(f"key{n}: 1\n" for n in range(30))
    found = loaded(small(tmp_path, syncd=many, shop="platform: shop\nmode: x\n", product="entity: product\n"))
    assert len(found.errors) > 30
    order = [(one.file, one.line, one.col) for one in found.diagnostics]
    files = [file.file for file in found.files]
    assert order == sorted(order, key=lambda place: (files.index(place[0]), *place[1:]))
