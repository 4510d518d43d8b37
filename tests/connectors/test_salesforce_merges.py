"""Merges in Salesforce that cannot be followed at once, in a whole syncd: asked about, and settled by the world or a person."""

from syncd.ledger.reading import read_only
from tests.connectors.test_salesforce_polled import polled
from tests.connectors.test_salesforce_sync import Company, company
from tests.daemon.test_serve import ask, daemon
from tests.daemon.world import until

__all__ = ["company"]  # the fixture


def asked(company: Company) -> list[tuple[int, str]]:
    """Return the open questions which records are one."""
    with read_only(company.world.config().ledger_path) as db:
        return db.execute("SELECT id, why FROM conflict WHERE state = 'open' AND kind = 'identity' ORDER BY id").fetchall()


def united(company: Company) -> list[str]:
    with read_only(company.world.config().ledger_path) as db:
        return [why for (why,) in db.execute("SELECT why FROM alias WHERE why LIKE '%one with%'").fetchall()]


def native(company: Company, number: int) -> str:
    """Return the id of a row of the ERP."""
    rows = company.world.platform("erp").things["items"]
    return next(key for key, one in rows.items() if one.item["sku"] == f"E-{number}")


async def twins(company: Company) -> tuple[str, str]:
    """Make two contacts that have a row each in the ERP, and merge them; nobody may delete a row of the ERP for it."""
    winner, loser = company.person(1), company.person(2)
    await until(lambda: bool(company.erp(1)) and bool(company.erp(2)))
    await company.quiet()
    company.salesforce.org.merge("Contact", winner, loser)
    await until(lambda: len(asked(company)) == 2)
    await company.quiet()
    assert (bool(company.erp(1)), bool(company.erp(2))) == (True, True)
    assert company.salesforce.writes == 0
    return winner, loser


async def test_two_rows_in_the_erp_are_a_question_until_one_of_them_is_deleted(company: Company) -> None:
    polled(company)
    async with daemon(company.world):
        winner, loser = await twins(company)
        [(number, why), _] = asked(company)
        assert f"salesforce made {loser} one with {winner}; both have a row in erp" in why
        answer = await ask(company.world, do="resolve", conflict=number, link=["E-1", "E-2"], by="ana")
        assert "delete one of the rows there and say it again" in answer["error"]
        company.world.platform("erp").remove("items", native(company, 2))
        await until(lambda: asked(company) == [] and united(company) == [f"salesforce made {loser} one with {winner}"])
        await company.quiet()
        assert company.world.items("erp").keys() == {"E-1"}
        assert company.salesforce.writes == 0


async def test_a_person_says_that_the_two_are_two(company: Company) -> None:
    """The one that Salesforce made an end of is made there again: so say the rules of deletions elsewhere (restore)."""
    polled(company)
    async with daemon(company.world):
        await twins(company)
        [(number, _), _] = asked(company)
        answer = await ask(company.world, do="resolve", conflict=number, split=True, by="ana")
        assert answer["ok"], answer
        await until(lambda: asked(company) == [] and company.salesforce.writes == 1)
        await company.quiet()
        table = company.salesforce.org.table("Contact")
        living = {row.now["ERP_Number__c"] for row in table.values() if not row.now["IsDeleted"]}
        assert living == {"E-1", "E-2"}
        assert company.world.items("erp").keys() == {"E-1", "E-2"}
        assert company.salesforce.writes == 1
