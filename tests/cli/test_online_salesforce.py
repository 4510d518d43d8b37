"""`syncd check --online` against an emulated organisation: what login, description of the object and event bus say."""

import asyncio
import json
import sqlite3
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from syncd.cli.app import main
from tests.config.folders import write
from tests.connectors.salesforce_feed import CONTACTS
from tests.connectors.salesforce_world import OAUTH
from tests.emulators.salesforce.bus import Bus, on_air
from tests.emulators.salesforce.server import Salesforce, serving

ENTITY = """entity: contact
in: {erp: {collection: people}, salesforce: {collection: contacts}}
identity: {key: number, match: [{by: number}]}
fields:
  number: {type: string, truth: salesforce, map: {erp: number, salesforce: ERP_Number__c}}
  name: {type: string, truth: erp, map: {erp: name, salesforce: NAME}}
  limit: {type: decimal(2), truth: erp, map: {erp: credit, salesforce: Credit_Limit__c}}
deletes: {authority: manual}
"""
SALESFORCE = """platform: salesforce
connector: salesforce
mode: enforce
connection: {login_url: "URL", oauth: {client_id: CLIENT, client_secret: secret:sf}}
watch: {change_feed: {channel: CHANNEL, address: "ADDRESS"}, sweep: 1h}
collections:
  contacts: {object: OBJECT, external_id: ERP_Number__c}
"""
ERP = "platform: erp\nconnector: sql\nmode: enforce\nconnection: {dsn: DSN}\ncollections:\n  people: {table: people, id: id}\n"
Acme = tuple[Salesforce, Bus]
Capture = pytest.CaptureFixture[str]


@pytest.fixture
def acme(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Acme]:
    """Serve an organisation with one contact, and its bus, from another thread."""
    monkeypatch.setenv("SYNCD_SECRET_SF", OAUTH["client_secret"])
    with sqlite3.connect(tmp_path / "erp.db") as db:
        db.execute("CREATE TABLE people (id INTEGER PRIMARY KEY, number TEXT, name TEXT, credit TEXT)")
        db.execute("INSERT INTO people VALUES (1, 'E-1', 'Name', '5.00')")
    db.close()
    loop, over, begun = asyncio.new_event_loop(), asyncio.Event(), threading.Event()
    found: list[Acme] = []

    async def serve() -> None:
        salesforce = Salesforce()
        salesforce.org.create("Contact", {"LastName": "Name", "ERP_Number__c": "E-1", "Credit_Limit__c": "5.00"})
        async with serving(salesforce), on_air(salesforce, keepalive=0.2) as bus:
            found.append((salesforce, bus))
            begun.set()
            await over.wait()

    thread = threading.Thread(target=loop.run_until_complete, args=(serve(),), daemon=True)
    thread.start()
    assert begun.wait(30)
    yield found[0]
    loop.call_soon_threadsafe(over.set)
    thread.join()
    loop.close()


def configured(folder: Path, acme: Acme, changed: dict[str, str]) -> str:
    """Write the config; ``changed``: other words than the good ones."""
    salesforce, bus = acme
    words = {"URL": salesforce.url, "CLIENT": OAUTH["client_id"], "CHANNEL": CONTACTS, "ADDRESS": bus.address}
    words |= {"DSN": json.dumps(f"sqlite:///{folder}/erp.db"), "NAME": "LastName", "OBJECT": "Contact"} | changed
    files = {"platforms/erp.yaml": ERP, "platforms/salesforce.yaml": SALESFORCE, "entities/contact.yaml": ENTITY}
    for word, value in words.items():
        files = {path: text.replace(word, value) for path, text in files.items()}
    service = f"version: 1\nlisten: {{control: {folder}/control.sock}}\n"
    return str(write(folder / "config", {"syncd.yaml": service} | files))


def asked(folder: Path, acme: Acme, capsys: Capture, **changed: str) -> tuple[int, dict[str, Any], list[dict[str, Any]]]:
    exit_code = main(["--config", configured(folder, acme, changed), "check", "--online", "--format", "json"])
    document = json.loads(capsys.readouterr().out)
    shown = {one["platform"]: one for one in document["platforms"]}
    codes = [one for one in document["diagnostics"] if one["code"][1] == "3" and one["file"].endswith("salesforce.yaml")]
    return exit_code, shown["salesforce"], codes


def test_all_is_well(acme: Acme, tmp_path: Path, capsys: Capture) -> None:
    exit_code, shown, codes = asked(tmp_path, acme, capsys)
    assert (exit_code, codes) == (0, [])
    assert (shown["login"], shown["may_read"], shown["may_write"]) == ("ok", "yes", "3 of 3 fields")
    assert shown["schema"] == "3 of 3 fields, read 1"
    assert abs(shown["clock_s"]) < 2
    assert acme[0].writes == 0, "nothing is written to ask"
    assert acme[1].subscriptions == [], "and nothing is followed"


def test_a_login_that_is_refused(acme: Acme, tmp_path: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SYNCD_SECRET_SF", "no-such-secret")
    exit_code, shown, [told] = asked(tmp_path, acme, capsys)
    assert (exit_code, told["code"], shown["login"]) == (78, "E310", "refused")
    assert "invalid_client" in told["hint"]
    assert "no-such-secret" not in json.dumps(told)


def test_a_field_that_may_not_be_written_is_named(acme: Acme, tmp_path: Path, capsys: Capture) -> None:
    contact = acme[0].org.objects["Contact"]
    locked = replace(contact.fields["Credit_Limit__c"], system=True)
    acme[0].org.objects["Contact"] = contact.extended(locked)
    exit_code, shown, [told] = asked(tmp_path, acme, capsys)
    assert (exit_code, told["code"]) == (78, "E311")
    assert told["hint"] == "refused: contacts: Credit_Limit__c", "not the scopes of the login, which are good"
    assert "map what is only read with  direction: in" in told["fix"]
    assert (shown["login"], shown["may_read"], shown["may_write"]) == ("ok", "yes", "2 of 3 fields")


def test_an_object_that_may_not_be_written_at_all(acme: Acme, tmp_path: Path, capsys: Capture) -> None:
    denied = frozenset({"createable", "updateable"})
    acme[0].org.objects["Contact"] = acme[0].org.objects["Contact"].extended(denied=denied)
    exit_code, shown, [told] = asked(tmp_path, acme, capsys)
    assert (exit_code, told["code"], shown["may_write"]) == (78, "E311", "NO")
    assert told["hint"] == "refused: contacts: ERP_Number__c, LastName, Credit_Limit__c"


@pytest.mark.parametrize("right", ["createable", "updateable"])
def test_an_object_that_may_still_be_written_in_one_way(acme: Acme, tmp_path: Path, capsys: Capture, right: str) -> None:
    acme[0].org.objects["Contact"] = acme[0].org.objects["Contact"].extended(denied=frozenset({right}))
    exit_code, shown, codes = asked(tmp_path, acme, capsys)
    assert (exit_code, codes, shown["may_write"]) == (0, [], "3 of 3 fields")


@pytest.mark.parametrize(
    ("wrong", "hint"),
    [
        ({"NAME": "LastNam"}, 'contacts: Contact has no field "LastNam"; did you mean "LastName"'),
        ({"NAME": "lastname"}, 'contacts: Contact has no field "lastname"; did you mean "LastName"?'),
        ({"NAME": "Acount.Name"}, 'contacts: Contact has no parent "Acount"; did you mean "Account"?'),
        ({"NAME": "Account.Nam"}, 'contacts: Account has no field "Nam"; did you mean "Name"?'),
        ({"OBJECT": "Contakt"}, 'there is no object "Contakt" that this user may see'),
    ],
    ids=str,
)
def test_what_the_organisation_does_not_have_is_named(
    acme: Acme, tmp_path: Path, capsys: Capture, wrong: dict[str, str], hint: str
) -> None:
    exit_code, shown, [told] = asked(tmp_path, acme, capsys, **wrong)
    assert (exit_code, told["code"], shown["login"]) == (78, "E313", "ok")
    assert hint in told["hint"]


def test_a_channel_that_is_not_there(acme: Acme, tmp_path: Path, capsys: Capture) -> None:
    exit_code, shown, [told] = asked(tmp_path, acme, capsys, CHANNEL="/data/ContaktChangeEvent")
    assert (exit_code, told["code"], shown["login"]) == (78, "E313", "ok")
    assert "/data/ContaktChangeEvent" in told["hint"]
    assert "Is the channel right" in told["hint"]


def test_a_channel_that_the_user_may_not_hear(acme: Acme, tmp_path: Path, capsys: Capture) -> None:
    acme[1].barred = True
    exit_code, _, [told] = asked(tmp_path, acme, capsys)
    assert (exit_code, told["code"]) == (78, "E313")
    assert f"this user may not subscribe to {CONTACTS}" in told["hint"]
