"""Pages as text: widths, shortening, folding, figures."""

import pytest

from syncd.reports import figures, text
from syncd.reports.page import Cell, Column, Look, Page, Section, Tone

WIDE = Section(
    (Column("name", least=6), Column("count", right=True, short="n"), Column("note", least=8)),
    [("Mug, blue, with a handle", "1,200", "a rather long note about it"), ("Lamp", "3", "-")],
)


def lines(section: Section, width: int | None, **more: object) -> list[str]:
    return text.render(Page("", [section]), Look(width=width, **more)).splitlines()  # type: ignore[arg-type]


@pytest.mark.parametrize("width", range(25, 90))
def test_a_table_fits_the_terminal_and_keeps_its_columns(width: int) -> None:
    found = lines(WIDE, width)
    assert max(text.width_of(line) for line in found) <= width
    assert all(line.startswith("  ") for line in found)
    assert "1,200" in found[1]


def test_gaps_and_titles_give_way_before_values() -> None:
    assert lines(WIDE, 64)[0] == "  name                       count   note"
    assert "…" not in "".join(lines(WIDE, 62))
    assert "…" in "".join(lines(WIDE, 50))


def test_on_a_pipe_nothing_is_shortened() -> None:
    assert "a rather long note about it" in lines(WIDE, None)[1]


@pytest.mark.parametrize(
    ("given", "room", "expected"),
    [
        ("abcdef", 6, "abcdef"),
        ("abcdefghij", 5, "ab…ij"),
        ("abcdefghij", 6, "abc…ij"),
        ("日本語日本語日本語", 9, "日本…本語"),
    ],
)
def test_the_middle_is_left_out(given: str, room: int, expected: str) -> None:
    found = text.shorten(given, room)
    assert found == expected
    assert text.width_of(found) <= room


def test_wide_and_combining_letters_keep_columns_straight() -> None:
    section = Section((Column("a"), Column("b")), [("日本", "x"), ("e\u0301", "x"), ("abcd", "x")])
    assert [text.width_of(line[: line.rindex("x")]) for line in lines(section, 80)[1:]] == [9, 9, 9]


def test_colour_is_only_added() -> None:
    section = Section((Column("a"), Column("b", right=True)), [(Cell("down", Tone.BAD), "1")])
    plain, colour = lines(section, 80), lines(section, 80, colour=True)
    assert colour[1] == plain[1].replace("down", "\x1b[31mdown\x1b[0m")


def test_an_empty_table_says_so() -> None:
    assert text.render(Page("head", [Section((), [], empty="Nothing.")], "foot"), Look()) == "head\n\nNothing.\n\nfoot\n"


def test_heads_are_folded_between_their_parts() -> None:
    assert text.fold("one two   three four   five", 20) == "one two   three four\nfive"
    assert text.fold("  one   two", 6) == "  one\n  two"
    assert text.fold("unbreakable long words", 5) == "unbreakable long words"


@pytest.mark.parametrize(
    ("seconds", "expected"), [(0, "0 s"), (59, "59 s"), (60, "1 m"), (3599, "59 m"), (3600, "1 h"), (86_400 * 12, "12 d")]
)
def test_spans(seconds: float, expected: str) -> None:
    assert figures.span(seconds) == expected


def test_percentages_never_round_to_nothing_or_all() -> None:
    assert figures.percent(29, 12431) == "0.23%"
    assert figures.percent(1, 1_000_000) == "<0.01%"
    assert figures.percent(999_999, 1_000_000) == ">99.99%"
    assert figures.percent(0, 10) == "0.00%"
    assert figures.percent(1, 0) == figures.percent(None, 1) == "-"


@pytest.mark.parametrize(("count", "expected"), [(1, "new"), (2, "2nd"), (3, "3rd"), (4, "4th"), (11, "11th"), (22, "22nd")])
def test_ordinals(count: int, expected: str) -> None:
    assert figures.ordinal(count) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, "-"),
        ("", '""'),
        (True, "true"),
        (12, "12"),
        ("12.50", "12.50"),
        (["blue", "new"], "blue, new"),
        ([], "(empty)"),
        ({"a": [1, None]}, '{"a": [1, null]}'),
        ("a\tb\u202ec\U000e0001", "a\\tb\\u202ec\\U000e0001"),
    ],
)
def test_values(value: object, expected: str) -> None:
    assert figures.value(value) == expected


def test_times() -> None:
    assert figures.stamp(1_795_140_931_000_001) == "2026-11-20T02:15:31Z"
    assert figures.micros("2026-11-20T02:15:31Z") == figures.micros("2026-11-20T03:15:31+01:00") == 1_795_140_931_000_000
    assert figures.micros("2026-11-20") == figures.micros("2026-11-20T00:00:00Z")
    assert figures.moment("2026-11-20T02:15:31Z") == "2026-11-20 02:15:31"
    assert figures.age("2026-11-20T02:15:31Z", "2026-11-20T02:15:30Z") == "0 s"  # clocks differ: never negative
