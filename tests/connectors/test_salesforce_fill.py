"""A first fill of Salesforce by ingest jobs, through a whole syncd: every row once, every row an attempt."""

from textwrap import dedent

import pytest

from syncd.connectors.salesforce import ingest
from tests.connectors.salesforce_world import OAUTH
from tests.connectors.test_salesforce_polled import attempts
from tests.connectors.test_salesforce_sync import Company, company
from tests.daemon.test_serve import daemon
from tests.daemon.world import until
from tests.emulators.salesforce.server import Fault

__all__ = ["company"]  # the fixture

FILL = """
entity: contact
in:
  erp: {collection: items, create: true}
  salesforce: {collection: contacts, create: true}
identity:
  key: number
  match: [{by: number}]
  unmatched: {erp: create, salesforce: review}
fields:
  number: {type: string, truth: erp, map: {erp: sku, salesforce: ERP_Number__c}}
  name: {type: string, truth: erp, map: {erp: name, salesforce: LastName}}
  email: {type: string, truth: erp, map: {erp: email, salesforce: Email}}
  limit: {type: decimal(2), truth: erp, map: {erp: limit, salesforce: Credit_Limit__c}}
deletes:
  authority: erp
  then: {salesforce: delete}
  confirm: {sweeps: 1, wait: 0s}
  elsewhere: restore
safety: {changes: {max: 5000, ratio: 100%}}
"""


def filled(company: Company, people: int) -> None:
    text = f"""
        platform: salesforce
        connector: salesforce
        mode: enforce
        connection:
          login_url: {company.salesforce.url}
          oauth: {{client_id: {OAUTH["client_id"]}, client_secret: secret:sf}}
        watch: {{poll: {{every: 20s, overlap: 5s}}, sweep: 1h}}
        write: {{guard: none, batch: 1000, retry: {{attempts: 3, first: 20ms, max: 200ms}}}}
        collections:
          contacts: {{object: Contact, external_id: ERP_Number__c, bulk_writes: 100, bulk_patience: 20s}}
    """
    company.world.write("platforms/salesforce.yaml", dedent(text))
    company.world.write("entities/contact.yaml", FILL)
    for number in range(people):
        item = {"sku": f"E-{number}", "name": f"Name {number}", "email": f"p{number}@acme.example", "limit": f"{number}.50"}
        company.world.put("erp", f"i{number}", **item)


def by_job(company: Company) -> int:
    """Return how many rows jobs wrote."""
    jobs = [job for job in company.salesforce.data.bulk.jobs.values() if job["kind"] == "ingest"]
    return sum(job.get("numberRecordsProcessed", 0) - job.get("numberRecordsFailed", 0) for job in jobs)


def people(company: Company) -> dict[str, str]:
    return {row["ERP_Number__c"]: str(row["Credit_Limit__c"]) for row in company.salesforce.org.rows("Contact")}


async def done(company: Company, count: int) -> None:
    """Fill, and see that every row is there once."""
    org = company.salesforce.org
    async with daemon(company.world):
        await until(lambda: len(org.table("Contact")) >= count, seconds=50)
        await company.quiet()
    assert people(company) == {f"E-{number}": f"{number}.50" for number in range(count)}
    assert len(org.table("Contact")) == count


async def test_a_first_fill_writes_every_row_once_and_each_is_an_attempt(company: Company) -> None:
    filled(company, 2000)
    await done(company, 2000)
    assert by_job(company) >= 1800, "only what was too little for a job went otherwise"
    assert company.salesforce.writes < 20
    assert len(company.salesforce.requests) < 2000 + 500, "each is looked for by its key before; the writes themselves are few"
    assert attempts(company) == 2000


async def test_a_fill_during_which_answers_are_lost_writes_every_row_once(
    company: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ingest, "PAUSE", 0.01)
    filled(company, 400)
    bulk = company.salesforce.data.bulk
    bulk.failing, bulk.half = "InternalServerError : half of it is done", 50
    company.salesforce.faults += [
        Fault(lambda asked: asked.path.endswith("/batches"), drop=True),
        Fault(lambda asked: asked.method == "PATCH" and asked.writes, drop=True, after=True),
        Fault(lambda asked: asked.path.endswith("Results"), drop=True, times=2),
    ]
    await done(company, 400)
    assert len([job for job in bulk.jobs.values() if job["kind"] == "ingest"]) >= 3
    assert 400 < attempts(company) <= 1200
    assert company.salesforce.writes <= attempts(company)


async def test_a_job_that_went_on_while_syncd_was_away_is_found_and_written_by_nobody_else(company: Company) -> None:
    filled(company, 150)
    org, bulk = company.salesforce.org, company.salesforce.data.bulk
    bulk.polls = 10**6
    async with daemon(company.world):
        await until(lambda: company.salesforce.writes == 1, seconds=20)
    assert len(org.table("Contact")) == 0, "stopped while the job waits"
    bulk.polls = 1
    for job in list(bulk.jobs.values()):
        bulk.moved_on(job)
    there = len(org.table("Contact"))
    assert there >= 100
    await done(company, 150)
    assert company.salesforce.writes <= 3
    assert attempts(company) == 150
