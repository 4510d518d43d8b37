"""JSON and times as text."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syncd.ledger.texts import dump, load, load_native, micros, when

natives = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(min_value=-(2**63), max_value=2**63 - 1)
    | st.decimals(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(st.characters(exclude_categories=["Cs"])), inner, max_size=3)
    ),
    max_leaves=8,
)


@given(natives)
def test_native_values_come_back_exactly(value: object) -> None:
    back = load_native(dump(value))
    assert back == value
    assert repr(back) == repr(value) or isinstance(value, dict | list), "a decimal keeps its places"


@pytest.mark.parametrize("number", ["12", "12.50", "-0.00", "1E+5", "123456789012345678901234567890", "0.1"])
def test_decimals_keep_sign_places_and_exponent(number: str) -> None:
    assert str(load_native(dump([Decimal(number)]))[0]) == number


@pytest.mark.parametrize("value", ["\ud800", 2**64, Decimal("NaN"), Decimal("Infinity"), object()])
def test_what_is_no_json_is_refused(value: object) -> None:
    with pytest.raises(TypeError):
        dump({"value": value})


def test_keys_are_sorted_at_every_level() -> None:
    assert dump({"b": {"d": 1, "c": 2}, "a": 0}) == '{"a":0,"b":{"c":2,"d":1}}'
    assert load('{"a":0}') == {"a": 0}


@given(st.integers(min_value=0, max_value=200_000_000 * 1_000_000 * 60))
def test_times_are_text_of_fixed_width_that_sorts_as_time_does(at: int) -> None:
    assert micros(when(at)) == at
    assert len(when(at)) == 27
    assert when(at) < when(at + 1)


def test_a_time_is_utc() -> None:
    assert when(1_763_682_330_000_001) == "2025-11-20T23:45:30.000001Z"
    assert micros("2025-11-20T23:45:30Z") == int(datetime(2025, 11, 20, 23, 45, 30, tzinfo=UTC).timestamp()) * 1_000_000
