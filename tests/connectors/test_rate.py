"""One budget per credential: pace, places, pauses, the day's allowance. Time is the loop's and never waited for."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from syncd.connectors.options import Limits
from syncd.connectors.rate import BELIEVED, LONGEST, Budget, retry_after
from syncd.errors import TransientError

pytestmark = pytest.mark.looptime


def budget(**limits: object) -> Budget:
    """Return a budget on the loop's own clock."""
    return Budget(Limits.model_validate(limits), now=asyncio.get_running_loop().time)


async def spend(allowed: Budget, times: int) -> float:
    """Take so many turns one after the other and return how long it took."""
    begun = asyncio.get_running_loop().time()
    for _ in range(times):
        async with allowed.turn():
            pass
    return asyncio.get_running_loop().time() - begun


async def test_the_pace_is_kept_after_the_burst() -> None:
    assert await spend(budget(rate="2/s", burst=4), 4) == pytest.approx(0)
    assert await spend(budget(rate="2/s", burst=4), 14) == pytest.approx(5)
    assert await spend(budget(rate="1/m", burst=1), 3) == pytest.approx(120)


async def test_without_a_rate_nothing_is_slowed() -> None:
    assert await spend(budget(), 1000) == pytest.approx(0)


async def test_parallel_callers_share_the_pace() -> None:
    allowed = budget(rate="10/s", burst=1, concurrency=50)
    begun = asyncio.get_running_loop().time()
    await asyncio.gather(*(spend(allowed, 1) for _ in range(21)))
    assert asyncio.get_running_loop().time() - begun == pytest.approx(2)


async def test_no_more_than_concurrency_run_at_once() -> None:
    allowed, running, most = budget(concurrency=3), 0, 0

    async def work() -> None:
        nonlocal running, most
        async with allowed.turn():
            running += 1
            most = max(most, running)
            await asyncio.sleep(1)
            running -= 1

    await asyncio.gather(*(work() for _ in range(10)))
    assert most == 3


async def test_a_short_pause_is_waited_for_and_a_long_one_is_handed_back() -> None:
    allowed = budget()
    allowed.throttled(3)
    assert await spend(allowed, 1) == pytest.approx(3)
    allowed.pause(100)
    with pytest.raises(TransientError) as caught:
        await spend(allowed, 1)
    assert caught.value.retry_after == pytest.approx(100)
    assert not caught.value.about_record


async def test_a_place_is_given_back_when_a_turn_is_refused() -> None:
    allowed = budget(concurrency=1)
    allowed.pause(100)
    for _ in range(3):
        with pytest.raises(TransientError):
            await spend(allowed, 1)
    await asyncio.sleep(100)
    assert await spend(allowed, 1) == pytest.approx(0)


async def test_a_429_slows_us_down_and_successes_give_the_pace_back() -> None:
    allowed = budget(rate="10/s", burst=1)
    allowed.throttled(None)
    assert allowed.slower == 2
    await spend(allowed, 1)
    assert await spend(allowed, 10) == pytest.approx(2)
    for _ in range(20):
        allowed.succeeded()
    assert allowed.slower == 1
    for _ in range(20):
        allowed.throttled(None)
    assert allowed.slower == 64


async def test_an_unlimited_platform_that_says_429_gets_a_pace() -> None:
    allowed = budget()
    allowed.throttled(None)
    await spend(allowed, 1)
    assert await spend(allowed, 10) == pytest.approx(1)


async def test_the_day_has_its_allowance() -> None:
    day = datetime(2026, 1, 31, 23, 0, tzinfo=UTC)
    allowed = Budget(Limits(daily=3), wall=lambda: day)
    await spend(allowed, 3)
    with pytest.raises(TransientError) as caught:
        await spend(allowed, 1)
    assert caught.value.retry_after == 3600
    day += timedelta(hours=1)
    await spend(allowed, 3)


async def test_the_platform_s_own_count_outlives_us_and_is_asked_again_after_a_while() -> None:
    allowed = budget(daily=40)
    await spend(allowed, 5)
    allowed.learned(39, 15_000)
    await spend(allowed, 5)
    allowed.learned(40, 15_000)
    with pytest.raises(TransientError, match="40 of the 40 requests") as caught:
        await spend(allowed, 1)
    assert (caught.value.retry_after, caught.value.about_record) == (BELIEVED, False)
    await asyncio.sleep(BELIEVED)
    await spend(allowed, 1)
    allowed.learned(12, 15_000)
    await spend(allowed, 100)
    open_ended = budget()
    open_ended.learned(15_000, 15_000)
    with pytest.raises(TransientError, match="15000 of the 15000"):
        await spend(open_ended, 1)


DATE = "Fri, 20 Nov 2026 10:00:00 GMT"


@pytest.mark.parametrize(
    ("value", "date", "seconds"),
    [
        ("0", None, 0),
        ("12", None, 12),
        (" 12 ", None, 12),
        ("999999999999", None, LONGEST),
        ("Fri, 20 Nov 2026 10:02:00 GMT", DATE, 120),
        ("Fri, 20 Nov 2026 09:00:00 GMT", DATE, 0),
        ("Fri, 20 Nov 2099 09:00:00 GMT", DATE, LONGEST),
        ("Fri, 20 Nov 1999 09:00:00 GMT", None, 0),
        (None, None, None),
        ("", None, None),
        ("soon", None, None),
        ("-5", None, None),
        ("1.5", None, None),
        ("\u0663", None, None),
        ("Fri, 99 Nov 2026 10:00:00 GMT", None, None),
    ],
)
def test_retry_after_is_seconds_or_a_date_and_junk_is_nothing(
    value: str | None, date: str | None, seconds: float | None
) -> None:
    assert retry_after(value, date=date) == seconds
