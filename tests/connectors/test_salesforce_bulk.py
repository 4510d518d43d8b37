"""Writing by ingest jobs: what stands in them, what came of each row, and what may go wrong at each step."""

import asyncio
import csv
import io
import re
import time
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from syncd.connectors.salesforce import KIND, ingest, loads
from syncd.connectors.salesforce.ingest import refusal
from syncd.connectors.salesforce.loads import cell
from syncd.core.model import SECOND, Answer, Item, Op, Receipt, Write
from syncd.errors import ConnectorError, OutcomeUnknown, PermanentError, StaleWrite, TransientError
from tests.connectors.contract import abilities_of
from tests.connectors.salesforce_world import CONTACTS, NAMES, acme, setup_at
from tests.emulators.salesforce.objects import Field
from tests.emulators.salesforce.server import DOWN, EXPIRED, LOCKED, Asked, Fault, Salesforce
from tests.emulators.salesforce.values import Refused

BULK: dict[str, Any] = {"write": {"batch": 1000}, "collection": {"bulk_writes": 3}}
MADE, UPLOADED, CLOSED = r"POST .*/jobs/ingest$", r"PUT .*/batches$", r"PATCH .*/jobs/ingest/\w+$"
ASKED, RESULTS = r"GET .*/jobs/ingest/\w+$", r"GET .*/jobs/ingest/\w+/\w+$"


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ingest, "FIRST", 0.01)
    monkeypatch.setattr(ingest, "PAUSE", 0.01)


def person(salesforce: Salesforce, number: int, **other: Any) -> str:
    values = {"LastName": f"Name {number}", "ERP_Number__c": f"E-{number}"}
    return salesforce.org.create("Contact", values | other)


def creation(number: int, **values: Any) -> Write:
    item = {"LastName": f"Name {number}", "ERP_Number__c": f"E-{number}"} | values
    return Write(Op.CREATE, "there", "contacts", number, None, values=item, key=f"k{number}")


def update(one: str, *, before: Item | None = None, op: Op = Op.UPDATE, **values: Any) -> Write:
    return Write(op, "there", "contacts", 1, one, values=values, before=before or {}, key="k")


def step(pattern: str) -> Callable[[Asked], bool]:
    return lambda asked: re.search(pattern, f"{asked.method} {asked.path}") is not None


def count(salesforce: Salesforce, pattern: str) -> int:
    return sum(step(pattern)(one) for one in salesforce.requests)


def uploads(salesforce: Salesforce) -> list[list[dict[str, str]]]:
    """Return the rows of each upload."""
    texts = [one.body.decode() for one in salesforce.requests if step(UPLOADED)(one)]
    return [list(csv.DictReader(io.StringIO(text, newline=""))) for text in texts]


def jobs(salesforce: Salesforce) -> list[tuple[str, str, str]]:
    found = salesforce.data.bulk.jobs.values()
    return [(job["operation"], job.get("externalIdFieldName", ""), job["state"]) for job in found if job["kind"] == "ingest"]


def answers(outcomes: list[Receipt | ConnectorError]) -> list[Any]:
    return [one.answer if isinstance(one, Receipt) else type(one) for one in outcomes]


def rows(salesforce: Salesforce) -> list[dict[str, Any]]:
    return list(salesforce.org.rows("Contact"))


def not_unique(salesforce: Salesforce) -> None:
    contact = salesforce.org.objects["Contact"]
    salesforce.org.objects["Contact"] = contact.extended(Field("ERP_Number__c", length=40, external=True))


# ---- what is sent


async def test_many_creates_are_one_job_whose_closing_is_the_one_request_that_changes_something() -> None:
    async with acme(**BULK) as (salesforce, connector):
        salesforce.data.bulk.mixed = True
        outcomes = await connector.apply([creation(number) for number in range(500)])
        assert set(answers(outcomes)) == {Answer.DONE}
        assert len(rows(salesforce)) == 500
        assert (jobs(salesforce), salesforce.writes) == ([("insert", "", "JobComplete")], 1)
        shown = [one.look.item["ERP_Number__c"] for one in outcomes if isinstance(one, Receipt) and one.look and one.look.item]
        assert shown == [f"E-{number}" for number in range(500)], "each outcome is of its own write"
        assert {one.look and one.look.own for one in outcomes if isinstance(one, Receipt)} == {f"k{n}" for n in range(500)}
        assert salesforce.org.events[-1].origin.endswith(";client=syncd")


async def test_few_writes_are_no_job_nor_are_any_without_the_option() -> None:
    async with acme(**BULK) as (salesforce, connector):
        await connector.apply([creation(1), creation(2)])
        assert (jobs(salesforce), count(salesforce, "POST .*/composite/sobjects")) == ([], 1)
    async with acme(write={"batch": 1000}) as (salesforce, connector):
        await connector.apply([creation(number) for number in range(201)])
        assert (jobs(salesforce), count(salesforce, "POST .*/composite/sobjects")) == ([], 2)
    async with acme(write={"batch": 1000}, collection={"bulk_writes": 3, "duplicates": "allow"}) as (salesforce, connector):
        await connector.apply([creation(number) for number in range(4)])
        assert jobs(salesforce) == [], "a job knows no header that overrules a duplicate rule"


async def test_what_is_not_unique_is_upserted_and_makes_no_twin() -> None:
    async with acme(**BULK) as (salesforce, connector):
        not_unique(salesforce)
        one = person(salesforce, 1)
        person(salesforce, 2), person(salesforce, 2)
        outcomes = await connector.apply([creation(number, Phone="5") for number in range(4)])
        assert answers(outcomes) == [Answer.DONE, Answer.EXISTS, PermanentError, Answer.DONE]
        assert jobs(salesforce) == [("upsert", "ERP_Number__c", "JobComplete")]
        assert isinstance(outcomes[1], Receipt)
        assert (outcomes[1].id, len(rows(salesforce))) == (one, 5)


async def test_what_is_unique_is_inserted_and_a_twin_is_adopted_as_it_is() -> None:
    async with acme(**BULK) as (salesforce, connector):
        one = person(salesforce, 1, Phone="theirs")
        outcomes = await connector.apply([creation(number, Phone="ours") for number in range(3)])
        assert answers(outcomes) == [Answer.DONE, Answer.EXISTS, Answer.DONE]
        assert isinstance(outcomes[1], Receipt)
        assert outcomes[1].id == one
        assert [row["Phone"] for row in rows(salesforce)] == ["theirs", "ours", "ours"]


async def test_the_second_row_of_a_record_goes_into_the_next_job() -> None:
    async with acme(**BULK) as (salesforce, connector):
        one, two = person(salesforce, 1), person(salesforce, 2)
        writes = [update(one, Phone="1"), update(two, Phone="1"), update(one, Phone="2", Email="x@acme.example")]
        assert answers(await connector.apply(writes)) == [Answer.DONE] * 3
        assert [[row["Id"] for row in upload] for upload in uploads(salesforce)] == [[one, two], [one]]
        assert [row["Phone"] for row in rows(salesforce)] == ["2", "1"]
        same = [creation(9, ERP_Number__c=None) for _ in range(3)] + [creation(8, ERP_Number__c="e-8"), creation(8)]
        outcomes = await connector.apply(same)
        assert answers(outcomes) == [Answer.DONE] * 4 + [Answer.EXISTS]
        ids = [one.id for one in outcomes if isinstance(one, Receipt)]
        assert len(set(ids)) == 4, "rows that are alike are told apart"


async def test_fields_that_a_row_does_not_write_are_left_and_null_empties() -> None:
    async with acme(**BULK, fields=(*NAMES, "Credit_Limit__c", "HasOptedOutOfEmail", "Last_Order__c")) as (
        salesforce,
        connector,
    ):
        ids = [person(salesforce, number, Phone="1", Email="p@acme.example") for number in range(5)]
        texts = 'a "quoted", one\nof two lines, Ärger 日本'
        writes = [
            update(ids[0], Phone=None, Credit_Limit__c=Decimal("12345678.90")),
            update(ids[1], Email="", HasOptedOutOfEmail=True),
            update(ids[2], LastName=texts, Credit_Limit__c=Decimal("1E+3")),
            update(ids[3], Last_Order__c="2026-01-31T12:30:00.123+0200"),
            update(ids[4], LastName="#N/A"),
        ]
        assert answers(await connector.apply(writes)) == [Answer.DONE] * 5
        a, b, c, d, e = rows(salesforce)
        assert (a["Phone"], a["Email"], a["Credit_Limit__c"]) == (None, "p@acme.example", Decimal("12345678.90"))
        assert (b["Phone"], b["Email"], b["HasOptedOutOfEmail"]) == ("1", None, True)
        assert (c["LastName"], c["Credit_Limit__c"]) == (texts, 1000)
        assert (d["Last_Order__c"], e["LastName"]) == ("2026-01-31T10:30:00.123+0000", "#N/A")
        [upload] = uploads(salesforce)
        assert (upload[0]["Phone"], upload[0]["Email"], upload[0]["Credit_Limit__c"]) == ("#N/A", "", "12345678.90")
        assert len(upload) == 4, "what CSV cannot say goes as a record of a collection"


@pytest.mark.parametrize(
    ("value", "kind", "said"),
    [
        (None, "string", "#N/A"),
        ("  ", "string", "#N/A"),
        (False, "boolean", "false"),
        (Decimal("-0.050"), "currency", "-0.050"),
        (7, "int", "7"),
        ("#N/A", "string", None),
        ("x" * 131_073, "textarea", None),
        ([1], "string", None),
        ("2026-01-31", "date", "2026-01-31"),
        ("junk", "datetime", "junk"),
    ],
)
def test_a_value_as_a_cell(value: Any, kind: str, said: str | None) -> None:
    assert cell(value, kind) == said


async def test_what_is_too_large_for_one_job_is_several(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loads, "LARGEST_JOB", 100)
    async with acme(**BULK) as (salesforce, connector):
        assert answers(await connector.apply([creation(number) for number in range(20)])) == [Answer.DONE] * 20
        sizes = [len(one.body) for one in salesforce.requests if step(UPLOADED)(one)]
        assert len(sizes) > 2
        assert max(sizes) < 160
        assert salesforce.writes == len(sizes)


async def test_what_was_edited_since_or_is_gone_is_left_out() -> None:
    async with acme(**BULK) as (salesforce, connector):
        ids = [person(salesforce, number) for number in range(5)]
        salesforce.org.update("Contact", ids[1], {"Phone": "theirs"})
        salesforce.org.delete("Contact", ids[2])
        outcomes = await connector.apply([update(one, Phone="ours", before={"Phone": None}) for one in ids])
        assert answers(outcomes) == [Answer.DONE, StaleWrite, Answer.GONE, Answer.DONE, Answer.DONE]
        assert [row["Id"] for row in uploads(salesforce)[0]] == [ids[0], ids[3], ids[4]]
        deletes = [update(one, op=Op.DELETE) for one in (ids[0], ids[3], ids[4])]
        assert answers(await connector.apply(deletes)) == [Answer.DONE] * 3
        assert jobs(salesforce)[-1] == ("delete", "", "JobComplete")


async def test_no_guard_is_promised_and_the_lifetime_covers_the_job() -> None:
    def able(**collection: Any) -> Any:
        setup = setup_at("http://127.0.0.1:1", collection=CONTACTS | collection, fields=NAMES, write={"batch": 1000})
        return abilities_of(KIND, setup, "contacts")

    assert able().lifetime == 10 * SECOND
    assert able(bulk_writes=500).lifetime == 1210 * SECOND
    assert able(bulk_writes=500, bulk_patience="1m").lifetime == 130 * SECOND
    assert able(bulk_writes=500).guard is False


# ---- rows that fail


async def test_a_row_that_failed_is_classed_as_a_single_write_is() -> None:
    async with acme(write={"batch": 1000, "guard": "none"}, collection={"bulk_writes": 3}) as (salesforce, connector):
        ids = [person(salesforce, number) for number in range(6)]
        salesforce.org.delete("Contact", ids[0])
        salesforce.org.delete("Contact", ids[1])
        salesforce.org.purge("Contact", ids[1])
        rule = Refused("FIELD_CUSTOM_VALIDATION_EXCEPTION", "Phone: must start with +", "Phone")
        for one, refused in ((ids[2], LOCKED), (ids[3], rule)):
            salesforce.org.refusals.append((lambda _, values, one=one: values.get("Id") == one, refused))
        writes = [update(one, Phone="1") for one in ids[:4]]
        outcomes = await connector.apply([*writes, update(ids[4], ERP_Number__c="E-5"), update(ids[5], Phone="1")])
        assert answers(outcomes) == [*(Answer.GONE, Answer.GONE, TransientError, PermanentError, PermanentError, Answer.DONE)]
        assert isinstance(outcomes[2], TransientError)
        assert outcomes[2].about_record
        assert "FIELD_CUSTOM_VALIDATION_EXCEPTION (Phone): Phone: must start with +" in str(outcomes[3])


@pytest.mark.parametrize(
    ("text", "code", "message", "fields"),
    [
        ("DUPLICATE_VALUE:duplicate value found: A duplicates value on record with id: 0035g0:--", "DUPLICATE_VALUE", 2, []),
        (
            "REQUIRED_FIELD_MISSING:Required fields are missing: [LastName]:LastName --",
            "REQUIRED_FIELD_MISSING",
            1,
            ["LastName"],
        ),
        ("INVALID_CROSS_REFERENCE_KEY:invalid cross reference id:Id --", "INVALID_CROSS_REFERENCE_KEY", 0, []),
        ("junk", "junk", 0, []),
        ("", "UNKNOWN_EXCEPTION", 0, []),
    ],
)
def test_the_words_of_a_failed_row(text: str, code: str, message: int, fields: list[str]) -> None:
    found = refusal(text)
    assert (found["statusCode"], found.get("fields", [])) == (code, fields)
    assert found["message"].count(":") >= message


# ---- jobs that fail


async def test_a_job_that_failed_half_way_says_which_rows_it_did() -> None:
    async with acme(**BULK) as (salesforce, connector):
        bulk = salesforce.data.bulk
        bulk.failing, bulk.half = "InternalServerError : try again", 3
        outcomes = await connector.apply([creation(number) for number in range(5)])
        assert answers(outcomes) == [Answer.DONE] * 3 + [TransientError] * 2
        assert [one.about_record for one in outcomes if isinstance(one, TransientError)] == [False, False]
        assert "InternalServerError" in str(outcomes[4])
        assert len(rows(salesforce)) == 3


async def test_a_job_that_does_not_know_a_field_refuses_its_rows_and_the_object_is_described_anew() -> None:
    async with acme(**BULK) as (salesforce, connector):
        salesforce.data.bulk.failing = "InvalidBatch : Field name not found : Phone"
        outcomes = await connector.apply([creation(number) for number in range(3)])
        assert answers(outcomes) == [PermanentError] * 3
        described = count(salesforce, "/describe")
        await connector.read("contacts", [person(salesforce, 9)])
        assert count(salesforce, "/describe") == described + 1


@pytest.mark.parametrize("pattern", [MADE, UPLOADED])
@pytest.mark.parametrize("after", [False, True])
async def test_before_it_is_closed_nothing_is_done_whatever_gets_lost(pattern: str, *, after: bool) -> None:
    async with acme(**BULK) as (salesforce, connector):
        salesforce.faults.append(Fault(step(pattern), drop=True, after=after))
        outcomes = await connector.apply([creation(number) for number in range(3)])
        assert answers(outcomes) == [TransientError] * 3
        assert not any(one.about_record for one in outcomes if isinstance(one, TransientError))
        assert (rows(salesforce), salesforce.writes, count(salesforce, CLOSED) > 0) == ([], 0, pattern == UPLOADED)
        assert [state for *_, state in jobs(salesforce)] == (["Aborted"] if pattern == UPLOADED else ["Open"] if after else [])
        assert answers(await connector.apply([creation(number) for number in range(3)])) == [Answer.DONE] * 3


async def test_a_closing_whose_answer_got_lost_is_found_out_by_the_job() -> None:
    async with acme(**BULK) as (salesforce, connector):
        salesforce.faults.append(Fault(step(CLOSED), drop=True, after=True))
        outcomes = await connector.apply([creation(number) for number in range(3)])
        assert answers(outcomes) == [Answer.DONE] * 3
        assert (salesforce.writes, len(rows(salesforce))) == (1, 3)


async def test_a_closing_that_may_still_be_on_its_way_is_aborted_and_unknown() -> None:
    async with acme(**BULK) as (salesforce, connector):
        salesforce.faults.append(Fault(step(CLOSED), drop=True))
        outcomes = await connector.apply([creation(number) for number in range(3)])
        assert answers(outcomes) == [OutcomeUnknown] * 3
        assert (jobs(salesforce), rows(salesforce)) == ([("insert", "", "Aborted")], [])


@pytest.mark.parametrize(("refused", "times"), [(Refused("UNKNOWN_EXCEPTION", "oops", status=500), 1), (EXPIRED, 2), (DOWN, 1)])
async def test_a_closing_that_was_refused_left_nothing_done(refused: Refused, times: int) -> None:
    async with acme(**BULK) as (salesforce, connector):
        salesforce.faults.append(Fault(step(CLOSED), refused=refused, times=times))
        outcomes = await connector.apply([creation(number) for number in range(3)])
        assert answers(outcomes) == [TransientError] * 3
        assert not any(one.about_record for one in outcomes if isinstance(one, TransientError))
        assert jobs(salesforce) == [("insert", "", "Aborted")]
        assert rows(salesforce) == []


async def test_a_job_that_somebody_took_away_is_unknown_at_once() -> None:
    async with acme(**BULK) as (salesforce, connector):
        salesforce.data.bulk.polls = 10**6
        said = Refused("NOT_FOUND", "The requested resource does not exist", status=404)
        salesforce.faults.append(Fault(lambda asked: asked.method == "GET" and "/ingest/" in asked.path, refused=said, times=9))
        outcomes = await connector.apply([creation(number) for number in range(3)])
        assert answers(outcomes) == [OutcomeUnknown] * 3


@pytest.mark.parametrize("pattern", [MADE, UPLOADED, CLOSED, ASKED, RESULTS])
async def test_a_token_that_ends_in_mid_job_is_renewed(pattern: str) -> None:
    async with acme(**BULK) as (salesforce, connector):
        await connector.read("contacts", [person(salesforce, 9)])
        salesforce.faults.append(Fault(step(pattern), refused=EXPIRED))
        outcomes = await connector.apply([creation(number) for number in range(3)])
        assert answers(outcomes) == [Answer.DONE] * 3
        assert (len(jobs(salesforce)), len(rows(salesforce)), salesforce.logins) == (1, 4, 2)


@pytest.mark.parametrize("pattern", [ASKED, RESULTS])
async def test_looks_and_results_that_get_lost_are_asked_for_again(pattern: str) -> None:
    async with acme(**BULK) as (salesforce, connector):
        salesforce.data.bulk.polls = 3
        salesforce.faults.append(Fault(step(pattern), drop=True, after=True, times=3))
        assert answers(await connector.apply([creation(number) for number in range(3)])) == [Answer.DONE] * 3


async def test_results_that_never_come_leave_it_unknown() -> None:
    async with acme(**BULK) as (salesforce, connector):
        salesforce.faults.append(Fault(step(r"GET .*/successfulResults$"), drop=True, times=9))
        outcomes = await connector.apply([creation(number) for number in range(3)])
        assert answers(outcomes) == [OutcomeUnknown] * 3
        assert len(rows(salesforce)) == 3


async def test_results_that_leave_out_a_row_leave_it_unknown() -> None:
    async with acme(**BULK) as (salesforce, connector):
        said = b'"sf__Id","sf__Created","LastName","ERP_Number__c"\n"003","true","Name 0","E-0"\n'
        salesforce.faults.append(Fault(step(r"GET .*/successfulResults$"), raw=said, status=200))
        outcomes = await connector.apply([creation(number) for number in range(3)])
        assert answers(outcomes) == [Answer.DONE, OutcomeUnknown, OutcomeUnknown]


async def test_a_job_that_takes_too_long_is_aborted_and_says_what_it_did() -> None:
    options = {"bulk_writes": 3, "bulk_patience": "300ms"}
    async with acme(write={"batch": 1000}, collection=options) as (salesforce, connector):
        salesforce.data.bulk.polls, salesforce.data.bulk.half = 10**6, 2
        began = time.monotonic()
        outcomes = await connector.apply([creation(number) for number in range(4)])
        assert answers(outcomes) == [Answer.DONE] * 2 + [TransientError] * 2
        assert time.monotonic() - began < 2
        assert jobs(salesforce) == [("insert", "", "Aborted")]
        assert "Aborted: not done in time (bulk_patience)" in str(outcomes[3])


async def test_a_second_job_does_not_begin_when_the_first_took_most_of_the_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loads, "LARGEST_JOB", 100)
    options = {"bulk_writes": 3, "bulk_patience": "200ms"}
    async with acme(write={"batch": 1000}, collection=options) as (salesforce, connector):
        salesforce.faults.append(Fault(step(CLOSED), delay=0.15))
        outcomes = await connector.apply([creation(number) for number in range(12)])
        assert set(answers(outcomes)) == {Answer.DONE, TransientError}
        assert len(jobs(salesforce)) == 1
        assert "took too long" in str(outcomes[-1])


async def test_jobs_of_two_batches_go_beside_each_other() -> None:
    async with acme(**BULK) as (salesforce, connector):
        both = await asyncio.gather(
            connector.apply([creation(number) for number in range(50)]),
            connector.apply([creation(number) for number in range(50, 100)]),
        )
        assert answers(both[0] + both[1]) == [Answer.DONE] * 100
        assert len({row["ERP_Number__c"] for row in rows(salesforce)}) == 100
