"""The platform in memory: the model citizen of the contract."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from syncd.connectors.memory import Memory, MemoryKind
from syncd.connectors.registry import KINDS
from syncd.core.model import Abilities, Answer, Item, Op, Receipt, Via, Write
from syncd.errors import OutcomeUnknown, PermanentError
from tests.connectors.contract import Contract, World, changed, creation, done, scanned, setup_for, update


class MemoryWorld(World):
    """A platform in this process."""

    def __init__(self) -> None:
        kind = MemoryKind()
        things = {"id": "id", "deleted": {"field": "status", "is": "archived"}}
        super().__init__(kind, setup_for(kind, collections={"things": things}, keys=("sku",)))
        assert isinstance(self.connector, Memory)
        self.platform = self.connector.platform

    async def put(self, item: Item, native_id: str | None = None) -> str:
        one = native_id or self.platform.new_id()
        old = await self.held(one) or {"id": one}
        self.platform.put(self.collection, one, old | item)
        return one

    async def remove(self, native_id: str) -> None:
        self.platform.remove(self.collection, native_id)

    async def held(self, native_id: str) -> Item | None:
        thing = self.platform.things.get(self.collection, {}).get(native_id)
        return thing.item if thing else None

    async def writes(self) -> int:
        return len(self.platform.requests)

    async def down(self) -> None:
        self.platform.down = True


@pytest.fixture
async def world() -> AsyncIterator[MemoryWorld]:
    made = MemoryWorld()
    async with made.connector:
        yield made


class TestContract(Contract):
    """All promises."""


async def test_events_are_numbered_and_a_removal_is_one(world: MemoryWorld) -> None:
    one = await world.put(world.item("S-1"))
    await world.remove(one)
    found, cursor = await changed(world, None)
    assert [(change.via, change.gone, change.event_id) for change in found] == [
        (Via.EVENT, False, "things:1"),
        (Via.EVENT, True, "things:2"),
    ]
    assert cursor == "2"


async def test_versions_do_not_repeat_in_another_life(world: MemoryWorld) -> None:
    one = await world.put(world.item("S-1"))
    await world.remove(one)
    world.platform.put(world.collection, one, world.item("S-1"))
    [look] = await world.connector.read(world.collection, [one])
    assert look.version == 2


async def test_archiving_sets_the_marker(world: MemoryWorld) -> None:
    one = await world.put(world.item("S-1"))
    receipt = await done(world, await update(world, one, {}, op=Op.ARCHIVE))
    assert receipt.look is not None
    assert receipt.look.gone
    assert receipt.look.item is not None


async def test_an_answer_can_be_lost_after_the_write(world: MemoryWorld) -> None:
    def lose(write: Write) -> None:
        raise OutcomeUnknown(f"{write.op}: no answer")

    world.platform.after = lose
    [outcome] = await world.connector.apply([creation(world, world.item("S-1"), key="once")])
    assert isinstance(outcome, OutcomeUnknown)
    assert len(await scanned(world)) == 1
    world.platform.after = lambda _: None
    [again] = await world.connector.apply([creation(world, world.item("S-1"), key="once")])
    assert isinstance(again, Receipt)
    assert again.answer is Answer.DONE
    assert len(await scanned(world)) == 1


async def test_a_platform_may_normalise(world: MemoryWorld) -> None:
    world.platform.normalise = lambda item: item | {"name": item["name"].strip()}
    receipt = await done(world, creation(world, world.item("S-1", name=" Mug ")))
    assert receipt.look is not None
    assert receipt.look.item is not None
    assert receipt.look.item["name"] == "Mug"


async def test_what_it_keeps_is_its_own(world: MemoryWorld) -> None:
    one = await world.put(world.item("S-1", name="Mug"))
    [look] = await world.connector.read(world.collection, [one])
    assert look.item is not None
    look.item["name"] = "changed here only"
    [again] = await world.connector.read(world.collection, [one])
    assert again.item is not None
    assert again.item["name"] == "Mug"


def test_abilities_are_those_it_was_made_with() -> None:
    kind = MemoryKind(Abilities(guard=True, find=False))
    setup = setup_for(kind, collections={"things": {"id": "id"}}, write={"guard": "none"})
    able = kind.abilities(setup.connection, setup.collections["things"].options, setup.watch, setup.write)
    assert (able.guard, able.find) == (False, False)


async def test_things_are_loaded_from_a_file_and_outlive_a_connector(tmp_path: Path) -> None:
    (tmp_path / "shop.jsonl").write_text('{"id": 7, "price": 12.50}\n{"sku": "x"}\n')
    kind = MemoryKind()
    setup = setup_for(kind, connection={"load": "shop.jsonl"}, collections={"things": {"id": "id"}}, folder=str(tmp_path))
    async with kind.connect(setup) as there:
        assert [look.gone for look in await there.read("things", ["7", "1", "2"])] == [False, False, True]
    kind.platforms["there"].remove("things", "7")
    async with kind.connect(setup) as there:
        assert [look.gone for look in await there.read("things", ["7"])] == [True]


@pytest.mark.parametrize("text", ["{", '{"id": NaN}', '{"item": {}}', '{"collection": "none", "item": {}}', "5"])
async def test_a_file_that_cannot_be_loaded_is_named_with_its_line(tmp_path: Path, text: str) -> None:
    (tmp_path / "shop.jsonl").write_text('{"collection": "a", "item": {"id": "1"}}\n' + text)
    collections = {"a": {"id": "id"}, "b": {"id": "id"}}
    kind = MemoryKind()
    setup = setup_for(kind, connection={"load": "shop.jsonl"}, collections=collections, folder=str(tmp_path))
    async with kind.connect(setup) as there:
        with pytest.raises(PermanentError, match=r"shop\.jsonl:2: "):
            await there.read("a", ["1"])


async def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    kind = MemoryKind()
    setup = setup_for(kind, connection={"load": "none.jsonl"}, collections={"a": {"id": "id"}}, folder=str(tmp_path))
    async with kind.connect(setup) as there:
        with pytest.raises(PermanentError, match=r"none\.jsonl: No such file"):
            await there.read("a", ["1"])


def test_every_kind_is_registered_under_its_own_name() -> None:
    assert all(kind.name == name for name, kind in KINDS.items())
    assert {"memory", "rest"} <= set(KINDS)


async def test_a_made_thing_never_takes_the_id_of_a_loaded_one(tmp_path: Path) -> None:
    (tmp_path / "things.jsonl").write_text('{"id": "1", "sku": "A"}\n{"id": 3, "sku": "B"}\n')
    kind = MemoryKind()
    setup = setup_for(kind, collections={"things": {"id": "id"}}, connection={"load": "things.jsonl"}, folder=str(tmp_path))
    async with kind.connect(setup) as connector:
        writes = [Write(Op.CREATE, "there", "things", n, None, values={"sku": str(n)}) for n in (1, 2)]
        made = [receipt.id for receipt in await connector.apply(writes) if isinstance(receipt, Receipt)]
    assert made == ["2", "4"]


async def test_a_thing_says_when_it_was_changed_where_a_field_is_named(tmp_path: Path) -> None:
    (tmp_path / "things.jsonl").write_text('{"id": "1", "at": "1970-01-01T00:00:07Z"}\n{"id": "2"}\n')
    kind = MemoryKind()
    things = {"things": {"id": "id", "changed_at": "at"}}
    setup = setup_for(kind, collections=things, connection={"load": "things.jsonl"}, folder=str(tmp_path))
    async with kind.connect(setup) as connector:
        first, second = await connector.read("things", ["1", "2"])
    assert first.changed_at == 7_000_000
    assert second.changed_at is not None
    assert second.changed_at > 7_000_000
