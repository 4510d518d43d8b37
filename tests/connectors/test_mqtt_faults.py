"""Brokers and sensors as they really are: lost connections, kills, refusals, payloads that are none."""

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import AsyncIterator
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from syncd.connectors.mqtt import Mqtt, MqttKind
from syncd.connectors.mqtt_topics import MqttCollection
from syncd.connectors.protocol import Batch, Broken
from syncd.core.model import Answer, Change, Op, Receipt, Via, Write
from syncd.errors import OutcomeUnknown, PermanentError, TransientError
from tests.connectors.contract import abilities_of
from tests.connectors.mqtt_world import MqttWorld
from tests.connectors.servers import Mosquitto, Relay, at

VERSIONS = pytest.mark.parametrize("protocol", ["5", "3.1.1"])


class Bench:
    """A connector with several collections, below a topic of its own."""

    def __init__(self, broker: Mosquitto, folder: Path, *, relay: Relay | None = None, **connection: Any) -> None:
        self.world = MqttWorld(broker.port, folder, relay=relay)
        self.root = self.world.root
        place = {"host": "127.0.0.1", "port": relay.port if relay else broker.port, "client_id": self.root} | connection
        given = {
            "levels": {"topic": f"{self.root}/{{id}}/level", "changed_at": "at", "write": {"topic": f"{self.root}/{{id}}/set"}},
            "states": {
                "topic": f"{self.root}/{{id}}/state",
                "write": {"topic": f"{self.root}/{{id}}/state", "retain": True},
            },
            "names": {
                "topic": f"{self.root}/{{id}}/name",
                "payload": "text",
                "write": {"topic": f"{self.root}/{{id}}/name", "retain": True},
            },
        }
        self.setup = self.world.setup_of(place, given, folder)
        for name, collection in self.setup.collections.items():
            self.setup.collections[name] = replace(collection, writes=("id", "level", "name", "a.b", ""))

    def connect(self) -> Mqtt:
        return Mqtt(self.setup)

    async def say(self, topic: str, payload: Any, **more: Any) -> None:
        await self.world.publish(f"{self.root}/{topic}", payload, **more)


@pytest.fixture
def bench(mosquitto: Mosquitto, tmp_path: Path) -> Bench:
    return Bench(mosquitto, tmp_path)


@contextlib.asynccontextmanager
async def feed(connector: Mqtt, collection: str = "levels") -> AsyncIterator[AsyncIterator[Batch]]:
    batches = connector.changes(collection, None)
    try:
        yield batches
    finally:
        await batches.aclose()  # type: ignore[attr-defined]


async def subscribed(connector: Mqtt) -> None:
    await connector._connected()


async def told(batches: AsyncIterator[Batch], count: int, *, ack: bool = True) -> list[Change | Broken]:
    """Return the next things that come."""
    found: list[Change | Broken] = []
    async with asyncio.timeout(10):
        while len(found) < count:
            batch = await anext(batches)
            found += [*batch.changes, *batch.broken]
            if ack and batch.ack:
                await batch.ack()
    return found


async def silent(connector: Mqtt, collection: str = "levels", seconds: float = 0.5) -> None:
    async with feed(connector, collection) as batches:
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(anext(batches), seconds)


# ---- acknowledged after the commit, and not before


KILLED = """
import asyncio, sys
from tests.connectors.contract import setup_for
from syncd.connectors.mqtt import MqttKind

async def main(port, root, ack):
    place = {"host": "127.0.0.1", "port": int(port), "client_id": root, "protocol": sys.argv[4]}
    setup = setup_for(MqttKind(), connection=place,
                      watch={"stream": {}}, collections={"levels": {"topic": root + "/{id}/level"}})
    async with MqttKind().connect(setup) as connector:
        print("ready", flush=True)
        async for batch in connector.changes("levels", None):
            if ack == "ack":
                await batch.ack()
                await asyncio.sleep(0.3)
            print("received", [change.item["level"] for change in batch.changes], flush=True)
            await asyncio.sleep(60)  # the commit that never comes

asyncio.run(main(*sys.argv[1:4]))
"""


async def killed_after_receipt(bench: Bench, ack: str, protocol: str) -> None:
    """Run another syncd's connector, let it receive a message, and kill it without warning."""
    port, here = str(bench.setup.connection.port), str(Path(__file__).parents[2])
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", KILLED, port, bench.root, ack, protocol, stdout=asyncio.subprocess.PIPE, cwd=here,
        env=os.environ | {"PYTHONPATH": here},
    )  # fmt: skip
    assert process.stdout is not None
    async with asyncio.timeout(20):
        assert await process.stdout.readline() == b"ready\n"
        await asyncio.sleep(0.5)
        await bench.say("A/level", {"level": 5})
        assert await process.stdout.readline() == b"received [5]\n"
    process.send_signal(signal.SIGKILL)
    await process.wait()


@VERSIONS
async def test_a_kill_between_receipt_and_commit_loses_nothing(mosquitto: Mosquitto, tmp_path: Path, protocol: str) -> None:
    bench = Bench(mosquitto, tmp_path, protocol=protocol)
    await killed_after_receipt(bench, "no", protocol)
    async with bench.connect() as connector, feed(connector) as batches:
        [again] = await told(batches, 1)
    assert isinstance(again, Change)
    assert (again.id, again.item) == ("A", {"id": "A", "level": 5})


@VERSIONS
async def test_what_was_acknowledged_does_not_come_again(mosquitto: Mosquitto, tmp_path: Path, protocol: str) -> None:
    bench = Bench(mosquitto, tmp_path, protocol=protocol)
    await killed_after_receipt(bench, "ack", protocol)
    async with bench.connect() as connector:
        await silent(connector)


async def test_a_batch_that_was_not_acknowledged_comes_again_at_once(bench: Bench) -> None:
    async with bench.connect() as connector:
        await subscribed(connector)
        await bench.say("A/level", {"level": 1})
        for ack in (False, True):
            async with feed(connector) as batches:
                [change] = await told(batches, 1, ack=ack)
                assert change.id == "A"
        await silent(connector)


@VERSIONS
async def test_what_is_said_while_we_are_away_waits_at_the_broker(mosquitto: Mosquitto, tmp_path: Path, protocol: str) -> None:
    bench = Bench(mosquitto, tmp_path, protocol=protocol)
    async with bench.connect() as connector:
        await subscribed(connector)
    for level in range(30):
        await bench.say("A/level", {"level": level})
    async with bench.connect() as connector, feed(connector) as batches:
        changes = await told(batches, 30)
    assert [change.item and change.item["level"] for change in changes if isinstance(change, Change)] == list(range(30))


async def test_a_lost_connection_is_told_and_what_was_underway_comes_again(mosquitto: Mosquitto, tmp_path: Path) -> None:
    async with Relay(at(mosquitto.port)) as relay:
        bench = Bench(mosquitto, tmp_path, relay=relay)
        async with bench.connect() as connector:
            await subscribed(connector)
            async with feed(connector) as batches:
                await bench.say("A/level", {"level": 1})
                await told(batches, 1, ack=False)
                port = await relay.cut_and_listen()
                with pytest.raises(TransientError):
                    await asyncio.wait_for(anext(batches), 10)
            assert port
            async with feed(connector) as batches:
                [again] = await told(batches, 1)
                assert again.id == "A"


async def test_acknowledgements_go_out_in_the_order_of_arrival(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    async with bench.connect() as connector:
        line = await connector._connected()
        sent: list[str] = []
        monkeypatch.setattr(line.session, "accept", lambda message: sent.append(str(message.topic).rpartition("/")[2]))
        async with feed(connector, "levels") as levels, feed(connector, "states") as states:
            for topic in ("A/level", "A/state", "B/level", "B/state"):
                await bench.say(topic, {"level": 1})
            await told(states, 2)
            assert sent == []
            await told(levels, 2)
    assert sent == ["level", "state", "level", "state"]


# ---- what comes


async def test_payloads(bench: Bench) -> None:
    said: list[tuple[str, bytes]] = [
        ("A", b'{"level": 1.10, "at": "2026-01-31T10:00:00Z"}'), ("B", b"7"), ("C", b'{"id": "own"}'), ("D", b""), ("E", b"{"),
        ("F", b'{"level": NaN}'), ("G", b'{"a": 1, "a": 2}'), ("H", b'"\\ud800"'), ("I", b"9223372036854775808"),
        ("J", b"\xff"), ("K", b'"' + b"x" * (1024 * 1024) + b'"'), ("L", b"[" * 40 + b"]" * 40), ("M", b"null"),
    ]  # fmt: skip
    async with bench.connect() as connector, feed(connector) as batches:
        await subscribed(connector)
        for one, payload in said:
            await bench.say(f"{one}/level", payload)
        found = await told(batches, len(said))
    changes = {one.id: one for one in found if isinstance(one, Change)}
    assert {one: change.item for one, change in changes.items()} == {
        "A": {"id": "A", "level": Decimal("1.10"), "at": "2026-01-31T10:00:00Z"}, "B": {"id": "B", "": 7}, "C": {"id": "own"},
        "D": None, "M": {"id": "M", "": None},
    }  # fmt: skip
    assert changes["A"].changed_at == 1769853600000000
    assert [changes[one].gone for one in "AD"] == [False, True]
    assert {change.via for change in changes.values()} == {Via.EVENT}
    broken = {one.id: one for one in found if isinstance(one, Broken)}
    assert set(broken) == set("EFGHIJKL")
    assert (broken["E"].where, broken["E"].raw) == (f"{bench.root}/E/level", "b'{'")


async def test_text_has_the_empty_path(bench: Bench) -> None:
    async with bench.connect() as connector, feed(connector, "names") as batches:
        await subscribed(connector)
        await bench.say("A/name", "Größe {")
        await bench.say("B/name", b"\xff")
        change, broken = await told(batches, 2)
    assert isinstance(change, Change)
    assert change.item == {"id": "A", "": "Größe {"}
    assert isinstance(broken, Broken)
    assert broken.id == "B"


async def test_a_topic_that_no_collection_has_any_more_is_quarantined_and_acknowledged(bench: Bench) -> None:
    async with bench.connect() as connector:
        await subscribed(connector)
    kept = bench.setup.collections.pop("states")
    await bench.say("A/state", {"level": 1})
    async with bench.connect() as connector, feed(connector) as batches:
        [broken] = await told(batches, 1)
    assert isinstance(broken, Broken)
    assert (broken.id, broken.where, broken.reason) == (None, f"{bench.root}/A/state", "no collection has this topic")
    bench.setup.collections["states"] = kept
    async with bench.connect() as connector:
        await silent(connector, "states")


async def test_a_scan_shows_what_is_retained_and_is_never_complete(bench: Bench) -> None:
    await bench.say("A/state", {"level": 1}, retain=True)
    await bench.say("A/level", {"level": 1}, retain=True)
    await bench.say("B/state", {"level": 2})
    async with bench.connect() as connector:
        [page] = [page async for page in connector.scan("states")]
    assert [(change.id, change.via) for change in page.changes] == [("A", Via.READ)]
    assert (page.last, page.complete, page.why) == (True, False, "topics cannot be listed")


# ---- what is said


async def outcome(connector: Mqtt, op: Op, one: str | None, values: Any, *, to: str = "levels", **more: Any) -> Any:
    [made] = await connector.apply([Write(op, "there", to, 1, one, values=values, **more)])
    return made


async def test_a_write_is_published_and_the_broker_has_it(bench: Bench) -> None:
    async with bench.connect() as connector:
        made = await outcome(connector, Op.UPDATE, "A", {"level": Decimal("5.50"), "a.b": None})
        assert made == Receipt(Answer.DONE, "A")
        own = await outcome(connector, Op.UPDATE, "A", {"level": 6}, to="states", item={"id": "A", "level": 5, "other": "x"})
        assert isinstance(own, Receipt)
        assert isinstance(await outcome(connector, Op.CREATE, None, {"id": "N", "": "new"}, to="names"), Receipt)
        async with feed(connector, "states") as states, feed(connector, "names") as names:
            [state], [name] = await told(states, 1), await told(names, 1)
    assert isinstance(state, Change)
    assert state.item == {"id": "A", "level": 6, "other": "x"}
    assert isinstance(name, Change)
    assert name.item == {"id": "N", "": "new"}


async def test_a_deletion_empties_a_retained_topic_of_its_own(bench: Bench) -> None:
    await bench.say("A/state", {"level": 1}, retain=True)
    able = {name: abilities_of(MqttKind(), bench.setup, name) for name in bench.setup.collections}
    assert [able[name].delete for name in ("levels", "states")] == [False, True]
    assert [able[name].whole for name in ("levels", "states")] == [False, True]
    async with bench.connect() as connector:
        assert isinstance(await outcome(connector, Op.DELETE, "A", {}, to="states"), Receipt)
        [page] = [page async for page in connector.scan("states")]
    assert page.changes == []


async def test_what_cannot_be_published_is_the_records_fault(bench: Bench) -> None:
    async with bench.connect() as connector:
        for made in (
            await outcome(connector, Op.UPDATE, "A/B", {"level": 1}),
            await outcome(connector, Op.UPDATE, "+", {"level": 1}),
            await outcome(connector, Op.CREATE, None, {"level": 1}),
            await outcome(connector, Op.UPDATE, "A", {"secret": 1}),
            await outcome(connector, Op.UPDATE, "A", {"": None}, to="names"),
        ):
            assert isinstance(made, PermanentError), made


async def test_a_lost_answer_is_in_doubt_and_no_connection_is_not(mosquitto: Mosquitto, tmp_path: Path) -> None:
    async with Relay(at(mosquitto.port)) as relay:
        bench = Bench(mosquitto, tmp_path, relay=relay)
        async with bench.connect() as connector:
            await subscribed(connector)
            relay.silence = b"/A/set"
            made = await outcome(connector, Op.UPDATE, "A", {"level": 5})
            assert isinstance(made, OutcomeUnknown), made
            relay.silence = None
            assert isinstance(await outcome(connector, Op.UPDATE, "A", {"level": 5}), Receipt)
            await relay.cut()
            await asyncio.sleep(0.2)
            made = await outcome(connector, Op.UPDATE, "A", {"level": 6})
            assert isinstance(made, TransientError), made


# ---- who may


@pytest.fixture
def guarded(tmp_path: Path) -> Any:
    folder = tmp_path / "guarded"
    folder.mkdir()
    (folder / "acl").write_text("user reader\ntopic read #\n")
    broker = Mosquitto(folder, "allow_anonymous false", f"password_file {folder}/users", f"acl_file {folder}/acl")
    broker.add_user("reader", "open sesame")
    broker.start()
    yield broker
    broker.stop()


@VERSIONS
async def test_logins(guarded: Mosquitto, tmp_path: Path, protocol: str) -> None:
    for password, said in (("wrong", "login: "), ("secret:x", "no secret x")):
        bench = Bench(guarded, tmp_path, protocol=protocol, user="reader", password=password)
        async with bench.connect() as connector, feed(connector) as batches:
            with pytest.raises(TransientError, match=said) as caught:
                await anext(batches)
            assert not caught.value.about_record
            assert "wrong" not in str(caught.value)
    bench = Bench(guarded, tmp_path, protocol=protocol, user="reader", password="secret:mqtt")
    object.__setattr__(bench.setup, "secret", {"mqtt": "open sesame"}.__getitem__)
    async with bench.connect() as connector:
        await subscribed(connector)
        made = await outcome(connector, Op.UPDATE, "A", {"level": 5})
        if protocol == "5":
            assert isinstance(made, TransientError), "MQTT 5 says that it was refused"
            assert "Not authorized" in str(made)


def test_topics_that_cannot_work_are_refused() -> None:
    for topic in ("shelf/level", "shelf/x-{id}/level", "shelf/{id}/{id}", "shelf/+/{id}", "{id}/#", "shelf/{sku}/{id}"):
        with pytest.raises(ValidationError, match="one level"):
            MqttCollection.model_validate({"topic": topic})
