"""Times in all the ways in which platforms write them."""

from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from syncd.connectors.times import moment_of, parse_time

TEN = 1_769_853_600_000_000  # 2026-01-31 10:00 UTC


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ("2026-01-31T10:00:00Z", TEN),
        ("2026-01-31T10:00:00.123456789Z", TEN + 123_456),
        (" 2026-01-31 15:30:00+05:30 ", TEN),
        ("2026-01-31 10:00:00+00", TEN),
        ("2026-01-31 11:00:00", TEN),
        ("2026-01-31", TEN - 11 * 3600 * 1_000_000),
        ("20260131", TEN - 11 * 3600 * 1_000_000),
        ("1769853600", TEN),
        ("1769853600.5", TEN + 500_000),
        (1_769_853_600, TEN),
        (Decimal("1769853600.25"), TEN + 250_000),
        (1_769_853_600_000, TEN),
        (TEN, TEN),
        (0, 0),
        (-1, -1_000_000),
    ],
)
def test_a_time_is_understood(raw: Any, expected: int) -> None:
    assert parse_time(raw, ZoneInfo("Europe/Berlin")) == expected


@pytest.mark.parametrize(
    "raw", [None, True, "", "soon", "infinity", [], {}, Decimal("NaN"), 10**30, Decimal("1e400"), "9" * 40, "١٧٦٩٨٥٣٦٠٠", 1.5]
)
def test_what_is_no_time_is_none(raw: Any) -> None:
    assert parse_time(raw) is None


def test_a_moment_comes_back() -> None:
    assert moment_of(TEN).isoformat() == "2026-01-31T10:00:00+00:00"
    with pytest.raises(OverflowError):
        moment_of(10**18)
