"""The bus's messages byte by byte against the vendor's file, bitmaps of fields, and what is said when a library is missing."""

import builtins
import json
import os
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import grpc
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given
from hypothesis import strategies as st

from syncd.connectors.salesforce import bus, messages
from syncd.connectors.salesforce.events import Events, Unreadable, client_of, names, path_of
from syncd.connectors.salesforce.messages import (
    ConsumerEvent,
    FetchRequest,
    FetchResponse,
    ProducerEvent,
    SchemaInfo,
    SchemaRequest,
    TopicInfo,
    TopicRequest,
    decode,
    encode,
)
from syncd.errors import TransientError
from tests.connectors.salesforce_feed import following
from tests.emulators.salesforce.avro import HIDDEN, bitmaps, packed, schema_of
from tests.emulators.salesforce.bus import compiled, proto
from tests.emulators.salesforce.objects import ordinary
from tests.emulators.salesforce.org import Org

INT32 = st.integers(-(2**31), 2**31 - 1)
TEXT = st.text(max_size=200)
EVENT = st.builds(ProducerEvent, TEXT, TEXT, st.binary(max_size=300))
CONSUMED = st.builds(ConsumerEvent, EVENT, st.binary(max_size=20))
MESSAGES = st.one_of(
    st.builds(TopicRequest, TEXT),
    st.builds(TopicInfo, TEXT, TEXT, st.booleans(), st.booleans(), TEXT, TEXT),
    st.builds(SchemaRequest, TEXT),
    st.builds(SchemaInfo, TEXT, TEXT, TEXT),
    st.builds(FetchRequest, TEXT, st.integers(0, 2), st.binary(max_size=20), INT32, TEXT),
    st.builds(FetchResponse, st.lists(CONSUMED, max_size=4).map(tuple), st.binary(max_size=20), TEXT, INT32),
)


@pytest.fixture(scope="module")
def vendors() -> Any:
    path = proto()
    if path is None:
        assert not os.environ.get("CI"), "SYNCD_SHARED must lead to the vendor's pubsub_api.proto in CI"
        pytest.skip("SYNCD_SHARED is not set: the vendor's pubsub_api.proto is there")
    return compiled(path)


def theirs(made: Any, message: Any) -> Any:
    """Return the vendor's message with the same fields."""
    values = {name: getattr(message, name) for name, _ in messages.LAYOUT[type(message)].values()}
    if isinstance(message, FetchResponse):
        values["events"] = [theirs(made, one) for one in message.events]
    if isinstance(message, ConsumerEvent):
        values["event"] = theirs(made, message.event) if message.event != ProducerEvent() else None
    return getattr(made, type(message).__name__)(**values)


@given(message=MESSAGES)
def test_our_bytes_are_the_vendors(vendors: Any, message: Any):
    assert encode(message) == theirs(vendors, message).SerializeToString()


@given(message=MESSAGES)
def test_their_bytes_are_read_as_they_were_meant(vendors: Any, message: Any):
    assert decode(type(message), theirs(vendors, message).SerializeToString()) == message


def test_every_field_of_theirs_has_its_number_and_type(vendors: Any):
    kinds = {9: str, 12: bytes, 8: bool, 5: int, 14: int}
    for kind, layout in messages.LAYOUT.items():
        fields = vendors.DESCRIPTOR.message_types_by_name[kind.__name__].fields
        known = {one.number: (one.name, kinds.get(one.type)) for one in fields if one.name != "headers"}
        ours = {number: (name, None if inner in messages.LAYOUT else inner) for number, (name, inner) in layout.items()}
        assert ours == known, kind.__name__


def test_the_methods_stand_in_the_vendors_service(vendors: Any):
    service = vendors.DESCRIPTOR.services_by_name["PubSub"]
    assert f"/{service.full_name}/" == bus.SERVICE
    methods = {one.name: (one.input_type.name, one.output_type.name) for one in service.methods}
    assert methods["Subscribe"] == ("FetchRequest", "FetchResponse")
    assert methods["GetSchema"] == ("SchemaRequest", "SchemaInfo")
    assert methods["GetTopic"] == ("TopicRequest", "TopicInfo")


def test_what_is_not_known_is_passed_over():
    unknown = b"\x7a\x02hi" + b"\x71" + bytes(8) + b"\x6d" + bytes(4) + b"\x60\x05"
    assert decode(SchemaRequest, unknown + encode(SchemaRequest("x"))) == SchemaRequest("x")


@pytest.mark.parametrize(
    "broken", [b"\x0a", b"\x0a\x05hi", b"\x80" * 11, b"\x0b", b"\x02\x01a", b"\x0a\x02\xff\xfe", b"\x0d\x00"]
)
def test_what_is_no_message_is_refused(broken: bytes):
    with pytest.raises(ValueError):
        decode(SchemaRequest, broken)


# ---- bitmaps and events


def test_bitmaps_name_fields_and_parts_of_fields():
    schema = json.loads(schema_of(ordinary()["Contact"])[0])
    listed = [one["name"] for one in schema["fields"]]
    assert names(["0x01", "0x8000"], schema) == [listed[0], listed[15]]
    assert names([f"{listed.index('Name')}-0x03"], schema) == ["Name.LastName", "Name.FirstName"]
    assert names([], schema) == []
    assert names(["0x00"], schema) == []


CHANGEABLE = sorted(set(ordinary()["Contact"].fields) - HIDDEN)


@given(st.sets(st.sampled_from(CHANGEABLE)))
def test_bitmaps_lead_back_to_the_fields(wanted: set[str]):
    made = ordinary()["Contact"]
    schema = json.loads(schema_of(made)[0])
    found = names(bitmaps(sorted(wanted), schema, made), schema)
    assert {name.replace("MailingAddress.", "Mailing").removeprefix("Name.") for name in found} == wanted


@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("Phone", "Phone"),
        ("Name.FirstName", "FirstName"),
        ("MailingAddress.City", "MailingCity"),
        ("Where__c.Latitude__s", "Where__c.Latitude__s"),
    ],
)
def test_a_part_of_a_compound_field_is_known_by_its_path(name: str, path: str):
    assert path_of(name) == path


@pytest.mark.parametrize("wrong", ["0xzz", "999-0x01", "1-0xFFFF", "0x" + "F" * 40, "3-0x01"])
def test_a_bitmap_of_another_schema_is_refused(wrong: str):
    schema = json.loads(schema_of(ordinary()["Contact"])[0])
    with pytest.raises((ValueError, IndexError)):
        names([wrong], schema)


async def test_an_event_says_which_fields_changed_which_were_emptied_and_which_are_long():
    org = Org()
    one = org.create("Contact", {"LastName": "A", "Phone": "1"})
    org.update("Contact", one, {"LastName": "B", "Phone": None, "Description": "long " * 400})
    made = org.object("Contact")
    text, schema_id = schema_of(made)

    async def ask(wanted: str) -> str:
        assert wanted == schema_id
        return text

    event = ConsumerEvent(ProducerEvent("e", schema_id, packed(org.events[-1], made, 2)), b"r")
    told = await Events(ask).read(event)
    assert set(told.fields) == {"Name.LastName", "Phone", "Description", "LastModifiedDate", "LastModifiedById"}
    assert (told.kind, told.ids, told.whole, told.client) == ("UPDATE", (one,), False, "")
    assert told.modified == told.at
    with pytest.raises(Unreadable, match="event e"):
        await Events(ask).read(ConsumerEvent(ProducerEvent("e", schema_id, b"\x00"), b"r"))


async def test_what_is_no_schema_is_the_platforms_trouble():
    async def ask(wanted: str) -> str:
        return '{"type": "nothing"}' if wanted == "a" else "no JSON"

    for schema_id in ("a", "b"):
        with pytest.raises(TransientError, match="no Avro schema"):
            await Events(ask).read(ConsumerEvent(ProducerEvent("e", schema_id, b""), b"r"))


@pytest.mark.parametrize(
    ("origin", "client"),
    [
        ("com/salesforce/api/rest/67.0;client=syncd", "syncd"),
        ("com/salesforce/api/soap/67.0;user=x; client=GetCloudy", "GetCloudy"),
        ("com/salesforce/core;client=", ""),
        ("client=syncd", ""),
        ("", ""),
    ],
)
def test_the_client_stands_behind_the_origin(origin: str, client: str):
    assert client_of(origin) == client


# ---- libraries and certificates


@pytest.mark.parametrize("missing", ["grpc", "fastavro"])
async def test_a_missing_library_says_how_to_install_it(missing: str, monkeypatch: pytest.MonkeyPatch):
    real: Callable[..., Any] = builtins.__import__

    def without(name: str, *args: Any, **kwargs: Any) -> Any:
        if name == missing:
            raise ImportError(name)
        return real(name, *args, **kwargs)

    async with following() as world:
        one = world.person(1)
        if missing == "fastavro":
            world.follow()
            await world.at_rest()
        with monkeypatch.context() as patched:
            patched.setattr(builtins, "__import__", without)
            if missing == "grpc":
                world.follow()
            else:
                world.salesforce.org.objects["Contact"] = world.salesforce.org.objects["Contact"].without("Birthdate")
                world.bus.log.append(world.bus.log[-1])
                world.bus.poke()
            with pytest.raises(TransientError, match=r'pip install "syncd\[salesforce\]"'):
                await world.until(lambda: False)
        assert one


def certificate(folder: Path) -> tuple[bytes, bytes]:
    """Make a certificate for localhost, and leave it in a folder as its own authority."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    builder = builder.serial_number(1).not_valid_before(now - timedelta(days=1)).not_valid_after(now + timedelta(days=1))
    names = x509.SubjectAlternativeName([x509.DNSName("localhost"), x509.IPAddress(ip_address("127.0.0.1"))])
    made = builder.add_extension(names, critical=False).sign(key, hashes.SHA256())
    chain = made.public_bytes(serialization.Encoding.PEM)
    (folder / "ca.pem").write_bytes(chain)
    form = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    return key.private_bytes(*form), chain


async def test_elsewhere_than_on_loopback_it_is_tls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(bus, "LOCAL", ())
    credentials = grpc.ssl_server_credentials([certificate(tmp_path)])
    trusted = {"connection": {"tls": {"ca": "ca.pem"}}, "folder": str(tmp_path)}
    async with following(turned={"credentials": credentials}, **trusted) as world:
        world.follow()
        await world.at_rest()
        one = world.person(1)
        await world.until(lambda: world.last(one) is not None)


async def test_a_server_whom_nobody_vouches_for_is_not_spoken_to(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(bus, "LOCAL", ())
    monkeypatch.setattr("syncd.connectors.salesforce.feed.FIRST", 0.001)
    credentials = grpc.ssl_server_credentials([certificate(tmp_path)])
    async with following(turned={"credentials": credentials}) as world:
        world.follow()
        with pytest.raises(TransientError, match="UNAVAILABLE"):
            await world.until(lambda: False)
        assert not world.bus.subscriptions


async def test_a_certificate_that_is_not_there_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(bus, "LOCAL", ())
    way = bus.Way("localhost:1", bus.Tls(ca="no.pem"), None, 1.0, str(tmp_path), lambda name: name)
    with pytest.raises(TransientError, match=r"tls: .*no\.pem"):
        async with bus.Bus(way, lambda: None):  # type: ignore[arg-type, return-value]
            pass


async def test_the_bus_says_what_a_topic_is():
    async with following() as world:
        async with bus.Bus(bus.way_of(world.connector.setup), world.connector.org.bearer) as line:
            found = await line.topic("/data/ContactChangeEvent")
        assert found.can_subscribe
        assert found.schema_id == schema_of(world.salesforce.org.object("Contact"))[1]
