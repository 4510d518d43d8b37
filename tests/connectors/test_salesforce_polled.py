"""Salesforce in a whole syncd, by polls: deletes and merges reach the other platform, each write is one request."""

from textwrap import dedent

import pytest

from syncd.config.online import Found
from syncd.daemon.probe import probe
from syncd.ledger.reading import read_only
from tests.connectors.salesforce_world import OAUTH
from tests.connectors.test_salesforce_sync import CONTACT, Company, company
from tests.daemon.test_serve import daemon
from tests.daemon.world import until

__all__ = ["company"]  # the fixture

NO_CREATE = CONTACT.replace("erp: {collection: items, create: true}", "erp: {collection: items, create: false}").replace(
    "authority: salesforce\n  then: {erp: delete}", "authority: manual"
)


def polled(company: Company, more: str = "", write: str = "{guard: hash}") -> None:
    """Let the organisation be polled."""
    text = f"""
        platform: salesforce
        connector: salesforce
        mode: enforce
        connection:
          login_url: {company.salesforce.url}
          oauth: {{client_id: {OAUTH["client_id"]}, client_secret: secret:sf}}
        watch: {{poll: {{every: 200ms, overlap: 5s}}, sweep: 1h}}
        write: {write}
        collections:
          contacts: {{object: Contact, external_id: ERP_Number__c{more}}}
    """
    company.world.write("platforms/salesforce.yaml", dedent(text))


def attempts(company: Company) -> int:
    """Return how many writes to Salesforce were begun."""
    with read_only(company.world.config().ledger_path) as db:
        [row] = db.execute("SELECT count(*) FROM attempt WHERE platform = 'salesforce'").fetchall()
    return int(row[0])


async def test_edits_and_deletes_are_noticed_and_nothing_comes_back(company: Company) -> None:
    polled(company)
    one, two = company.person(1), company.person(2)
    async with daemon(company.world):
        await until(lambda: company.erp(1).get("email") == "p1@acme.example" and bool(company.erp(2)))
        company.salesforce.org.update("Contact", one, {"LastName": "Edited"})
        company.salesforce.org.delete("Contact", two)
        await until(lambda: company.erp(1).get("name") == "Edited" and not company.erp(2))
        await company.quiet()
        assert company.salesforce.writes == 0


@pytest.mark.parametrize("write", ["{guard: hash}", "{batch: 50}"])
async def test_every_request_that_writes_is_an_attempt(company: Company, write: str) -> None:
    polled(company, ", field_times: history", write)
    ids = [company.person(number) for number in range(12)]
    async with daemon(company.world):
        await until(lambda: len(company.world.items("erp")) == 12)
        for number in range(12):
            company.edit_erp(number, limit=f"{number}.50")
        await until(lambda: all(str(company.row(one)["Credit_Limit__c"]) == f"{n}.50" for n, one in enumerate(ids)), seconds=20)
        await company.quiet()
    assert company.salesforce.writes <= attempts(company)
    assert attempts(company) == 12


async def test_a_merge_in_salesforce_is_followed_without_a_key_in_common(company: Company) -> None:
    company.world.write("entities/contact.yaml", NO_CREATE)
    company.world.put("erp", "i2", sku="E-2", name="Name 2", email="p2@acme.example", limit="5.00")
    polled(company)
    winner, loser = company.person(1), company.person(2)
    async with daemon(company.world):
        await until(lambda: str(company.row(loser)["Credit_Limit__c"]) == "5.00")
        await company.quiet()
        company.salesforce.org.merge("Contact", winner, loser)
        await until(lambda: company.erp(1).get("email") == "p1@acme.example")
        await until(lambda: str(company.row(winner)["Credit_Limit__c"]) == "5.00")
        await company.quiet()
    assert company.world.items("erp").keys() == {"E-1"}, "the row in the ERP is the winner's now"
    with read_only(company.world.config().ledger_path) as db:
        [why] = db.execute("SELECT why FROM alias WHERE why LIKE '%one with%'").fetchall()
    assert why[0] == f"salesforce made {loser} one with {winner}"


async def asked(company: Company) -> Found:
    """Return what ``check --online`` learns of the organisation."""
    return next(one for one in await probe(company.world.config()) if one.platform == "salesforce")


async def test_check_online_tells_of_login_schema_rights_and_scopes(company: Company, monkeypatch: pytest.MonkeyPatch) -> None:
    polled(company)
    company.person(1)
    found = await asked(company)
    assert (found.trouble, found.schema, found.clock != (0, 0)) == ("", "", True)
    [contacts] = found.collections
    assert (contacts.listed, contacts.rows, contacts.write, contacts.refused) == (True, 1, True, ())
    contact = company.salesforce.org.objects["Contact"]
    company.salesforce.org.objects["Contact"] = contact.extended(denied=frozenset({"createable", "updateable"}))
    [contacts] = (await asked(company)).collections
    assert contacts.write is False
    company.salesforce.org.objects["Contact"] = contact.without("Credit_Limit__c")
    assert (await asked(company)).schema == 'contacts: Contact has no field "Credit_Limit__c"'
    monkeypatch.setenv("SYNCD_SECRET_SF", "wrong")
    found = await asked(company)
    assert (found.refused, "invalid_client" in found.trouble, "wrong" in found.trouble) == (True, True, False)
