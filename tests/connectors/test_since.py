"""Polls by time: from when is asked, and what a long list may say of the time it took."""

from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from aiohttp import web

from syncd.connectors.options import Poll
from syncd.connectors.since import ask_from, latest, moment_text, time_of
from syncd.core.model import SECOND, Change, Via
from tests.connectors.test_rest import talking

AT = 1769853601 * SECOND  # 2026-01-31T10:00:01Z


@pytest.mark.parametrize(
    ("cursor", "overlap", "form", "expected"),
    [
        (None, "5s", "rfc3339", "1970-01-01T00:00:00Z"),
        ("nonsense", "5s", "epoch", "0"),
        ("2026-01-31T10:00:01Z", "5s", "rfc3339", "2026-01-31T09:59:56Z"),
        ("2026-01-31T10:00:01.5Z", "0s", "rfc3339", "2026-01-31T10:00:01.500000Z"),
        ("2026-01-31T10:00:01Z", "1s", "epoch", "1769853600"),
        ("2026-01-31T10:00:01Z", "1s", "epoch_ms", "1769853600000"),
    ],
)
def test_the_moment_to_ask_from(cursor: str | None, overlap: str, form: str, expected: str) -> None:
    poll = Poll.model_validate({"every": "1s", "overlap": overlap})
    assert ask_from(cursor, poll, form) == expected


def test_the_time_of_a_thing_and_the_latest_of_all() -> None:
    change = Change("p", "c", "1", Via.READ, 1, 1, item={"at": "2026-01-31 11:00:01"}, changed_at=5)
    poll = Poll.model_validate({"every": "1s", "cursor": "at"})
    assert time_of(change, None, UTC) == 5
    assert time_of(change, poll, ZoneInfo("Europe/Berlin")) == AT
    assert latest([None, 3, 9, 7], before=9) == 7
    assert latest([3, 9], before=None) == 9
    assert latest([None], before=5) is None
    assert moment_text(AT) == "2026-01-31T10:00:01Z"


async def test_an_edit_while_a_long_list_is_read_is_not_passed_over() -> None:
    """The thing of page 2 was edited after page 1 was read: what was edited on page 1 in between is asked for again."""
    began, later = datetime(2026, 1, 31, 10, tzinfo=UTC), datetime(2026, 1, 31, 11, tzinfo=UTC)

    def answer(request: web.Request) -> Any:
        page = int(request.query["page"])
        things = [[{"id": 1, "at": "2026-01-31T09:00:00Z"}], [{"id": 2, "at": "2026-01-31T10:30:00Z"}], []][page - 1]
        return web.json_response(things, headers={"Date": format_datetime(began if page == 1 else later, usegmt=True)})

    collection = {"list": "GET /things?page={page}", "changed_at": "at"}
    async with talking(answer, collection) as (connector, _):
        cursors = [batch.cursor async for batch in connector.changes("things", None)]
    assert cursors[-1] == "2026-01-31T10:00:01Z", "the end of the second in which the list was begun"
