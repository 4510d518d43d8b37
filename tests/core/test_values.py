"""Field types: what fits, in which canonical form, and back."""

from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syncd.core.native import MAX_TEXT, number_of, plain, shown, sort_of, text_form
from syncd.core.values import Invalid, Kind, parse_type

NAIVE = datetime.fromisoformat("2026-01-31T10:00:00")
COLOURS = {"enum": ["red", "green"]}

FITS = [
    ("string", "Mug", "Mug"),
    ("string", "Größe", "Größe"),
    ("text", "a\nb", "a\nb"),
    ("html", "<p>a</p>", "<p>a</p>"),
    ("email", "ann@example.com", "ann@example.com"),
    ("url", "https://example.com/a?b=c", "https://example.com/a?b=c"),
    ("phone", "+49 (30) 123-45", "+49 (30) 123-45"),
    ("integer", 5, 5),
    ("integer", "-5", -5),
    ("integer", "007", 7),
    ("integer", Decimal(5), 5),
    ("integer", 2**63 - 1, 2**63 - 1),
    ("integer", str(-(2**63)), -(2**63)),
    ("decimal(2)", 12, "12.00"),
    ("decimal(2)", "12.5", "12.50"),
    ("decimal(2)", Decimal("12.500"), "12.50"),
    ("decimal(2)", 0.1, "0.10"),
    ("decimal(2)", "-0", "0.00"),
    ("decimal(2)", Decimal("-0.00"), "0.00"),
    ("decimal(2)", ".5", "0.50"),
    ("decimal(2)", Decimal("1E+3"), "1000.00"),
    ("decimal(2)", Decimal("0E+999999"), "0.00"),
    ("decimal(0)", Decimal("12.0"), "12"),
    ("decimal", Decimal("12.500"), "12.5"),
    ("decimal", 1000, "1000"),
    ("decimal", Decimal("1E-7"), "0.0000001"),
    ("money", "3", "3.00"),
    ("boolean", True, True),
    ("boolean", 0, False),
    ("boolean", Decimal(1), True),
    ("boolean", "false", False),
    ("boolean", "true", True),
    ("date", "2026-01-31", "2026-01-31"),
    ("date", date(2026, 1, 31), "2026-01-31"),
    ("datetime", "2026-01-31T10:00:00Z", "2026-01-31T10:00:00Z"),
    ("datetime", "2026-01-31t10:00:00.500z", "2026-01-31T10:00:00.5Z"),
    ("datetime", "2026-01-31 10:00:00.1234567+01:00", "2026-01-31T09:00:00.123456Z"),
    ("datetime", "2026-01-31 10:00:00", "2026-01-31T10:00:00Z"),
    ("datetime", datetime(2026, 1, 31, 10, tzinfo=UTC), "2026-01-31T10:00:00Z"),
    ("datetime", datetime(2026, 1, 31, 10, tzinfo=timezone(timedelta(hours=2))), "2026-01-31T08:00:00Z"),
    (COLOURS, "green", "green"),
    ("set(string)", ["b", "a", "b"], ["a", "b"]),
    ("set(string)", ("x",), ["x"]),
    ("set(string)", [], []),
    ("json", {"b": [1, None, True, "x"]}, {"b": [1, None, True, "x"]}),
    ("json", (Decimal("1.0"), Decimal("0.5"), 0.25), [1, 0.5, 0.25]),
    ("json", Decimal("0.1000000000000000000001"), "0.1000000000000000000001"),
    ("json", Decimal("1E+400"), "1E+400"),
    ("json", Decimal("1E+25"), 1e25),
]


@pytest.mark.parametrize(("spec", "raw", "value"), FITS)
def test_fits(spec, raw, value):
    read = parse_type(spec).read(raw)
    assert read == value
    assert type(read) is type(value)


@pytest.mark.parametrize(("spec", "raw", "value"), FITS)
def test_what_is_written_is_read_back_as_itself(spec, raw, value):
    kind = parse_type(spec)
    assert kind.read(kind.write(value)) == value


MISFITS = [
    ("string", 5, "5 is a number, not text"),
    ("string", True, "True is true or false, not text"),
    ("string", ["a"], "a list, not text"),
    ("string", {}, "an object, not text"),
    ("string", b"a", "bytes, not text"),
    ("string", "a\0b", "NUL"),
    ("string", "\ud800", "lone surrogate"),
    ("string", "a" * (MAX_TEXT + 1), "16 MiB"),
    ("email", "ann", '"ann" is not an email'),
    ("url", "example.com", '"example.com" is not a url'),
    ("phone", "ab", "not a phone"),
    ("phone", "12", "not a phone"),
    ("integer", True, "not an integer"),
    ("integer", "5.0", "not an integer"),
    ("integer", " 5", "not an integer"),
    ("integer", "+5", "not an integer"),
    ("integer", "٣", "not an integer"),
    ("integer", 5.0, "not an integer"),
    ("integer", Decimal("5.0"), "not an integer"),
    ("integer", Decimal("NaN"), "not an integer"),
    ("integer", None, "not an integer"),
    ("integer", 2**63, "beyond 64 bit"),
    ("integer", "9" * 5000, "beyond 64 bit"),
    ("decimal(2)", "12.345", "more than 2 places"),
    ("decimal(2)", 0.125, "more than 2 places"),
    ("decimal(2)", "12,5", "not a number"),
    ("decimal(2)", "1e3", "not a number"),
    ("decimal(2)", True, "not a number"),
    ("decimal(2)", [], "not a number"),
    ("decimal(2)", float("nan"), "not a finite number"),
    ("decimal(2)", float("inf"), "not a finite number"),
    ("decimal(2)", Decimal("-Infinity"), "not a finite number"),
    ("decimal(2)", Decimal("1E+999999"), "more than 28 digits"),
    ("decimal(2)", Decimal("1E-999999"), "more than 2 places"),
    ("decimal", Decimal("1E-999999"), "more than 28 digits"),
    ("decimal(2)", "9" * 27, "more than 28 digits"),
    ("decimal", "1" * 29, "more than 28 digits"),
    ("boolean", "True", "not true or false"),
    ("boolean", "1", "not true or false"),
    ("boolean", 2, "not true or false"),
    ("boolean", 1.0, "not true or false"),
    ("date", "20260131", "not a date"),
    ("date", "2026-02-30", "not in the calendar"),
    ("date", NAIVE, "not a date"),
    ("date", 5, "not a date"),
    ("datetime", "2026-01-31", "not a date with time"),
    ("datetime", "2026-01-31T10:00Z", "not a date with time"),
    ("datetime", "2026-02-30T10:00:00Z", "not in the calendar"),
    ("datetime", "2026-01-31T24:00:01Z", "not in the calendar"),
    ("datetime", "0001-01-01T00:00:00+10:00", "outside the years"),
    ("datetime", 1700000000, "not a date with time"),
    ("datetime", date(2026, 1, 31), "not a date with time"),
    (COLOURS, "blue", '"blue" is not one of red, green'),
    (COLOURS, 1, "not one of"),
    (COLOURS, [], "not one of"),
    ("set(string)", "a", "not a list"),
    ("set(string)", ["a", 1], "a number, not text"),
    ("set(string)", [None], "not text"),
    ("json", 2**63, "beyond 64 bit"),
    ("json", Decimal("NaN"), "not a finite number"),
    ("json", date(2026, 1, 1), "not JSON"),
    ("json", {1: 2}, "not text"),
    ("json", {"a\0": 1}, "NUL"),
]


@pytest.mark.parametrize(("spec", "raw", "reason"), MISFITS)
def test_does_not_fit(spec, raw, reason):
    with pytest.raises(Invalid) as caught:
        parse_type(spec).read(raw)
    assert reason in str(caught.value)
    assert len(str(caught.value)) < 120


def test_a_document_that_is_too_deep_is_invalid():
    deep = []
    for _ in range(33):
        deep = [deep]
    with pytest.raises(Invalid, match="deeper than 32"):
        parse_type("json").read(deep)
    assert parse_type("json").read(deep[0]) == deep[0]


def test_a_fraction_of_a_document_is_written_exactly():
    assert parse_type("json").write({"a": [0.1, 1, "x"]}) == {"a": [Decimal("0.1"), 1, "x"]}


def test_a_naive_datetime_is_in_the_platforms_zone():
    berlin = parse_type("datetime", zone="Europe/Berlin")
    assert berlin.read("2026-07-01T10:00:00") == "2026-07-01T08:00:00Z"
    assert berlin.read(NAIVE) == "2026-01-31T09:00:00Z"
    assert berlin.read("2026-07-01T10:00:00Z") == "2026-07-01T10:00:00Z"
    assert berlin.read("2026-10-25T02:30:00") == "2026-10-25T00:30:00Z"  # twice that night: the earlier
    assert parse_type("datetime").at("Europe/Berlin") == berlin


@pytest.mark.parametrize("zone", ["Nowhere/Land", "../etc", "", "\0"])
def test_no_such_zone(zone):
    with pytest.raises(ValueError, match="no time zone"):
        parse_type("datetime", zone=zone)


def test_other_types_have_no_zone():
    kind = parse_type("string")
    assert kind.at("Europe/Berlin") is kind


@pytest.mark.parametrize(
    ("spec", "raw", "value"),
    [("ref(brand)", "b7", "b7"), ("ref(brand)", 7, "7"), ("list(brand)", [7, "b"], ["7", "b"]), ("list(brand)", [], [])],
)
def test_a_reference_is_read_as_the_native_id(spec, raw, value):
    assert parse_type(spec).read(raw) == value


WRONG_REFS = [("ref(brand)", True), ("ref(brand)", 1.5), ("ref(brand)", ["b"]), ("list(brand)", "b")]


@pytest.mark.parametrize(("spec", "raw"), WRONG_REFS)
def test_what_is_no_reference(spec, raw):
    with pytest.raises(Invalid):
        parse_type(spec).read(raw)


@pytest.mark.parametrize(
    "spec",
    [
        "strin",
        "decimal(x)",
        "decimal(28)",
        "decimal(-1)",
        "set(integer)",
        "",
        5,
        None,
        ["string"],
        {},
        {"enum": []},
        {"enum": "red"},
        {"enum": [1]},
        {"enum": [""]},
        {"enum": ["a", "a"]},
        {"enum": ["a"], "x": 1},
    ],
)
def test_no_type(spec):
    with pytest.raises(ValueError, match=r"type|enum") as caught:
        parse_type(spec)
    assert not isinstance(caught.value, Invalid)


@pytest.mark.parametrize(
    ("spec", "traits"),
    [
        ("string", {"is_text"}),
        ("integer", {"is_number", "is_counter_ok"}),
        ("decimal(2)", {"is_number", "is_counter_ok"}),
        ("money", {"is_number", "is_counter_ok"}),
        ("set(string)", {"is_set"}),
        ("date", set()),
        (COLOURS, set()),
    ],
)
def test_traits(spec, traits):
    kind = parse_type(spec)
    assert {name for name in ("is_text", "is_number", "is_set", "is_counter_ok") if getattr(kind, name)} == traits


def test_numbers_are_ranked_and_taken_back():
    for spec, one, two in [("integer", 9, 10), ("decimal(2)", "9.50", "10.00"), ("money", "-2.00", "1.00")]:
        kind = parse_type(spec)
        assert kind.order(one) < kind.order(two)
        assert kind.read(kind.number(two) - kind.number(one) + kind.number(one)) == two


def test_a_sum_that_is_too_large_is_invalid():
    kind = parse_type("integer")
    with pytest.raises(Invalid, match="beyond"):
        kind.read(kind.number(2**63 - 1) + kind.number(1))


def test_only_numbers_have_a_number():
    with pytest.raises(TypeError, match="string is not a number"):
        parse_type("string").number("5")


def test_order_of_what_is_no_number():
    moment = parse_type("datetime")
    assert moment.order("2026-01-01T00:00:00Z") < moment.order("2026-01-01T00:00:00.5Z")
    assert parse_type(COLOURS).order("red") < parse_type(COLOURS).order("green")
    assert parse_type("date").order("2026-01-01") < parse_type("date").order("2026-01-02")


def test_a_list_for_a_platform_is_not_golden_itself():
    golden = ["a"]
    assert parse_type("set(string)").write(golden) is not golden


def test_each_type_reads_in_its_own_way():
    with pytest.raises(TypeError, match="abstract"):
        Kind("thing")


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        ("x", "x"),
        (True, "true"),
        (False, "false"),
        (5, "5"),
        (12.5, "12.5"),
        (Decimal("12.50"), "12.5"),
        (Decimal("1E+2"), "100"),
        (date(2026, 1, 31), "2026-01-31"),
    ],
)
def test_text_form(raw, text):
    assert text_form(raw) == text


@pytest.mark.parametrize("raw", [None, [], {}, b"x"])
def test_no_text_form(raw):
    with pytest.raises(Invalid, match="no text form"):
        text_form(raw)


def test_reasons_are_short():
    assert shown("x" * 100) == '"' + "x" * 35 + "..."
    assert sort_of(NAIVE) == "a date with time"
    assert sort_of(date(2026, 1, 1)) == "a date"


@given(st.decimals(allow_nan=False, allow_infinity=False, places=4, min_value=-(10**12), max_value=10**12))
def test_decimals_round_trip(number):
    for spec in ("decimal(4)", "decimal(6)", "decimal"):
        kind = parse_type(spec)
        value = kind.read(number)
        assert kind.read(kind.write(value)) == value
        assert kind.read(value) == value
        assert kind.number(value) == number
    assert number_of(plain(number)) == number


@given(st.datetimes(timezones=st.timezones()))
def test_datetimes_round_trip(moment):
    kind = parse_type("datetime")
    try:
        value = kind.read(moment)
    except Invalid:
        return  # at the very ends of the calendar
    assert kind.order(value) == moment.astimezone(UTC)
    assert kind.read(kind.write(value)) == value


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.decimals() | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=8,
)


@given(json_values.filter(lambda raw: raw is not None))
def test_every_native_is_a_value_or_invalid_and_round_trips(raw):
    for spec in ("json", "string", "integer", "decimal(2)", "decimal", "boolean", "date", "datetime", "set(string)", COLOURS):
        kind = parse_type(spec)
        try:
            value = kind.read(raw)
        except Invalid:
            continue
        assert kind.read(kind.write(value)) == value
