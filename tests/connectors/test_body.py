"""What may come in: strict JSON, with a reason for each refusal, and one broken thing never stops the others."""

import contextlib
import random
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syncd.connectors.body import Bad, BadBody, canonical, decode, encode, excerpt, flaw, parse, pick, placed

REFUSED = [
    (b"", "empty"),
    (b"  \n", "empty"),
    (b"<html>Sorry</html>", "not JSON"),
    (b"{'a': 1}", "not JSON"),
    (b"[1,]", "not JSON"),
    (b"[1]]", "not JSON"),
    (b'{"a": 01}', "not JSON"),
    (b'"a\ttab"', "not JSON"),
    (b'"caf\xe9"', "not UTF-8 at byte 4"),
    (b'"\xed\xa0\x80"', "not UTF-8"),
    (b"NaN", "NaN is not a number"),
    (b"[Infinity]", "Infinity is not a number"),
    (b'{"a": -Infinity}', "-Infinity is not a number"),
    (b'"\\ud800"', "lone surrogate"),
    (b'["\\udc00\\ud800"]', "lone surrogate"),
    (b'{"\\ud800": 1}', "lone surrogate"),
    (b"9223372036854775808", "beyond 64 bit"),
    (b"-9223372036854775809", "beyond 64 bit"),
    (b"1" * 65, "a number of 65 characters"),
    (b"1" * 5000, "a number of 5000 characters"),
    (b"0." + b"1" * 63, "a number of 65 characters"),
    (b"1e999", "out of range"),
    (b"1e-999", "out of range"),
    (b'{"a": 1, "b": {"c": 1, "c": 1}}', "key 'c' stands there twice"),
    (b"[" * 33 + b"]" * 33, "deeper than 32"),
    (b'{"a":' * 33 + b"1" + b"}" * 33, "deeper than 32"),
    (b"[" * 100_000, "deeper than 32"),
    (b"[" * 100_000 + b"]" * 100_000, "deeper than 32"),
    (b'{"a":' * 100_000, "deeper than 32"),
    (b'["' + b"[" * 400 + b'"' + b"[" * 400, "deeper than 32"),
]


@pytest.mark.parametrize(("data", "reason"), REFUSED, ids=range(len(REFUSED)))
def test_what_would_poison_the_ledger_is_refused_with_a_reason(data: bytes, reason: str) -> None:
    with pytest.raises(BadBody) as caught:
        decode(data)
    assert reason in caught.value.reason


@pytest.mark.parametrize(
    ("data", "value"),
    [
        (b"9223372036854775807", 2**63 - 1),
        (b"-9223372036854775808", -(2**63)),
        (b"12345678901234567890.0", Decimal("12345678901234567890.0")),
        (b"0.1", Decimal("0.1")),
        (b"1.10", Decimal("1.10")),
        (b"1e2", Decimal("1E+2")),
        (b'"a\\u0000b"', "a\0b"),
        (b'"\\ud83d\\ude00"', "\U0001f600"),
        (b'\xef\xbb\xbf{"a": null}', {"a": None}),
        (b'"' + b"[" * 1000 + b'"', "[" * 1000),
        (b'"' + b'{\\"' * 1000 + b'"', '{"' * 1000),
        (b"[" * 32 + b"]" * 32, None),
    ],
    ids=range(12),
)
def test_what_is_sound_comes_in_exactly(data: bytes, value: object) -> None:
    found = decode(data)
    if value is not None:
        assert found == value
        assert type(found) is type(value)


def test_one_broken_element_leaves_its_neighbours_alone() -> None:
    rows = [b'{"id":1,"n":"\\ud800"}', b'{"id":2,"n":NaN}', b'{"id":3,"n":1,"n":2}', b'{"id":4,"n":9223372036854775808}']
    rows += [b'{"id":5,"n":' + b"[" * 40 + b"]" * 40 + b"}", b'{"id":6,"n":1.50}']
    parsed = parse(b'{"data":[' + b",".join(rows) + b"]}")
    flaws = [parsed.flaw(row) for row in parsed.value["data"]]
    assert [bool(reason) for reason in flaws] == [True] * 5 + [False]
    assert parsed.value["data"][5] == {"id": 6, "n": Decimal("1.50")}


def test_a_broken_value_can_be_shown_safely() -> None:
    parsed = parse(b'{"id":3,"n":"\\ud800","n":1e999,"m":12.50}')
    assert isinstance(parsed.value, Bad)
    text = excerpt(parsed.value)
    assert text.isascii()
    assert "12.50" in text
    assert len(excerpt(["x" * 10_000])) == 500


@pytest.mark.parametrize("value", [2**64, -(2**63) - 1, "\ud800", {"a": "\udfff"}, Decimal("NaN"), object(), {1: 2}])
def test_what_json_cannot_hold_is_not_written(value: object) -> None:
    with pytest.raises(BadBody):
        encode({"a": value})


@pytest.mark.parametrize("value", [float("nan"), float("inf"), Decimal("-Infinity"), 2**63])
def test_a_flaw_is_found_in_values_from_a_database_too(value: object) -> None:
    assert flaw({"a": [value]})


def test_numbers_are_written_as_they_are() -> None:
    assert encode({"a": Decimal("12.50"), "b": [Decimal("0.1"), 3]}) == b'{"a":12.50,"b":[0.1,3]}'
    assert canonical({"b": 1, "a": Decimal("1.10")}) == b'{"a":1.10,"b":1}'


documents = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.text() | st.decimals(-(10**20), 10**20, places=4),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)


@given(documents)
def test_what_is_written_reads_back_the_same(value: object) -> None:
    assert decode(encode(value)) == value
    assert flaw(value) is None


@given(st.binary(max_size=200) | st.text(max_size=100).map(lambda text: text.encode("utf-8", "surrogatepass")))
def test_bytes_are_decoded_or_refused_and_nothing_else(data: bytes) -> None:
    with contextlib.suppress(BadBody):
        decode(data)


def test_torn_and_spoilt_bodies_are_decoded_or_refused_and_nothing_else() -> None:
    chance = random.Random(7)
    whole = b'{"data":[{"id":1,"name":"M\\u00fcg","price":12.50,"tags":["a","b"],"deep":{"a":[{"b":[1e5,-0.0]}]}}]}'
    for _ in range(3_000):
        spoilt = bytearray(whole)
        for _ in range(chance.randint(1, 4)):
            place = chance.randrange(len(spoilt))
            spoilt[place : place + chance.randint(0, 3)] = bytes(
                chance.choices(b'[]{}",:\\u0123eN\xff', k=chance.randint(0, 3))
            )
        try:
            parsed = parse(bytes(spoilt))
            parsed.flaw(parsed.value)
            excerpt(parsed.value)
        except BadBody:
            pass


def test_paths_find_and_place_without_touching_what_they_were_given() -> None:
    item = {"variants": [{"sku": "a"}, {"sku": "b"}], "meta": {"next": None}}
    assert pick(item, "variants.1.sku") == "b"
    assert pick(item, "variants.7.sku", "none") == "none"
    assert pick(item, "") is item
    changed = placed(item, "variants.1.sku", "c")
    assert changed["variants"] == [{"sku": "a"}, {"sku": "c"}]
    assert item["variants"][1] == {"sku": "b"}
