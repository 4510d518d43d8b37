"""The stream of Sanity: what happens is heard, and what happens while nobody hears is found by date."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest

from syncd.connectors.protocol import Batch
from syncd.connectors.sanity import listening
from syncd.core.model import Change, Via
from syncd.errors import PermanentError, TransientError
from tests.connectors.contract import creation, done
from tests.connectors.sanity_world import SanityWorld, world_of
from tests.emulators.sanity import Lake, hang_up

MUG = {"_id": "mug", "_type": "product", "sku": "S-1", "name": "Mug"}


class Ears:
    """Follows a feed in the background and keeps what it said."""

    def __init__(self, world: SanityWorld, cursor: str | None = None) -> None:
        self.heard: list[Change] = []
        self.sizes: list[int] = []
        self.cursor = cursor
        self.world = world
        self.task = asyncio.create_task(self._listen())

    async def _listen(self) -> None:
        async for batch in self.world.connector.changes("things", self.cursor):
            self._take(batch)

    def _take(self, batch: Batch) -> None:
        self.heard += batch.changes
        self.sizes.append(len(batch.changes))
        self.cursor = batch.cursor or self.cursor

    async def until(self, true: Callable[[], bool], seconds: float = 8) -> None:
        """Wait until something is so; raises what ended the feed, or TimeoutError."""
        async with asyncio.timeout(seconds):
            while not true():
                if self.task.done():
                    await self.task
                await asyncio.sleep(0.01)

    async def until_listening(self) -> None:
        """Wait until the emulator has a listener, and the query after its welcome is over."""
        await self.until(lambda: bool(self.world.lake.listeners) and self.caught_up >= 2)

    @property
    def caught_up(self) -> int:
        """Return how many queries by date were answered."""
        queries = [asked for asked in self.world.lake.requests if asked.what == "query" and asked.status]
        return sum("past" in asked.body["params"] for asked in queries)

    def said(self, name: str) -> list[Change]:
        """Return the looks that show a name."""
        return [change for change in self.heard if (change.item or {}).get("name") == name]


@asynccontextmanager
async def ears(lake: Lake | None = None, **stream: Any) -> AsyncIterator[Ears]:
    """Yield somebody who listens."""
    async with world_of(lake, streams=True, watch={"stream": stream}) as world:
        made = Ears(world)
        try:
            await made.until_listening()
            yield made
        finally:
            made.task.cancel()
            await asyncio.gather(made.task, return_exceptions=True)


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listening, "FIRST", 0.02)


async def test_edits_are_heard_as_reads_of_what_is_stored() -> None:
    async with ears() as made:
        await made.world.lake.put(MUG)
        await made.until(lambda: bool(made.said("Mug")))
        await made.world.lake.patch("mug", set={"name": "Cup"})
        await made.until(lambda: bool(made.said("Cup")))
        look = made.said("Cup")[0]
        assert (look.via, look.version) == (Via.READ, made.world.lake.documents["mug"]["_rev"])
        await made.world.lake.remove("mug")
        await made.until(lambda: made.heard[-1].gone)
        assert made.heard[-1].item is None


async def test_our_own_writes_are_heard_as_ours() -> None:
    async with ears() as made:
        await done(made.world, creation(made.world, {"sku": "S-9", "name": "Ours"}, key="e1-5"))
        await made.until(lambda: bool(made.said("Ours")))
        assert made.said("Ours")[0].own == "e1-5"


async def test_unpublishing_is_heard_and_drafts_are_not() -> None:
    async with ears() as made:
        lake = made.world.lake
        await lake.put(MUG)
        await made.until(lambda: bool(made.said("Mug")))
        await lake.put(MUG | {"_id": "drafts.mug", "name": "half written"})
        await lake.put({"_id": "acme", "_type": "brand"})
        await lake.remove("mug")
        await made.until(lambda: made.heard[-1].gone)
        assert {change.id for change in made.heard} == {"mug"}
        assert not [change for change in made.said("half written") if not change.gone]


@pytest.mark.parametrize("word", [None, "reconnect"])
async def test_a_stream_that_is_cut_is_opened_again_and_nothing_is_missed(word: str | None) -> None:
    async with ears() as made:
        lake = made.world.lake
        await lake.put(MUG)
        await made.until(lambda: bool(made.said("Mug")))
        for turn in range(3):
            await hang_up(lake, word)
            await lake.patch("mug", set={"name": f"Cup {turn}"})
            await made.until(lambda n=turn: bool(made.said(f"Cup {n}")))  # type: ignore[misc]
            await made.until_listening()
        assert sum(asked.what == "listen" for asked in lake.requests) == 4


async def test_what_happens_between_the_question_and_the_welcome_is_found() -> None:
    """The first query by date saw nothing yet; the listener was not heard before it was welcome."""
    lake = Lake()
    async with world_of(lake, streams=True, watch={"stream": {}}) as world:
        made = Ears(world)
        await made.until(lambda: any(asked.what == "query" for asked in lake.requests))
        await lake.load([MUG])  # told to nobody
        await made.until(lambda: bool(made.said("Mug")))
        made.task.cancel()
        await asyncio.gather(made.task, return_exceptions=True)


async def test_an_event_that_is_lost_is_found_by_the_next_query() -> None:
    async with ears(catch_up="200ms") as made:
        await made.world.lake.load([MUG])  # told to nobody
        await made.until(lambda: bool(made.said("Mug")))


async def test_a_silent_stream_counts_as_broken() -> None:
    async with ears(idle="300ms") as made:
        await made.world.lake.put(MUG | {"_id": "cup", "name": "Cup"})
        await made.until(lambda: bool(made.said("Cup")))
        await made.world.lake.load([MUG])
        await made.until(lambda: bool(made.said("Mug")))
        await made.until(lambda: sum(asked.what == "listen" for asked in made.world.lake.requests) >= 2)


async def test_a_stream_that_never_says_welcome_is_the_platforms_trouble() -> None:
    lake = Lake()
    lake.faults.silent = True
    async with world_of(lake, streams=True, watch={"stream": {"idle": "300ms"}}) as world:
        with pytest.raises(TransientError, match="no answer"):
            await Ears(world).task


async def test_the_cursor_is_moved_by_queries_and_not_by_events() -> None:
    async with ears() as made:
        lake = made.world.lake
        await lake.put(MUG)
        await made.until(lambda: bool(made.said("Mug")))
        assert made.cursor is None
        await hang_up(lake)
        await made.until(lambda: made.cursor == lake.documents["mug"]["_updatedAt"])


async def test_what_ends_a_stream_for_good_is_said() -> None:
    async with ears() as made:
        await hang_up(made.world.lake, "disconnect", {"reason": "dataset deleted"})
        with pytest.raises(TransientError, match="dataset deleted"):
            await made.task
    async with world_of(streams=True, watch={"stream": {"query": "*[_type =="}}) as world:
        with pytest.raises(PermanentError, match="the stream is refused"):
            await Ears(world).task


async def test_a_stream_that_cannot_be_opened_is_the_platforms_trouble() -> None:
    lake = Lake()
    lake.faults.answer(503, times=9, chosen=lambda asked: asked.what == "listen")
    async with world_of(lake, streams=True) as world:
        with pytest.raises(TransientError) as caught:
            await Ears(world).task
        assert not caught.value.about_record


async def test_a_look_that_is_older_than_its_event_is_repeated_and_then_a_hint(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listening, "LATE", (0.05, 0.05))
    async with ears() as made:
        lake = made.world.lake
        await lake.put(MUG)
        await made.until(lambda: bool(made.said("Mug")))
        lake.faults.stale = True
        await lake.patch("mug", set={"name": "Cup"})
        await made.until(lambda: made.heard[-1].via is Via.EVENT)
        assert (made.heard[-1].id, made.heard[-1].item) == ("mug", {})
        await lake.freshen()
        monkeypatch.setattr(listening, "LATE", (0.2, 0.5, 0.5))
        lake.faults.stale = True
        await lake.patch("mug", set={"name": "Glass"})
        await asyncio.sleep(0.1)
        await lake.freshen()
        await made.until(lambda: bool(made.said("Glass")))


async def test_many_edits_at_once_are_read_together() -> None:
    async with ears() as made:
        lake = made.world.lake
        await lake.edit([{"create": {**MUG, "_id": f"mug-{n}", "name": f"Mug {n}"}} for n in range(40)])
        await made.until(lambda: len({change.id for change in made.heard}) == 40)
        read = [asked for asked in lake.requests if asked.what == "query" and "_id in $ids]{" in asked.body["query"]]
        assert len(read) < 10


async def test_a_stream_of_several_types_tells_each_collection_of_its_own() -> None:
    async with ears(query='*[_type in ["product", "brand"]]') as made:
        lake = made.world.lake
        await lake.put({"_id": "acme", "_type": "brand", "name": "Acme"})
        await lake.put(MUG)
        await made.until(lambda: bool(made.said("Mug")))
        await lake.patch("acme", set={"name": "Other"})
        await lake.patch("mug", set={"name": "Cup"})
        await made.until(lambda: bool(made.said("Cup")))
        assert {change.id for change in made.heard} == {"mug"}


async def test_a_document_that_cannot_be_read_is_a_hint_and_stops_nothing() -> None:
    async with ears() as made:
        lake = made.world.lake
        await lake.put(MUG)
        await made.until(lambda: bool(made.said("Mug")))
        broken = b'{"result": [{"_id": "mug", "_type": "product", "_in_scope": true, "name": "\\ud800"}]}'
        lake.faults.answer(200, chosen=lambda asked: asked.what == "query", body=broken)
        await lake.patch("mug", set={"name": "Cup"})
        await made.until(lambda: made.heard[-1].via is Via.EVENT)
        await lake.patch("mug", set={"name": "Glass"})
        await made.until(lambda: bool(made.said("Glass")))


async def test_a_stream_of_its_own_filter_hears_no_more_than_that() -> None:
    async with ears(query='*[_type == "product" && sku != "S-1"]') as made:
        await made.world.lake.put(MUG)
        await made.world.lake.put(MUG | {"_id": "cup", "sku": "S-2", "name": "Cup"})
        await made.until(lambda: bool(made.said("Cup")))
        assert not made.said("Mug")


async def test_what_was_heard_of_while_queries_fail_is_kept_as_a_hint() -> None:
    """A deletion is told once and found by no query by date: whoever heard of it must not forget it."""
    async with ears() as made:
        lake = made.world.lake
        await lake.put(MUG)
        await made.until(lambda: bool(made.said("Mug")))
        lake.faults.answer(503, times=5, chosen=lambda asked: asked.what == "query")
        await lake.remove("mug")
        await made.until(lambda: made.heard[-1].via is Via.EVENT)
        assert (made.heard[-1].id, made.heard[-1].item) == ("mug", {})


async def test_a_burst_is_handed_on_in_parts() -> None:
    """A thousand events at once are not a thousand documents in memory at once."""
    async with ears() as made:
        lake = made.world.lake
        await lake.edit([{"create": {**MUG, "_id": f"mug-{n}", "name": f"Mug {n}"}} for n in range(1000)])
        await made.until(lambda: len({change.id for change in made.heard}) == 1000, 20)
        assert max(made.sizes) <= 100
