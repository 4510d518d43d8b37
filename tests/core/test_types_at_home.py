"""Each type against each thing that a platform can send: what fits, what it becomes, and what comes back when it is written."""

from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal

import pytest

from syncd.core.native import MAX_TEXT
from syncd.core.values import Invalid, parse_type

BERLIN = "Europe/Berlin"
NO = Invalid
# what platforms can send, by a name
NATIVES = {
    "true": True,
    "one": 1,
    "zero": 0,
    "two": 2,
    "one as Decimal": Decimal(1),
    "half": Decimal("0.5"),
    "5.0": Decimal("5.0"),
    "float": 0.5,
    "text": "abc",
    "text true": "true",
    "text True": "True",
    "text yes": "yes",
    "text 1": "1",
    "text 5.0": "5.0",
    "text 12,5": "12,5",
    "text of a date": "2026-01-31",
    "text of a moment": "2026-01-31T10:00:00Z",
    "a date": date(2026, 1, 31),
    "a naive moment": datetime(2026, 7, 1, 10),  # noqa: DTZ001 - as databases have them
    "a moment": datetime(2026, 7, 1, 10, tzinfo=timezone(timedelta(hours=2))),
    "a list": ["b", "a", "b"],
    "a list of numbers": [1],
    "an object": {"a": 1},
    "bytes": b"a",
    "NUL": "a\0b",
    "half a letter": "\ud83d",
    "16 MiB": "a" * MAX_TEXT,
    "16 MiB of two bytes": "ä" * (MAX_TEXT // 2),
    "16 MiB + 1": "a" * (MAX_TEXT + 1),
    "16 MiB + 1 in bytes": "ä" * (MAX_TEXT // 2) + "a",
    "largest": 2**63 - 1,
    "least": -(2**63),
    "too large": 2**63,
    "too small": -(2**63) - 1,
    "too large as text": str(2**63),
    "mail": "a@b.example",
    "address": "https://x.example/a",
    "phone": "+49 30 901820",
    "nan": Decimal("NaN"),
    "infinity": float("inf"),
}
AS_IT_IS = object()
TEXTS = {
    *("text", "text true", "text True", "text yes", "text 1", "text 5.0", "text 12,5", "text of a date", "text of a moment"),
    *("16 MiB", "16 MiB of two bytes", "too large as text", "mail", "address", "phone"),
}
JSON = TEXTS | {"true", "one", "zero", "two", "largest", "least", "a list", "a list of numbers", "an object"}
FITS: dict[str, dict[str, object]] = {
    "string": dict.fromkeys(TEXTS, AS_IT_IS),
    "text": dict.fromkeys(TEXTS, AS_IT_IS),
    "html": dict.fromkeys(TEXTS, AS_IT_IS),
    "email": {"mail": AS_IT_IS},
    "url": {"address": AS_IT_IS},
    "phone": {"phone": AS_IT_IS, "text of a date": AS_IT_IS, "too large as text": AS_IT_IS},
    "integer": {
        "one": 1, "zero": 0, "two": 2, "one as Decimal": 1, "text 1": 1,
        "largest": 2**63 - 1, "least": -(2**63),
    },
    "decimal(1)": {
        "one": "1.0", "zero": "0.0", "two": "2.0", "one as Decimal": "1.0", "half": "0.5", "5.0": "5.0", "float": "0.5",
        "text 1": "1.0", "text 5.0": "5.0", "largest": f"{2**63 - 1}.0", "least": f"{-(2**63)}.0",
        "too large": f"{2**63}.0", "too small": f"{-(2**63) - 1}.0", "too large as text": f"{2**63}.0",
    },
    "decimal(0)": {
        "one": "1", "zero": "0", "two": "2", "one as Decimal": "1", "5.0": "5", "text 1": "1", "text 5.0": "5",
        "largest": str(2**63 - 1), "least": str(-(2**63)), "too large": str(2**63), "too small": str(-(2**63) - 1),
        "too large as text": str(2**63),
    },
    "money": {
        "one": "1.00", "zero": "0.00", "two": "2.00", "one as Decimal": "1.00", "half": "0.50", "5.0": "5.00",
        "float": "0.50", "text 1": "1.00", "text 5.0": "5.00", "largest": f"{2**63 - 1}.00", "least": f"{-(2**63)}.00",
        "too large": f"{2**63}.00", "too small": f"{-(2**63) - 1}.00", "too large as text": f"{2**63}.00",
    },
    "boolean": {"true": True},
    "date": {"text of a date": "2026-01-31", "a date": "2026-01-31"},
    "datetime": {
        "text of a moment": "2026-01-31T10:00:00Z", "a naive moment": "2026-07-01T08:00:00Z",
        "a moment": "2026-07-01T08:00:00Z",
    },
    "enum": {"text": "abc", "text 1": "1"},
    "set(string)": {"a list": ["a", "b"]},
    "list(brand)": {"a list": ["b", "a", "b"], "a list of numbers": ["1"]},
    "ref(brand)": {
        **dict.fromkeys(TEXTS, AS_IT_IS),
        "one": "1", "zero": "0", "two": "2", "one as Decimal": "1", "5.0": "5",
        **{name: str(NATIVES[name]) for name in ("largest", "least", "too large", "too small")},
    },
    "json": {
        **dict.fromkeys(JSON, AS_IT_IS),
        "one as Decimal": 1, "half": 0.5, "5.0": 5, "float": 0.5,
    },
}
SQL = {"one": True, "zero": False, "one as Decimal": True}
FILE = {"text true": True}
AT_HOME = {("boolean", "sql"): SQL, ("boolean", "file"): FILE, ("boolean", ""): SQL | FILE}


def kind_of(name: str, home: str):
    spec = {"enum": ["abc", "1"]} if name == "enum" else name
    return parse_type(spec).at(BERLIN, home)


@pytest.mark.parametrize("home", ["", "rest", "sql", "file", "mqtt"])
@pytest.mark.parametrize("name", FITS)
def test_what_fits_and_comes_back(name, home):
    kind, wanted = kind_of(name, home), FITS[name] | AT_HOME.get((name, home), {})
    for native, raw in NATIVES.items():
        want = wanted.get(native, NO)
        if want is NO:
            with pytest.raises(Invalid) as caught:
                kind.read(raw)
            assert 0 < len(str(caught.value)) < 200, native
            continue
        value = kind.read(raw)
        assert value == (raw if want is AS_IT_IS else want), native
        assert type(value) is type(raw if want is AS_IT_IS else want), native
        assert kind.read(kind.write(value)) == value, native


@pytest.mark.parametrize("raw", [True, 1, 0, "true", "false", "1"])
def test_a_boolean_is_spelt_as_its_home_does(raw):
    """1 and 0 only in databases, "true" and "false" only in files; what is written is a boolean that the connector spells."""
    fits = {
        home: not isinstance(read(kind_of("boolean", home), raw), Invalid) for home in ("sql", "file", "rest", "mqtt", "odata")
    }
    always = raw is True
    assert fits == {
        "sql": always or (raw in (0, 1) and not isinstance(raw, str)),
        "file": always or raw in ("true", "false"),
        **dict.fromkeys(("rest", "mqtt", "odata"), always),
    }


def read(kind, raw):
    try:
        return kind.read(raw)
    except Invalid as error:
        return error


@pytest.mark.parametrize(
    ("zone", "raw", "want"),
    [
        (BERLIN, "2026-03-29T01:59:59", "2026-03-29T00:59:59Z"),
        (BERLIN, "2026-03-29T02:00:00", "was never the time in Europe/Berlin"),
        (BERLIN, "2026-03-29T02:59:59.999", "was never the time in Europe/Berlin"),
        (BERLIN, "2026-03-29T03:00:00", "2026-03-29T01:00:00Z"),
        (BERLIN, "2026-03-29T02:30:00+01:00", "2026-03-29T01:30:00Z"),  # with an offset it is a moment anywhere
        (BERLIN, "2026-03-29T02:30:00.500+0200", "2026-03-29T00:30:00.5Z"),  # as Salesforce writes it
        (BERLIN, "2026-10-25T01:59:59", "2026-10-24T23:59:59Z"),
        (BERLIN, "2026-10-25T02:30:00", "2026-10-25T00:30:00Z"),  # twice that night: the earlier
        (BERLIN, "2026-10-25T03:00:00", "2026-10-25T02:00:00Z"),
        (BERLIN, datetime(2026, 3, 29, 2, 30), "was never the time"),  # noqa: DTZ001
        (BERLIN, datetime(2026, 10, 25, 2, 30), "2026-10-25T00:30:00Z"),  # noqa: DTZ001
        (BERLIN, datetime(2026, 10, 25, 2, 30, fold=1), "2026-10-25T01:30:00Z"),  # noqa: DTZ001
        (BERLIN, datetime(2026, 10, 25, 0, 30, tzinfo=UTC), "2026-10-25T00:30:00Z"),
        ("America/New_York", "2026-03-08 02:30:00", "was never the time"),
        ("UTC", "2026-03-29T02:30:00", "2026-03-29T02:30:00Z"),
        ("Asia/Kolkata", "2026-03-29T02:30:00", "2026-03-28T21:00:00Z"),
        (BERLIN, "0001-01-01T00:00:00", "outside the years 1 to 9999"),
        ("America/New_York", "9999-12-31T23:59:59", "outside the years 1 to 9999"),
    ],
)
def test_naive_times_are_in_the_platforms_zone(zone, raw, want):
    found = read(parse_type("datetime").at(zone), raw)
    assert want in str(found)
    assert isinstance(found, Invalid) == (" " in want)
