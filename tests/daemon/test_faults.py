"""Platforms that misbehave: nothing is lost, nothing is doubled, nothing else is stopped."""

from decimal import Decimal
from typing import Any

from syncd.connectors.memory import MemoryKind
from syncd.connectors.protocol import Page
from syncd.core.model import Abilities, Op, Write
from syncd.errors import OutcomeUnknown, TransientError
from syncd.ledger import attempts, breakers, letters, outbox
from syncd.ledger.store import Store
from tests.daemon.test_actions import do, filled, native, read
from tests.daemon.world import World


class Faulty:
    """Raises for the first so many writes, before or after they are applied."""

    def __init__(self, error: Exception, times: int = 1) -> None:
        self.error = error
        self.times = times

    def __call__(self, _: Write) -> None:
        if self.times > 0:
            self.times -= 1
            raise self.error


async def test_an_answer_lost_after_a_create_makes_no_second_one(world: World) -> None:
    world.shop_and_erp()
    world.put("erp", "1", sku="MUG-1", name="Mug", price="12.00", stock=3)
    world.platform("shop").after = Faulty(OutcomeUnknown("no answer"))
    await world.once()
    assert len(world.platform("shop").things["products"]) == 1
    assert world.requests("shop") == 1
    assert await read(world, attempts.open_attempts) == []
    before = world.requests("shop")
    await world.once()
    assert world.requests("shop") == before


async def test_an_answer_lost_after_an_update_is_sent_again_with_the_same_key(world: World) -> None:
    await filled(world)
    world.platform("shop").after = Faulty(OutcomeUnknown("no answer"))
    world.put("erp", "1", price="13.00")
    await world.once()
    keys = [write.key for write in world.platform("shop").requests if write.op is Op.UPDATE]
    assert len(keys) == 2
    assert len(set(keys)) == 1
    assert world.items("shop")["MUG-1"]["price"] == Decimal("13.00")


async def test_without_a_key_a_lost_answer_is_read_back(world: World) -> None:
    world.kind = MemoryKind(Abilities(guard=True, ordered=True, contiguous=True, answers=True))
    await filled(world)
    world.platform("shop").after = Faulty(OutcomeUnknown("no answer"))
    world.put("erp", "1", price="13.00")
    await world.once()
    assert len([write for write in world.platform("shop").requests if write.op is Op.UPDATE]) == 1
    [tried] = [t for t in await read(world, attempts.of_record, 1) if t.attempt.write.op is Op.UPDATE]
    assert tried.outcome == "done"


async def test_a_write_that_never_arrived_waits_until_it_cannot_arrive_any_more(world: World) -> None:
    world.kind = MemoryKind(Abilities(guard=True, ordered=True, answers=True, lifetime=300_000))
    await filled(world)
    world.platform("shop").before = Faulty(OutcomeUnknown("connection lost"))
    world.put("erp", "1", price="13.00")
    await world.once()
    assert world.items("shop")["MUG-1"]["price"] == Decimal("13.00")
    outcomes = [tried.outcome for tried in await read(world, attempts.of_record, 1)]
    assert outcomes == ["done", "not applied", "done"]


async def test_a_500_is_tried_again_and_counted(world: World) -> None:
    await filled(world)
    world.platform("shop").before = Faulty(TransientError("500", status=500, about_record=True), 2)
    world.put("erp", "1", price="13.00")
    assert (await world.once()).refused == 0
    assert world.items("shop")["MUG-1"]["price"] == Decimal("13.00")


async def test_a_500_for_ever_is_a_dead_letter_and_the_others_flow(world: World) -> None:
    await filled(world, 2)

    def broken(write: Write) -> None:
        if write.record == 1:
            raise TransientError("500 internal error", status=500, about_record=True)

    world.platform("shop").before = broken
    world.put("erp", "1", price="13.00")
    world.put("erp", "2", price="13.00")
    assert (await world.once()).refused == 1
    assert world.items("shop")["MUG-2"]["price"] == Decimal("13.00")
    [letter] = await read(world, letters.in_state)
    assert letter.record == 1
    assert await read(world, outbox.depth) == {}


async def test_a_429_is_waited_for_and_counts_nothing(world: World) -> None:
    await filled(world)
    world.platform("shop").before = Faulty(TransientError("429", status=429, retry_after=0.2), 5)
    world.put("erp", "1", price="13.00")
    done = await world.once()
    assert done.refused == 0
    assert world.items("shop")["MUG-1"]["price"] == Decimal("13.00")
    assert await read(world, letters.in_state) == []


async def test_a_platform_that_is_down_loses_nothing(world: World) -> None:
    await filled(world)
    world.platform("shop").down = True
    world.put("erp", "1", price="13.00")
    done = await world.once()
    assert "shop" in done.unread
    assert done.refused == 0
    assert await read(world, outbox.depth) == {"shop": 1}
    world.platform("shop").down = False
    await world.once()
    assert world.items("shop")["MUG-1"]["price"] == Decimal("13.00")


async def test_an_edit_between_look_and_write_is_not_covered(world: World) -> None:
    await filled(world)
    shop = world.platform("shop")
    one = native(world, "shop", "MUG-1")

    def edit(write: Write) -> None:
        shop.before = lambda _: None
        world.put("shop", one, note="typed by hand")

    shop.before = edit
    world.put("erp", "1", price="13.00")
    await world.once()
    item = world.items("shop")["MUG-1"]
    assert (item["price"], item["note"]) == (Decimal("13.00"), "typed by hand")


async def test_an_empty_list_where_there_were_rows_deletes_nothing(world: World) -> None:
    await filled(world, 5)
    world.platform("erp").things["items"] = {}
    done = await world.once()
    assert "erp" in done.unread
    assert done.tripped == 1
    assert len(world.items("shop")) == 5
    [breaker] = await read(world, breakers.standing)
    assert breaker.kind == "shrink"


async def test_a_deletion_needs_two_sweeps_and_a_read(world: World) -> None:
    await filled(world, 5)
    world.platform("erp").remove("items", "3")
    await world.once()
    assert len(world.items("shop")) == 5
    await world.once()
    assert "MUG-3" not in world.items("shop")
    assert len(world.items("shop")) == 4


async def test_a_row_deleted_where_that_does_not_count_is_made_again(world: World) -> None:
    await filled(world, 5)
    world.platform("shop").remove("products", native(world, "shop", "MUG-2"))
    await world.once()
    await world.once()
    assert len(world.items("shop")) == 5
    assert len(world.items("erp")) == 5


async def test_a_thing_that_cannot_be_understood_is_quarantined_alone(world: World, monkeypatch: Any) -> None:
    from syncd.core import decide

    world.shop_and_erp()
    for number in (1, 2, 3):
        world.put("erp", str(number), sku=f"MUG-{number}", name=f"Mug {number}", price="12.00", stock=3)
    real = decide.read_item

    def fragile(entity: Any, platform: str, item: Any) -> Any:
        if item.get("sku") == "MUG-2":
            raise RuntimeError("a bug in a transform")
        return real(entity, platform, item)

    for module in ("syncd.core.decide", "syncd.daemon.scene"):
        monkeypatch.setattr(f"{module}.read_item", fragile)
    await world.once()
    assert set(world.items("shop")) == {"MUG-1", "MUG-3"}
    [letter] = await read(world, letters.in_state)
    assert (letter.kind, letter.thing) == ("reading", "2")
    monkeypatch.undo()
    assert (await do(world, do="retry", letters=[letter.id]))["exit"] == 0
    assert set(world.items("shop")) == {"MUG-1", "MUG-2", "MUG-3"}


async def test_a_row_that_cannot_be_stored_does_not_stop_the_batch(world: World, monkeypatch: Any) -> None:
    from syncd.ledger import records

    world.shop_and_erp()
    for number in (1, 2, 3):
        world.put("erp", str(number), sku=f"MUG-{number}", name=f"Mug {number}", price="12.00", stock=3)
    real = records.record_row

    def picky(record: Any) -> Any:
        if record.key == "MUG-2":
            raise TypeError("not JSON")
        return real(record)

    monkeypatch.setattr("syncd.ledger.records.record_row", picky)
    await world.once()
    assert set(world.items("shop")) == {"MUG-1", "MUG-3"}
    assert [letter.thing for letter in await read(world, letters.in_state)] == ["2"]


async def test_a_sweep_that_breaks_off_proves_nothing(world: World, monkeypatch: Any) -> None:
    from syncd.connectors.memory import Memory

    await filled(world, 3)
    real = Memory.scan

    async def short(self: Memory, collection: str) -> Any:
        async for page in real(self, collection):
            yield Page(page.changes[:1])
            raise TransientError("connection lost")

    monkeypatch.setattr(Memory, "scan", short)
    for _ in range(3):
        assert set((await world.once()).unread) == {"erp", "shop"}
    assert len(world.items("shop")) == 3


async def test_a_ledger_in_use_is_not_touched(world: World) -> None:
    from syncd.config.model import Config
    from syncd.daemon.actions import alone

    await filled(world)
    async with world.runtime() as runtime:
        assert isinstance(runtime.store, Store)
        config: Config = runtime.config
        answer = await alone(config, {"do": "reconcile"})
    assert (answer["ok"], answer["exit"]) == (False, 75)
    assert "in use by process" in answer["error"]


async def test_a_blank_owner_is_shown_and_not_filled(world: World) -> None:
    await filled(world)
    world.put("erp", "1", name=None)
    await world.once()
    assert world.items("erp")["MUG-1"]["name"] is None
    assert world.items("shop")["MUG-1"]["title"] == "Mug 1"
    rows = (await do(world, do="reconcile"))["report"]["rows"]
    assert [(row["field"], row["platform"], row["why"]) for row in rows] == [("name", "erp", "held")]
