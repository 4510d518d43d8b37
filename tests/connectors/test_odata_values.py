"""Values, literals and ids of both versions: exact, and the same for the rest of syncd."""

from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syncd.connectors.body import parse
from syncd.connectors.odata.literals import id_in_address, id_of, key_of, literal, predicate
from syncd.connectors.odata.moments import Unfit
from syncd.connectors.odata.schema import Navigation, Property, Service, Structure
from syncd.connectors.odata.values import Values

BERLIN = ZoneInfo("Europe/Berlin")
GUID = "0050568f-11aa-1ee0-b4aa-0123456789ab"


def values(version: Any, *properties: Property, ways: tuple[Navigation, ...] = ()) -> tuple[Values, Structure]:
    shape = Structure("S.T", ("k",), {one.name: one for one in properties}, {one.name: one for one in ways})
    part = Structure("S.P", ("no",), {"no": Property("no", "Edm.Int64")}, {})
    return Values(Service(version, {}, {"S.T": shape, "S.P": part}), BERLIN), shape


READ = [
    ("v2", "Edm.Decimal", "12345678901234567890.10", Decimal("12345678901234567890.10")),
    ("v4", "Edm.Decimal", "0.1", Decimal("0.1")),
    ("v2", "Edm.Int64", "9223372036854775807", 9223372036854775807),
    ("v4", "Edm.Int64", "-1", -1),
    ("v4", "Edm.Int64", "9223372036854775808", "9223372036854775808"),
    ("v2", "Edm.Double", "1E+999", "1E+999"),
    ("v2", "Edm.Double", "1.5E+02", Decimal("1.5E+2")),
    ("v2", "Edm.Double", "NaN", "NaN"),
    ("v2", "Edm.DateTime", "/Date(1793491200000)/", "2026-11-01T00:00:00"),
    ("v2", "Edm.DateTime", "/Date(1793491200123)/", "2026-11-01T00:00:00.123000"),
    ("v2", "Edm.DateTime", "/Date(-86400000)/", "1969-12-31T00:00:00"),
    ("v2", "Edm.DateTimeOffset", "/Date(1793491200000+0060)/", "2026-11-01T00:00:00Z"),
    ("v2", "Edm.DateTimeOffset", "/Date(1793491200000)/", "2026-11-01T00:00:00Z"),
    ("v2", "Edm.DateTime", "/Date(253402300800000000)/", "/Date(253402300800000000)/"),
    ("v4", "Edm.DateTimeOffset", "2026-11-01T00:00:00.1234567Z", "2026-11-01T00:00:00.1234567Z"),
    ("v4", "Edm.Date", "2026-11-01", "2026-11-01"),
    ("v2", "Edm.Time", "PT10H05M00S", "10:05:00"),
    ("v2", "Edm.Time", "PT9H", "09:00:00"),
    ("v2", "Edm.Time", "PT0S", "00:00:00"),
    ("v4", "Edm.TimeOfDay", "10:05:00", "10:05:00"),
    ("v4", "Edm.Binary", "-_8=", "+/8="),
    ("v2", "Edm.Guid", GUID.upper(), GUID),
    ("v2", "Edm.Boolean", True, True),
    ("v2", "Edm.String", "0012", "0012"),
    ("v4", "Edm.Decimal", None, None),
]


@pytest.mark.parametrize(("version", "kind", "raw", "plain"), READ)
def test_what_a_service_says_becomes_plain_and_exact(version: str, kind: str, raw: Any, plain: Any) -> None:
    how, shape = values(version, Property("v", kind))
    found = how.thing(shape, {"v": raw, "__metadata": {"uri": "x"}, "v@odata.type": "#Decimal", "@odata.etag": "W/1"})
    assert found == {"v": plain}
    assert type(found["v"]) is type(plain)


def test_a_bare_day_of_version_2_is_a_day() -> None:
    how, shape = values("v2", Property("v", "Edm.DateTime", day=True))
    assert how.thing(shape, {"v": "/Date(1793491200000)/"}) == {"v": "2026-11-01"}
    assert how.thing(shape, {"v": "/Date(1793491200001)/"})["v"].startswith("2026-11-01T")


SENT = [
    ("v2", "Edm.Decimal", Decimal("0.10"), "0.10"),
    ("v4", "Edm.Decimal", Decimal("1E+3"), "1000"),
    ("v4", "Edm.Decimal", 12, "12"),
    ("v2", "Edm.Decimal", "12.50", "12.50"),
    ("v4", "Edm.Int64", 2**62, str(2**62)),
    ("v4", "Edm.Int32", 7, 7),
    ("v2", "Edm.Int32", "7", 7),
    ("v2", "Edm.Double", Decimal("1.5"), "1.5"),
    ("v4", "Edm.Double", Decimal("1.5"), Decimal("1.5")),
    ("v2", "Edm.DateTime", "2026-11-01", "/Date(1793491200000)/"),
    ("v2", "Edm.DateTime", "2026-10-31T23:00:00Z", "/Date(1793491200000)/"),  # midnight in Berlin
    ("v2", "Edm.DateTimeOffset", "2026-11-01T00:00:00Z", "/Date(1793491200000+0000)/"),
    ("v4", "Edm.DateTimeOffset", "2026-11-01T01:00:00+01:00", "2026-11-01T00:00:00Z"),
    ("v2", "Edm.Time", "10:05:00", "PT10H05M00S"),
    ("v4", "Edm.Binary", "+/8=", "-_8="),
    ("v2", "Edm.String", 12, "12"),
    ("v2", "Edm.Decimal", None, None),
    ("v4", "Edm.Boolean", False, False),
]


@pytest.mark.parametrize(("version", "kind", "plain", "raw"), SENT)
def test_what_is_written_is_exact(version: str, kind: str, plain: Any, raw: Any) -> None:
    how, shape = values(version, Property("v", kind))
    assert how.sent(shape, {"v": plain}) == {"v": raw}


@pytest.mark.parametrize(
    ("kind", "plain"),
    [
        ("Edm.Decimal", "dear"),
        ("Edm.Int32", Decimal("1.5")),
        ("Edm.Int32", True),
        ("Edm.DateTime", "soon"),
        ("Edm.DateTime", "2026-11-01T00:00:00.000001"),
        ("Edm.Time", "noon"),
    ],
)
def test_what_is_none_of_its_type_is_not_sent(kind: str, plain: Any) -> None:
    how, shape = values("v2", Property("v", kind))
    with pytest.raises(Unfit, match=r"^v: "):
        how.sent(shape, {"v": plain})


@pytest.mark.parametrize("version", ["v2", "v4"])
def test_what_is_expanded_is_nested_both_ways(version: str) -> None:
    how, shape = values(version, ways=(Navigation("many", "S.P", many=True), Navigation("one", "S.P", many=False)))
    inner = [{"no": "9007199254740993", "__metadata": {}}]
    raw = {"many": {"results": inner} if version == "v2" else inner, "one": {"no": "2"}}
    assert how.thing(shape, raw) == {"many": [{"no": 9007199254740993}], "one": {"no": 2}}
    assert how.thing(shape, {"many": {"__deferred": {"uri": "x"}}, "one": None}) == {"one": None}
    sent = how.sent(shape, {"many": [{"no": 1}]})
    assert sent == {"many": {"results": [{"no": "1"}]} if version == "v2" else [{"no": "1"}]}


def test_a_spoilt_value_stays_marked() -> None:
    how, shape = values("v4", Property("v", "Edm.Decimal"))
    parsed = parse(b'{"v": NaN}')
    found = how.thing(shape, parsed.value)
    assert parsed.flaw(found) == "NaN is not a number"


LITERALS = [
    ("Edm.String", "O'Neil", "'O''Neil'", "'O''Neil'"),
    ("Edm.Guid", GUID, f"guid'{GUID}'", GUID),
    ("Edm.Decimal", Decimal("1.00"), "1.00M", "1.00"),
    ("Edm.Int64", 5, "5L", "5"),
    ("Edm.Int32", 5, "5", "5"),
    ("Edm.Double", Decimal("1.5"), "1.5d", "1.5"),
    ("Edm.Boolean", True, "true", "true"),
    ("Edm.DateTimeOffset", "2026-11-20T10:00:00Z", "datetimeoffset'2026-11-20T10:00:00Z'", "2026-11-20T10:00:00Z"),
    ("Edm.Binary", "+/8=", "X'FBFF'", "binary'-_8='"),
    ("S.Colour", "Red", "S.Colour'Red'", "S.Colour'Red'"),
    ("Edm.String", None, "null", "null"),
]


@pytest.mark.parametrize(("kind", "plain", "old", "new"), LITERALS)
def test_literals_are_of_their_version(kind: str, plain: Any, old: str, new: str) -> None:
    told = Property("v", kind)
    assert [literal(told, plain, v2=v2, zone=BERLIN) for v2 in (True, False)] == [old, new]


def test_dates_of_one_version_only() -> None:
    naive = literal(Property("v", "Edm.DateTime"), "2026-11-20T10:00:00Z", v2=True, zone=BERLIN)
    assert naive == "datetime'2026-11-20T11:00:00'"
    assert literal(Property("v", "Edm.Time"), "10:05:00", v2=True, zone=BERLIN) == "time'PT10H05M00S'"
    assert literal(Property("v", "Edm.Date"), "2026-11-20", v2=False, zone=BERLIN) == "2026-11-20"
    assert literal(Property("v", "Edm.TimeOfDay"), "10:05:00", v2=False, zone=BERLIN) == "10:05:00"


@pytest.mark.parametrize(("kind", "plain"), [("Edm.Guid", "x"), ("Edm.Int32", "x"), ("Edm.Boolean", 1), ("Edm.Stream", "x")])
def test_what_fits_no_literal_is_said(kind: str, plain: Any) -> None:
    with pytest.raises(Unfit):
        literal(Property("v", kind), plain, v2=True, zone=BERLIN)


COMPOSITE = Structure(
    "S.T", ("Product", "No"), {"Product": Property("Product", "Edm.String"), "No": Property("No", "Edm.Int64")}, {}
)
SINGLE = Structure("S.T", ("Id",), {"Id": Property("Id", "Edm.String")}, {})


def test_a_composite_key_is_one_text_in_both_versions() -> None:
    assert id_of(COMPOSITE, {"Product": "O'N, x=1", "No": 7}) == "Product='O''N, x=1',No=7"
    key = key_of(COMPOSITE, "Product='O''N, x=1',No=7")
    assert key == {"Product": "O'N, x=1", "No": 7}
    assert predicate(COMPOSITE, key, v2=True, zone=BERLIN) == "(Product='O''N%2C%20x%3D1',No=7L)"
    assert predicate(COMPOSITE, key, v2=False, zone=BERLIN) == "(Product='O''N%2C%20x%3D1',No=7)"
    for none in ("Product='x'", "No=7,Product='x'", "Product='x',No=y", "7", "", "Product='x,No=7"):
        assert key_of(COMPOSITE, none) is None
    assert id_of(COMPOSITE, {"Product": "x"}) is None
    assert id_of(COMPOSITE, {"Product": "", "No": 1}) is None


@given(st.text(min_size=1), st.integers(-(2**63), 2**63 - 1))
def test_ids_and_keys_are_one(text: str, number: int) -> None:
    item = {"Product": text, "No": number}
    told = id_of(COMPOSITE, item)
    assert told is not None
    assert key_of(COMPOSITE, told) == item
    assert key_of(SINGLE, text) == {"Id": text}
    assert id_of(SINGLE, {"Id": text}) == text


@pytest.mark.parametrize(
    ("shape", "address", "native_id"),
    [
        (SINGLE, "http://h/svc/Things('O''N%2F1')", "O'N/1"),
        (SINGLE, "Things(Id='x')", "x"),
        (SINGLE, "Things('a(b)')", "a(b)"),
        (COMPOSITE, "http://h/S(Product='x%2Cy',No=7L)", "Product='x,y',No=7"),
        (SINGLE, "http://h/svc/Things", None),
        (COMPOSITE, "S(Product='x')", None),
    ],
)
def test_an_address_names_a_thing(shape: Structure, address: str, native_id: str | None) -> None:
    assert id_in_address(shape, address) == native_id
