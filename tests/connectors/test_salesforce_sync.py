"""Salesforce in a whole syncd: its change events go through ledger and rules to another platform, and ours back are silent."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest

from syncd.connectors.body import decode
from syncd.ledger import cursors
from syncd.ledger.reading import read_only
from tests.connectors.salesforce_feed import CONTACTS
from tests.connectors.salesforce_world import OAUTH, organisation
from tests.daemon.test_serve import daemon
from tests.daemon.world import World, memory, until
from tests.emulators.salesforce.bus import Bus, on_air
from tests.emulators.salesforce.server import Salesforce, serving

CONTACT = """
entity: contact
in:
  erp: {collection: items, create: true}
  salesforce: {collection: contacts, create: true}
identity:
  key: number
  match: [{by: number}]
  unmatched: {erp: create, salesforce: create}
fields:
  number: {type: string, truth: salesforce, map: {erp: sku, salesforce: ERP_Number__c}}
  name: {type: string, truth: {newest: [salesforce, erp]}, map: {erp: name, salesforce: LastName}}
  email: {type: string, truth: salesforce, map: {erp: email, salesforce: Email}}
  limit: {type: decimal(2), truth: erp, map: {erp: limit, salesforce: Credit_Limit__c}}
deletes:
  authority: salesforce
  then: {erp: delete}
  confirm: {sweeps: 1, wait: 0s}
  elsewhere: restore
safety: {shrink: {max: 9, ratio: 100%}}
"""


@dataclass
class Company:
    """An ERP in memory, and an organisation with its event bus."""

    world: World
    salesforce: Salesforce
    bus: Bus

    def platform(self, poll: str = "") -> None:
        text = f"""
            platform: salesforce
            connector: salesforce
            mode: enforce
            connection:
              login_url: {self.salesforce.url}
              oauth: {{client_id: {OAUTH["client_id"]}, client_secret: secret:sf}}
            watch: {{change_feed: {{channel: {CONTACTS}, address: "{self.bus.address}"}}{poll}, sweep: 1h}}
            collections:
              contacts: {{object: Contact, external_id: ERP_Number__c}}
        """
        self.world.write("platforms/salesforce.yaml", dedent(text))

    def person(self, number: int, **other: Any) -> str:
        values = {"LastName": f"Name {number}", "ERP_Number__c": f"E-{number}", "Email": f"p{number}@acme.example"}
        return self.salesforce.org.create("Contact", values | other)

    def erp(self, number: int) -> dict[str, Any]:
        return self.world.items("erp").get(f"E-{number}", {})

    def edit_erp(self, number: int, **values: Any) -> None:
        [native] = [key for key, one in self.world.platform("erp").things["items"].items() if one.item["sku"] == f"E-{number}"]
        self.world.put("erp", native, **values)

    def row(self, native_id: str) -> dict[str, Any]:
        return self.salesforce.org.table("Contact")[native_id].now

    @property
    def place(self) -> dict[str, Any]:
        """Return the feed's cursor as the ledger has it."""
        with read_only(self.world.config().ledger_path) as db:
            found = decode((cursors.position(db, "salesforce", "contacts") or "{}").encode())
        assert isinstance(found, dict)
        return found

    @property
    def scans(self) -> int:
        """Return how many full reads began."""
        return sum("ORDER BY Id" in one.query for one in self.salesforce.requests)

    async def listening(self) -> None:
        """Wait until the feed has its place in the stream."""
        await until(lambda: self.bus.sent_all and "replay" in self.place)

    async def quiet(self) -> tuple[int, int]:
        """Return how many writes both got, once nothing more comes."""
        before = (-1, -1)
        while before != (now := (self.salesforce.writes, self.world.requests("erp"))):
            before = now
            await asyncio.sleep(0.5)
        return now


@pytest.fixture
async def company(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Company]:
    monkeypatch.setenv("SYNCD_SECRET_SF", OAUTH["client_secret"])
    world, salesforce = World(tmp_path), organisation()
    async with serving(salesforce), on_air(salesforce, keepalive=0.2) as bus:
        made = Company(world, salesforce, bus)
        world.service()
        world.write("platforms/erp.yaml", memory("erp"))
        world.write("entities/contact.yaml", CONTACT)
        made.platform()
        yield made


async def test_an_edit_in_salesforce_reaches_the_erp_and_nothing_comes_back(company: Company) -> None:
    one = company.person(1)
    async with daemon(company.world):
        await until(lambda: company.erp(1).get("email") == "p1@acme.example")
        await company.listening()
        await company.quiet()
        writes = company.salesforce.writes
        company.salesforce.org.update("Contact", one, {"Email": "new@acme.example"})
        await until(lambda: company.erp(1).get("email") == "new@acme.example")
        await company.quiet()
        assert company.salesforce.writes == writes
        two = company.person(2)
        await until(lambda: company.erp(2).get("name") == "Name 2")
        company.salesforce.org.delete("Contact", two)
        await until(lambda: not company.erp(2))


async def test_our_own_edit_comes_back_as_an_event_and_is_silent(company: Company) -> None:
    one = company.person(1)
    async with daemon(company.world):
        await until(lambda: company.erp(1).get("name") == "Name 1")
        await company.listening()
        await company.quiet()
        writes = company.salesforce.writes
        company.edit_erp(1, limit="250.00")
        await until(lambda: str(company.row(one)["Credit_Limit__c"]) == "250.00")
        assert company.salesforce.org.events[-1].origin.endswith(";client=syncd")
        await company.quiet()
        assert company.salesforce.writes == writes + 1


async def test_what_was_missed_while_away_is_caught_up(company: Company) -> None:
    one = company.person(1)
    async with daemon(company.world):
        await until(lambda: bool(company.erp(1)))
        await company.listening()
    company.salesforce.org.update("Contact", one, {"LastName": "While away"})
    company.salesforce.requests.clear()
    async with daemon(company.world):
        await until(lambda: company.erp(1).get("name") == "While away")
        assert company.bus.subscriptions[-1].preset == 2
        assert company.scans == 0


async def test_a_place_that_is_too_old_leads_to_a_query_and_a_full_read(company: Company) -> None:
    one, gone = company.person(1), company.person(2)
    async with daemon(company.world):
        await until(lambda: bool(company.erp(1)) and bool(company.erp(2)))
        await company.listening()
    company.salesforce.org.update("Contact", one, {"LastName": "While away"})
    company.salesforce.org.delete("Contact", gone)
    company.salesforce.org.purge("Contact", gone)  # no query shows it any more
    company.bus.forget()
    company.salesforce.requests.clear()
    async with daemon(company.world):
        await until(lambda: company.erp(1).get("name") == "While away")
        await until(lambda: not company.erp(2), seconds=20)
        assert company.scans >= 1


async def test_streams_that_break_and_tokens_that_end_lose_nothing(company: Company) -> None:
    people = [company.person(number) for number in range(20)]
    async with daemon(company.world):
        await until(lambda: len(company.world.items("erp")) == 20, seconds=10)
        await company.listening()
        company.bus.size = 3
        for round_number in range(3):
            company.bus.break_after = 5
            company.salesforce.expire()
            for number, one in enumerate(people):
                company.salesforce.org.update("Contact", one, {"LastName": f"{number} in {round_number}"})
            await asyncio.sleep(0.3)
        await until(lambda: all(company.erp(number).get("name") == f"{number} in 2" for number in range(20)), seconds=20)
    assert company.salesforce.writes == 0


async def test_with_a_poll_an_event_that_never_came_is_found(company: Company) -> None:
    company.platform(", poll: {every: 300ms, overlap: 5s}")
    one = company.person(1)
    async with daemon(company.world):
        await until(lambda: bool(company.erp(1)))
        await company.listening()
        org = company.salesforce.org
        org.listeners.remove(company.bus.heard)
        org.update("Contact", one, {"LastName": "Unheard"})
        org.events.pop()
        org.listeners.append(company.bus.heard)
        await until(lambda: company.erp(1).get("name") == "Unheard")
        org.update("Contact", one, {"LastName": "Heard"})
        await until(lambda: company.erp(1).get("name") == "Heard")
        assert len(company.bus.open) <= 2
