"""The promises of a connector. Every kind's test inherits ``Contract`` and hands in its own ``World``.

A world is one connected platform with a hand of its own: edits that are not ours, what is really held, a switch that
takes the platform down. What a kind cannot do is skipped by its declared abilities; what it can do must be done right.
"""

import asyncio
import contextlib
import itertools
import time
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import pytest

from syncd.connectors.options import Limits, WritePolicy
from syncd.connectors.protocol import Batch, Collection, Connector, Kind, Setup
from syncd.core.model import Abilities, Answer, Change, Item, Op, Receipt, Via, Write
from syncd.errors import ConnectorError, OutcomeUnknown, StaleWrite, TransientError

TEXTS = [
    "plain",
    """it's "quoted", `ticked` and \\ slashed / <b>&amp;</b>; DROP TABLE things; --""",
    "Größe: 5 µm – naïve café",
    "日本語 العربية עברית",
    "👩‍👩‍👧‍👦 🏳️‍🌈",
    "two\nlines\tand a tab",
    "long " * 1000 + "end",
]
NUMBERS = [Decimal("0.1"), Decimal("12345678.91"), Decimal("-0.05"), Decimal("99999999.99")]


@dataclass(slots=True)
class Numbers:
    """The ledger's request numbers: strictly growing, and all that were handed out."""

    given: list[int] = field(default_factory=list)

    def __call__(self) -> int:
        self.given.append(len(self.given) + 1)
        return self.given[-1]


def clock() -> int:
    """Return our time in microseconds."""
    return time.time_ns() // 1000


def no_secret(name: str) -> str:
    raise TransientError(f"login: no secret {name}")


def setup_for(
    kind: Kind,
    *,
    platform: str = "there",
    connection: Mapping[str, Any] | None = None,
    watch: Mapping[str, Any] | None = None,
    collections: Mapping[str, Mapping[str, Any]],
    limits: Mapping[str, Any] | None = None,
    write: Mapping[str, Any] | None = None,
    fields: tuple[str, ...] = (),
    writes: tuple[str, ...] | None = None,
    keys: tuple[str, ...] = (),
    folder: str = ".",
    secret: Callable[[str], str] = no_secret,
    numbers: Callable[[], int] | None = None,
    now: Callable[[], int] = clock,
) -> Setup:
    """Return a setup, its options checked by the kind's own models: written as in a platform file."""
    return Setup(
        platform=platform,
        connection=kind.connection.model_validate(dict(connection or {})),
        watch=kind.watch.model_validate(dict(watch or {})),
        limits=Limits.model_validate(dict(limits or {})),
        write=WritePolicy.model_validate(dict(write or {})),
        collections={
            name: Collection(
                name,
                kind.collection.model_validate(dict(options)),
                fields=fields,
                writes=fields if writes is None else writes,
                keys=keys,
            )
            for name, options in collections.items()
        },
        timezone="UTC",
        folder=folder,
        number=numbers or Numbers(),
        now=now,
        secret=secret,
        state_dir=folder,
    )


def abilities_of(kind: Kind, setup: Setup, collection: str) -> Abilities:
    """Return what a kind says about one collection of a setup."""
    return kind.abilities(setup.connection, setup.collections[collection].options, setup.watch, setup.write)


class World(ABC):
    """One platform and the connector to it. A kind's test subclasses this.

    ``collection`` holds things with the paths ``sku`` (text, unique), ``name`` (text), ``price`` (a number with two places)
    and ``stock`` (an integer). ``streams``: ``changes`` does not end. ``wire``: ``writes`` counts what really arrived.
    """

    collection = "things"
    streams = False
    wire = True

    def __init__(self, kind: Kind, setup: Setup) -> None:
        self.kind = kind
        self.setup = setup
        self.connector: Connector = kind.connect(setup)
        self.able = abilities_of(kind, setup, self.collection)

    @property
    def numbers(self) -> Numbers:
        """Return the request numbers handed out so far."""
        numbers = self.setup.number
        assert isinstance(numbers, Numbers)
        return numbers

    def item(self, sku: str, **other: Any) -> Item:
        """Return a thing as this platform would show it, without its id. Override where all values are text."""
        return {"sku": sku, "name": "A thing", "price": Decimal("12.50"), "stock": 3} | other

    @abstractmethod
    async def put(self, item: Item, native_id: str | None = None) -> str:
        """Create a thing, or overwrite its paths, as somebody else would; return its native id."""

    @abstractmethod
    async def remove(self, native_id: str) -> None:
        """Delete a thing as somebody else would."""

    @abstractmethod
    async def held(self, native_id: str) -> Item | None:
        """Return what the platform really holds, None if there is no such thing."""

    @abstractmethod
    async def writes(self) -> int:
        """Return how many requests that change something reached the platform."""

    @abstractmethod
    async def down(self) -> None:
        """Take the platform away: whatever is asked of it from now on fails."""


def shown(change: Change | None, item: Item) -> Item:
    """Return the paths of ``item`` as a change shows them."""
    assert change is not None
    assert change.item is not None
    return {path: change.item.get(path) for path in item}


async def scanned(world: World) -> dict[str, Change]:
    """Return everything a complete scan shows, by id."""
    found: dict[str, Change] = {}
    pages = [page async for page in world.connector.scan(world.collection)]
    assert [page.last for page in pages] == [False] * (len(pages) - 1) + [True]
    assert pages[-1].complete, pages[-1].why
    for change in itertools.chain.from_iterable(page.changes for page in pages):
        assert change.id not in found, "shown twice"
        found[change.id] = change
    return found


async def batches(world: World, cursor: str | None, *, quiet: float = 0.6) -> AsyncIterator[Batch]:
    """Yield batches, acknowledged, until the feed ends or, for a stream, until it has been quiet for a while."""
    feed = aiter(world.connector.changes(world.collection, cursor))
    try:
        while True:
            try:
                batch = await asyncio.wait_for(anext(feed), quiet if world.streams else 10)
            except (StopAsyncIteration, TimeoutError):
                return
            yield batch
            if batch.ack is not None:
                await batch.ack()
    finally:
        with contextlib.suppress(ConnectorError):
            await feed.aclose()  # type: ignore[attr-defined]


async def changed(world: World, cursor: str | None) -> tuple[list[Change], str | None]:
    """Return all changes since a cursor, and the cursor to go on with."""
    found: list[Change] = []
    async for batch in batches(world, cursor):
        found += batch.changes
        cursor = batch.cursor if batch.cursor is not None else cursor
    return found, cursor


def creation(world: World, item: Item, *, key: str = "k1") -> Write:
    """Return a write that creates a thing."""
    return Write(Op.CREATE, world.setup.platform, world.collection, 1, None, values=item, key=key)


async def update(world: World, native_id: str, values: Item, *, key: str = "k2", op: Op = Op.UPDATE) -> Write:
    """Return a write planned from a fresh read, as the daemon does it."""
    [look] = await world.connector.read(world.collection, [native_id])
    item = look.item or {}
    before = {path: item.get(path) for path in values}
    place = (world.setup.platform, world.collection, 1, native_id)
    return Write(op, *place, version=look.version, values=values, before=before, item=look.item, key=key)


async def done(world: World, write: Write) -> Receipt:
    """Apply one write that must succeed, and check what every receipt promises."""
    [receipt] = await world.connector.apply([write])
    assert isinstance(receipt, Receipt), receipt
    assert receipt.answer is Answer.DONE
    assert receipt.id
    if receipt.atomic:
        assert world.able.answers
    if receipt.look is not None:
        assert receipt.look.id == receipt.id
        assert receipt.look.via is Via.READ
    return receipt


def needs(world: World, *abilities: str) -> None:
    """Skip a promise that this kind does not make."""
    for ability in abilities:
        if not getattr(world.able, ability):
            pytest.skip(f"{world.kind.name} cannot {ability}")


class Contract:
    """What every connector promises. The subclass has a fixture ``world`` that yields an entered, empty ``World``."""

    async def test_a_scan_shows_everything_once_and_says_it_is_complete(self, world: World) -> None:
        needs(world, "list")
        items = {await world.put(item): item for item in [world.item(f"S-{n}", stock=n) for n in range(7)]}
        found = await scanned(world)
        assert {one: shown(change, items[one]) for one, change in found.items()} == items

    async def test_an_empty_collection_scans_as_empty_and_complete(self, world: World) -> None:
        needs(world, "list")
        assert await scanned(world) == {}

    async def test_scan_and_read_are_reads_that_are_numbered_and_timed(self, world: World) -> None:
        needs(world, "list", "read")
        one = await world.put(world.item("S-1"))
        begun, number = clock(), world.numbers()
        looks = [*(await scanned(world)).values(), *await world.connector.read(world.collection, [one])]
        for look in looks:
            assert (look.platform, look.collection, look.via) == (world.setup.platform, world.collection, Via.READ)
            assert number < look.as_of <= world.numbers.given[-1], "as_of is a number taken by this request"
            assert begun <= look.seen_at <= clock()
        assert looks[-1].as_of > looks[0].as_of, "each request takes its own number"

    async def test_read_answers_for_every_id_what_is_there_and_what_is_gone(self, world: World) -> None:
        needs(world, "read")
        item = world.item("S-1")
        there, other = await world.put(item), await world.put(world.item("S-2"))
        await world.remove(other)
        looks = await world.connector.read(world.collection, [other, there])
        assert [(look.id, look.gone) for look in looks] == [(other, True), (there, False)]
        assert looks[0].item is None
        assert shown(looks[1], item) == item

    async def test_reading_nothing_is_no_request(self, world: World) -> None:
        needs(world, "read")
        assert await world.connector.read(world.collection, []) == []
        assert await world.connector.apply([]) == []

    async def test_an_id_that_is_no_id_here_is_gone_and_not_an_error(self, world: World) -> None:
        needs(world, "read")
        [look] = await world.connector.read(world.collection, ["99999999"])
        assert (look.id, look.gone, look.item) == ("99999999", True, None)

    async def test_find_is_exact_and_an_empty_answer_is_a_proof(self, world: World) -> None:
        needs(world, "find")
        wanted = await world.put(world.item("S-1"))
        for near in ("S-11", "S-", "XS-1", "S-%", "S_1", "S 1", "S+1", "S&1"):
            await world.put(world.item(near))
        assert [look.id for look in await world.connector.find(world.collection, "sku", "S-1")] == [wanted]
        for sku in ("S-%", "S 1", "S+1", "S&1"):
            assert [shown(one, {"sku": 0}) for one in await world.connector.find(world.collection, "sku", sku)] == [
                {"sku": sku}
            ]
        assert await world.connector.find(world.collection, "sku", "S-2") == []
        assert await world.connector.find(world.collection, "sku", "' OR '1'='1") == []

    async def test_a_thing_is_created_once_and_its_receipt_names_it(self, world: World) -> None:
        needs(world, "create")
        before = await world.writes()
        item = world.item("S-1")
        receipt = await done(world, creation(world, item))
        assert receipt.id is not None
        held = await world.held(receipt.id)
        assert held is not None
        assert {path: held.get(path) for path in item} == item
        if receipt.look is not None:
            assert shown(receipt.look, item) == item
        if world.wire:
            assert await world.writes() == before + 1

    async def test_an_update_changes_what_it_names_and_nothing_else(self, world: World) -> None:
        needs(world, "update")
        one = await world.put(world.item("S-1"))
        write = await update(world, one, {"name": "New name", "stock": world.item("", stock=9)["stock"]})
        before = await world.writes()
        receipt = await done(world, write)
        expected = world.item("S-1", name="New name", stock=9)
        assert receipt.id == one
        held = await world.held(one)
        assert held is not None
        assert {path: held.get(path) for path in expected} == expected
        if receipt.look is not None:
            assert shown(receipt.look, expected) == expected
        if world.wire:
            assert await world.writes() == before + 1

    async def test_null_is_written_as_null(self, world: World) -> None:
        needs(world, "update")
        one = await world.put(world.item("S-1"))
        await done(world, await update(world, one, {"name": None}))
        held = await world.held(one)
        assert held is not None
        assert held.get("name") in {None, world.item("", name=None)["name"]}

    async def test_a_deleted_thing_is_gone(self, world: World) -> None:
        needs(world, "delete")
        one, other = await world.put(world.item("S-1")), await world.put(world.item("S-2"))
        receipt = await done(world, await update(world, one, {}, op=Op.DELETE))
        assert receipt.id == one
        assert await world.held(one) is None
        assert await world.held(other) is not None

    async def test_writing_to_what_is_gone_says_so(self, world: World) -> None:
        needs(world, "update")
        one = await world.put(world.item("S-1"))
        write = await update(world, one, {"name": "Too late"})
        await world.remove(one)
        [outcome] = await world.connector.apply([write])
        assert isinstance(outcome, Receipt), outcome
        assert outcome.answer is Answer.GONE
        assert await world.held(one) is None

    async def test_the_guard_refuses_to_write_over_an_edit(self, world: World) -> None:
        needs(world, "update", "guard")
        one = await world.put(world.item("S-1"))
        write = await update(world, one, {"name": "Ours"})
        await world.put({"name": "Theirs"}, one)
        [outcome] = await world.connector.apply([write])
        assert isinstance(outcome, StaleWrite) or getattr(outcome, "answer", None) is Answer.STALE, outcome
        held = await world.held(one)
        assert held is not None
        assert held["name"] == "Theirs"

    async def test_versions_move_with_every_edit_and_only_then(self, world: World) -> None:
        needs(world, "read", "guard")
        one = await world.put(world.item("S-1"))
        [first] = await world.connector.read(world.collection, [one])
        [again] = await world.connector.read(world.collection, [one])
        await world.put({"name": "Theirs"}, one)
        [second] = await world.connector.read(world.collection, [one])
        assert first.version is not None
        assert first.version == again.version != second.version
        if world.able.ordered:
            assert isinstance(first.version, int)
            assert isinstance(second.version, int)
            assert first.version < second.version

    async def test_a_twin_is_refused_where_keys_are_unique(self, world: World) -> None:
        needs(world, "create", "unique")
        await world.put(world.item("S-1"))
        [outcome] = await world.connector.apply([creation(world, world.item("S-1"))])
        assert isinstance(outcome, Receipt), outcome
        assert outcome.answer is Answer.EXISTS

    async def test_a_repeated_key_repeats_the_answer(self, world: World) -> None:
        needs(world, "create", "keyed")
        first = await done(world, creation(world, world.item("S-1"), key="once"))
        again = await done(world, creation(world, world.item("S-1"), key="once"))
        assert first.id == again.id

    async def test_several_writes_are_answered_in_their_order(self, world: World) -> None:
        needs(world, "update")
        ids = [await world.put(world.item(f"S-{n}")) for n in range(5)]
        writes = [await update(world, one, {"name": f"Name {one}"}, key=f"k{one}") for one in ids]
        await world.remove(ids[2])
        outcomes = await world.connector.apply(writes)
        assert [getattr(outcome, "answer", outcome) for outcome in outcomes] == [
            Answer.DONE, Answer.DONE, Answer.GONE, Answer.DONE, Answer.DONE,
        ]  # fmt: skip
        for one in (ids[0], ids[4]):
            held = await world.held(one)
            assert held is not None
            assert held["name"] == f"Name {one}"

    @pytest.mark.parametrize("text", TEXTS, ids=range(len(TEXTS)))
    async def test_text_survives_both_ways(self, world: World, text: str) -> None:
        needs(world, "update", "read")
        one = await world.put(world.item("S-1", name=text))
        [look] = await world.connector.read(world.collection, [one])
        assert shown(look, {"name": 0}) == {"name": text}
        other = await world.put(world.item("S-2"))
        await done(world, await update(world, other, {"name": text}))
        held = await world.held(other)
        assert held is not None
        assert held["name"] == text

    @pytest.mark.parametrize("number", NUMBERS, ids=str)
    async def test_numbers_stay_exact_both_ways(self, world: World, number: Decimal) -> None:
        needs(world, "update", "read", "exact")
        item = world.item("S-1", price=number, stock=2**31 - 1)
        one = await world.put(item)
        [look] = await world.connector.read(world.collection, [one])
        assert shown(look, item) == item
        assert not isinstance(shown(look, item)["price"], float)
        other = await world.put(world.item("S-2"))
        values = {path: item[path] for path in ("price", "stock")}
        await done(world, await update(world, other, values))
        held = await world.held(other)
        assert held is not None
        assert {path: held[path] for path in values} == values

    async def test_changes_from_nothing_show_what_is_there(self, world: World) -> None:
        items = {await world.put(item): item for item in [world.item(f"S-{n}") for n in range(3)]}
        found, cursor = await changed(world, None)
        assert {change.id for change in found if not change.gone} == set(items)
        assert all(shown(change, items[change.id]) == items[change.id] for change in found)
        assert cursor is None or isinstance(cursor, str)

    async def test_changes_after_a_cursor_show_what_is_new(self, world: World) -> None:
        one, _ = await world.put(world.item("S-1")), await world.put(world.item("S-2"))
        _, cursor = await changed(world, None)
        await world.put({"name": "Edited"}, one)
        new = await world.put(world.item("S-3"))
        found, _ = await changed(world, cursor)
        assert {one, new} <= {change.id for change in found}
        assert shown([change for change in found if change.id == one][-1], {"name": 0}) == {"name": "Edited"}

    async def test_a_feed_resumed_from_any_of_its_cursors_misses_nothing(self, world: World) -> None:
        ids = {await world.put(world.item(f"S-{n}")) for n in range(5)}
        seen: set[str] = set()
        async for batch in batches(world, None):
            seen |= {change.id for change in batch.changes}
            rest, _ = await changed(world, batch.cursor) if batch.cursor is not None else ([], None)
            if batch.cursor is not None:
                assert ids <= seen | {change.id for change in rest}
        assert ids <= seen

    async def test_changes_are_numbered_and_timed(self, world: World) -> None:
        await world.put(world.item("S-1"))
        begun, number = clock(), world.numbers()
        found, _ = await changed(world, None)
        assert found
        for change in found:
            assert number < change.as_of <= world.numbers.given[-1]
            assert begun <= change.seen_at <= clock()

    async def test_a_platform_that_is_down_is_its_own_fault(self, world: World) -> None:
        one = await world.put(world.item("S-1"))
        write = await update(world, one, {"name": "x"}) if world.able.read else None
        await world.down()
        if world.able.read:
            with pytest.raises(TransientError) as caught:
                await world.connector.read(world.collection, [one])
            assert not caught.value.about_record
        if world.able.list:
            with pytest.raises(TransientError) as caught:
                await scanned(world)
            assert not caught.value.about_record
        if world.able.update and write is not None:
            try:
                [outcome] = await world.connector.apply([write])
            except TransientError as error:
                outcome = error
            assert isinstance(outcome, TransientError | OutcomeUnknown), outcome
            assert isinstance(outcome, OutcomeUnknown) or not outcome.about_record

    async def test_a_connector_starts_while_its_platform_is_down(self, world: World) -> None:
        await world.down()
        async with asyncio.timeout(20), world.kind.connect(world.setup) as fresh:
            if world.able.read:
                with pytest.raises(TransientError):
                    await fresh.read(world.collection, ["1"])

    async def test_a_scan_that_is_left_early_does_no_harm(self, world: World) -> None:
        needs(world, "list")
        for n in range(3):
            await world.put(world.item(f"S-{n}"))
        pages = aiter(world.connector.scan(world.collection))
        await anext(pages)
        await pages.aclose()  # type: ignore[attr-defined]
        assert len(await scanned(world)) == 3
