"""A bad hour in Salesforce, in a whole syncd: locked rows and a used-up quota cost time, never an edit, never a dead letter."""

import pytest

from syncd.connectors.salesforce import refusals
from syncd.ledger.reading import read_only
from tests.connectors.test_salesforce_polled import attempts, polled
from tests.connectors.test_salesforce_sync import Company, company
from tests.daemon.test_serve import daemon
from tests.daemon.world import until
from tests.emulators.salesforce.server import LOCKED, USED_UP, Fault

__all__ = ["company"]  # the fixture

MANY = 30


def dead(company: Company) -> int:
    with read_only(company.world.config().ledger_path) as db:
        [row] = db.execute("SELECT count(*) FROM dead_letter").fetchall()
    return int(row[0])


async def test_locked_rows_and_a_quota_that_is_used_up(company: Company, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(refusals, "DAY_IS_OVER", 0.5)
    polled(company, write="{guard: hash, retry: {attempts: 12, first: 20ms, max: 200ms}}")
    ids = [company.person(number) for number in range(MANY)]
    async with daemon(company.world):
        await until(lambda: len(company.world.items("erp")) == MANY, seconds=10)
        await company.quiet()
        assert company.salesforce.writes == 0
        company.salesforce.org.events.clear()
        locked = Fault(lambda asked: asked.writes, refused=LOCKED, times=2 * MANY)
        quota = Fault(lambda asked: asked.writes and locked.times <= MANY, refused=USED_UP)
        company.salesforce.faults += [quota, locked]
        for number in range(MANY):
            company.edit_erp(number, limit=f"{number}.25")
        await until(lambda: all(str(company.row(one)["Credit_Limit__c"]) == f"{n}.25" for n, one in enumerate(ids)), seconds=14)
        await company.quiet()
    assert company.salesforce.faults == [], "all of it happened"
    done = [one for one in company.salesforce.requests if one.writes and one.status == 204]
    assert len(done) == MANY, "each edit arrived once"
    assert len({one.path for one in done}) == MANY
    assert company.salesforce.writes == 3 * MANY + 1
    assert company.salesforce.writes <= attempts(company)
    assert dead(company) == 0
