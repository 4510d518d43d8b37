"""The small value types of the config language."""

from typing import Any

import pytest
from pydantic import BaseModel, ValidationError

from syncd.connectors.options import Limits, Marker, Poll, Watch, parse_duration, parse_rate, parse_size, parse_sweep, reveal
from syncd.connectors.signature import Webhook
from syncd.core.model import SECOND


@pytest.mark.parametrize(
    ("text", "micros"),
    [("250ms", 250_000), ("10s", 10 * SECOND), ("1.5h", 5400 * SECOND), ("5m", 300 * SECOND), ("2d", 172_800 * SECOND)],
)
def test_durations(text: str, micros: int) -> None:
    assert parse_duration(text) == micros


@pytest.mark.parametrize(("text", "rate"), [("2/s", 2), ("120/m", 2), ("7200/h", 2), ("0.5/s", 0.5)])
def test_rates(text: str, rate: float) -> None:
    assert parse_rate(text) == pytest.approx(rate)


@pytest.mark.parametrize(("text", "size"), [("500B", 500), ("64KB", 64_000), ("1MB", 1_000_000), ("2 MB", 2_000_000)])
def test_sizes(text: str, size: int) -> None:
    assert parse_size(text) == size


@pytest.mark.parametrize(
    ("text", "sweep"), [("15m", 900 * SECOND), ("0 1 * * *", "0 1 * * *"), ("15 2 * * 1-5", "15 2 * * 1-5")]
)
def test_sweeps(text: str, sweep: object) -> None:
    assert parse_sweep(text) == sweep


@pytest.mark.parametrize(
    ("model", "options", "kind"),
    [
        (Poll, {"every": 10}, "duration"),
        (Poll, {"every": "10"}, "duration"),
        (Poll, {"every": True}, "duration"),
        (Poll, {"every": "soon"}, "duration"),
        (Limits, {"rate": "0/s"}, "rate"),
        (Limits, {"rate": 5}, "rate"),
        (Limits, {"concurrency": 0}, "greater_than_equal"),
        (Limits, {"concurency": 1}, "extra_forbidden"),
        (Watch, {"sweep": "99 1 * * *"}, "cron"),
        (Watch, {"sweep": "daily"}, "duration"),
        (Marker, {"field": "status"}, "missing"),
        (Webhook, {"path": "/x", "verify": {"scheme": "standard-webhooks", "secret": "a"}, "max_body": "0MB"}, "size"),
        (Webhook, {"path": "/x", "verify": {"scheme": "standard-webhooks", "secret": "a"}, "max_body": 1000}, "size"),
        (Webhook, {"path": "x", "verify": {"scheme": "standard-webhooks", "secret": "a"}}, "value_error"),
    ],
)
def test_what_is_no_value_of_the_language_is_refused_by_its_kind(model: type[BaseModel], options: Any, kind: str) -> None:
    with pytest.raises(ValidationError) as caught:
        model.model_validate(options)
    assert [error["type"] for error in caught.value.errors()] == [kind]


def test_a_secret_is_looked_up_and_a_text_is_itself() -> None:
    assert reveal("secret:key", {"key": "value"}.__getitem__) == "value"
    assert reveal("plain", str.upper) == "plain"
