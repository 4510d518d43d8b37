"""When many writes at once are more likely a mistake, and which scans are believed."""

import pytest

from syncd.core.breaker import shrunk, trips
from syncd.core.rules import Limit


@pytest.mark.parametrize(
    ("limit", "count", "total", "trip"),
    [
        (Limit(None, None), 999, 1000, False),
        (Limit(5, None), 5, 1000, False),
        (Limit(5, None), 6, 1000, True),
        (Limit(None, 0.1), 100, 1000, False),
        (Limit(None, 0.1), 101, 1000, True),
        (Limit(None, 0.1), 1, 0, False),
        (Limit(200, 0.1), 201, 10_000, False),
        (Limit(200, 0.1), 150, 1000, False),
        (Limit(200, 0.1), 201, 1000, True),
    ],
)
def test_every_figure_that_is_named_must_be_exceeded(limit, count, total, trip):
    assert trips(limit, count, total) is trip


@pytest.mark.parametrize(
    ("lost", "known", "total", "disbelieved"),
    [(0, 0, 0, False), (77, 77, 0, True), (0, 77, 0, True), (0, 77, 77, False), (6, 20, 14, True), (6, 77, 71, False)],
)
def test_scans_that_lost_too_much_are_not_believed(lost, known, total, disbelieved):
    assert shrunk(Limit(5, 0.2), lost, known, total) is disbelieved
