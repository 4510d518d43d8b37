"""Writing to an organisation: what is sent, what guards it, what came of it, alone and in batches."""

import asyncio
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from syncd.connectors.body import decode
from syncd.connectors.salesforce.kind import Salesforce as Connected
from syncd.core.model import Answer, Item, Op, Receipt, Write
from syncd.errors import ConnectorError, OutcomeUnknown, PermanentError, StaleWrite, TransientError
from tests.connectors.salesforce_world import acme
from tests.emulators.salesforce.objects import Field
from tests.emulators.salesforce.org import Who
from tests.emulators.salesforce.server import EXPIRED, LOCKED, USED_UP, Asked, Fault, Salesforce
from tests.emulators.salesforce.values import Refused

BATCH = {"batch": 200}


def person(salesforce: Salesforce, number: int, **other: Any) -> str:
    values = {"LastName": f"Name {number}", "Email": f"p{number}@acme.example", "ERP_Number__c": f"E-{number}"}
    return salesforce.org.create("Contact", values | other)


def creation(values: Item) -> Write:
    return Write(Op.CREATE, "there", "contacts", 1, None, values={"LastName": "New"} | values, key="k")


def update(one: str, values: Item, *, before: Item | None = None, op: Op = Op.UPDATE, version: str | None = None) -> Write:
    return Write(op, "there", "contacts", 1, one, version, values=values, before=before or {}, key="k")


async def applied(connector: Connected, *writes: Write) -> list[Receipt | ConnectorError]:
    return await connector.apply(writes)


def sent(salesforce: Salesforce) -> list[Asked]:
    return [one for one in salesforce.requests if one.writes]


def held(salesforce: Salesforce, one: str) -> Item:
    row = salesforce.org.held_row("Contact", one)
    assert row is not None
    return row


def not_unique(salesforce: Salesforce) -> None:
    """Let the external id be a key that Salesforce itself does not keep unique."""
    contact = salesforce.org.objects["Contact"]
    salesforce.org.objects["Contact"] = contact.extended(Field("ERP_Number__c", length=40, external=True))


def writing(asked: Asked) -> bool:
    return asked.writes


# ---- what is sent


async def test_an_update_sends_what_it_names_with_our_tag_and_the_time_of_the_last_look() -> None:
    async with acme() as (salesforce, connector):
        one = person(salesforce, 1)
        [receipt] = await applied(connector, update(one, {"Phone": "1", "Email": None}, before={"Phone": None}))
        assert isinstance(receipt, Receipt)
        assert receipt.look is not None
        assert receipt.look.item is not None
        assert (receipt.look.item["Phone"], receipt.look.item["Email"]) == ("1", None)
        [request] = sent(salesforce)
        assert (request.method, decode(request.body)) == ("PATCH", {"Phone": "1", "Email": None})
        assert request.headers["Sforce-Call-Options"] == "client=syncd"
        assert request.headers["If-Unmodified-Since"].endswith("GMT")
        assert salesforce.org.events[-1].origin.endswith(";client=syncd")


@pytest.mark.parametrize("path", ["Account.Name", "Fone", "SystemModstamp"])
async def test_what_cannot_be_written_is_refused_before_anything_is_sent_or_by_its_field(path: str) -> None:
    async with acme() as (salesforce, connector):
        one = person(salesforce, 1)
        [outcome] = await applied(connector, update(one, {path: "x"}))
        assert isinstance(outcome, PermanentError)
        assert path in str(outcome)
        assert held(salesforce, one)["LastName"] == "Name 1"


async def test_the_deletion_marker_is_written_for_an_archive() -> None:
    async with acme(collection={"deleted": {"field": "Phone", "is": "gone"}}) as (salesforce, connector):
        one = person(salesforce, 1)
        [receipt] = await applied(connector, update(one, {}, op=Op.ARCHIVE))
        assert isinstance(receipt, Receipt)
        assert receipt.look is not None
        assert (receipt.look.gone, receipt.look.item is not None, held(salesforce, one)["Phone"]) == (True, True, "gone")
    async with acme() as (_, connector):
        [outcome] = await applied(connector, update("0035g0000000001AAA", {}, op=Op.ARCHIVE))
        assert isinstance(outcome, PermanentError)


# ---- the guard


async def test_an_edit_of_another_field_is_no_obstacle_but_for_a_guard_by_version() -> None:
    for guard, expected in (("hash", Receipt), ("version", StaleWrite), ("none", Receipt)):
        async with acme(write={"guard": guard}) as (salesforce, connector):
            one = person(salesforce, 1)
            [look] = await connector.read("contacts", [one])
            salesforce.org.update("Contact", one, {"Email": "theirs@acme.example"})
            assert isinstance(look.version, str)
            write = update(one, {"Phone": "1"}, before={"Phone": None}, version=look.version)
            [outcome] = await applied(connector, write)
            assert isinstance(outcome, expected), guard
            assert held(salesforce, one)["Email"] == "theirs@acme.example"


async def test_an_edit_between_the_look_and_the_write_is_refused_even_within_the_same_second() -> None:
    async with acme() as (salesforce, connector):
        one = person(salesforce, 1)  # just now: its second is not over
        raced: list[Asked] = []

        def edit(asked: Asked) -> bool:
            if asked.method == "PATCH" and not raced:
                raced.append(asked)
                salesforce.org.update("Contact", one, {"Phone": "theirs"})
            return False

        salesforce.faults.append(Fault(edit))
        [outcome] = await applied(connector, update(one, {"Phone": "ours"}, before={"Phone": None}))
        assert isinstance(outcome, StaleWrite)
        assert outcome.status == 412
        assert (held(salesforce, one)["Phone"], len(raced)) == ("theirs", 1)


@pytest.mark.parametrize("changed_at", [None, "CreatedDate"])
async def test_the_guard_goes_by_the_stamp_whatever_the_changed_at_is(changed_at: str | None) -> None:
    async with acme(collection={"changed_at": changed_at}) as (salesforce, connector):
        salesforce.org.clock = lambda: datetime(2026, 1, 1, tzinfo=UTC)
        one = person(salesforce, 1)
        salesforce.org.clock = lambda: datetime(2026, 2, 1, tzinfo=UTC)
        salesforce.org.update("Contact", one, {"Phone": "1"})
        [outcome] = await applied(connector, update(one, {"Phone": "2"}, before={"Phone": "1"}))
        assert isinstance(outcome, Receipt)
        assert sent(salesforce)[0].headers["If-Unmodified-Since"] == "Sun, 01 Feb 2026 00:00:00 GMT"


async def test_an_old_record_is_written_without_waiting() -> None:
    async with acme() as (salesforce, connector):
        salesforce.org.clock = lambda: datetime(2026, 1, 1, tzinfo=UTC)
        one = person(salesforce, 1)
        salesforce.org.clock = lambda: datetime.now(UTC)
        await connector.read("contacts", [one])
        async with asyncio.timeout(0.7):
            await applied(connector, update(one, {"Phone": "1"}))


# ---- creates


async def test_a_unique_key_is_refused_by_salesforce_and_shown() -> None:
    async with acme() as (salesforce, connector):
        one = person(salesforce, 1, Phone="theirs")
        [receipt] = await applied(connector, creation({"ERP_Number__c": "e-1", "Phone": "ours"}))
        assert isinstance(receipt, Receipt)
        assert (receipt.answer, receipt.id) == (Answer.EXISTS, one)
        assert receipt.look is not None
        assert held(salesforce, one)["Phone"] == "theirs"
        assert [request.method for request in sent(salesforce)] == ["POST"]


async def test_a_key_that_nothing_keeps_unique_is_written_by_upsert() -> None:
    async with acme() as (salesforce, connector):
        not_unique(salesforce)
        [made] = await applied(connector, creation({"ERP_Number__c": "A/1 ü"}))
        [again] = await applied(connector, creation({"ERP_Number__c": "A/1 ü"}))
        assert isinstance(made, Receipt)
        assert isinstance(again, Receipt)
        assert (made.answer, again.answer, again.id) == (Answer.DONE, Answer.EXISTS, made.id)
        assert len(sent(salesforce)) == 2
        assert len(list(salesforce.org.rows("Contact"))) == 1


async def test_an_upsert_that_more_than_one_record_answers_to_names_them() -> None:
    async with acme() as (salesforce, connector):
        not_unique(salesforce)
        twins = [person(salesforce, 1), person(salesforce, 1)]
        [outcome] = await applied(connector, creation({"ERP_Number__c": "E-1"}))
        assert isinstance(outcome, PermanentError)
        assert "ERP_Number__c E-1 belongs to 2 records" in str(outcome)
        assert all(one in str(outcome) for one in twins)


async def test_a_duplicate_rule_s_match_is_adopted_by_key_only_and_may_be_overruled() -> None:
    async with acme() as (salesforce, connector):
        salesforce.org.duplicate_rules.add(("Contact", "Email"))
        one = person(salesforce, 1)
        [receipt] = await applied(connector, creation({"Email": "p1@acme.example"}))
        assert isinstance(receipt, Receipt)
        assert (receipt.answer, receipt.id) == (Answer.EXISTS, one)
        salesforce.org.duplicate_rules = {("Contact", "LastName")}
        [refused] = await applied(connector, creation({"LastName": "Name 1", "Email": "other@acme.example"}))
        assert isinstance(refused, PermanentError)
        assert "DUPLICATES_DETECTED" in str(refused)
    async with acme(collection={"duplicates": "allow"}) as (salesforce, connector):
        salesforce.org.duplicate_rules = {("Contact", "LastName")}
        person(salesforce, 1)
        [receipt] = await applied(connector, creation({"LastName": "Name 1"}))
        assert isinstance(receipt, Receipt)
        assert receipt.answer is Answer.DONE


# ---- answers that are none, and those that are no


async def test_a_lost_answer_is_unknown_and_nothing_is_sent_twice() -> None:
    async with acme() as (salesforce, connector):
        one = person(salesforce, 1)
        salesforce.faults.append(Fault(writing, drop=True, after=True))
        [outcome] = await applied(connector, update(one, {"Phone": "1"}))
        assert isinstance(outcome, OutcomeUnknown)
        assert (held(salesforce, one)["Phone"], len(sent(salesforce))) == ("1", 1)


@pytest.mark.parametrize(("refused", "own"), [(LOCKED, False), (EXPIRED, True), (USED_UP, True)])
async def test_whose_trouble_a_refused_write_is(refused: Refused, own: bool) -> None:
    async with acme() as (salesforce, connector):
        one = person(salesforce, 1)
        salesforce.faults.append(Fault(writing, refused=refused))
        [outcome] = await applied(connector, update(one, {"Phone": "1"}))
        assert isinstance(outcome, TransientError)
        assert outcome.about_record is not own
        assert len(sent(salesforce)) == 1
        if refused is not USED_UP:
            [outcome] = await applied(connector, update(one, {"Phone": "1"}))
            assert isinstance(outcome, Receipt), "a new token, the lock is gone"


async def test_a_validation_rule_s_own_words_reach_people() -> None:
    async with acme() as (salesforce, connector):
        one = person(salesforce, 1)
        rule = Refused("FIELD_CUSTOM_VALIDATION_EXCEPTION", "Phone must start with +", "Phone")
        salesforce.org.refusals.append((lambda _, values: values.get("Phone") == "1", rule))
        [outcome] = await applied(connector, update(one, {"Phone": "1"}))
        assert isinstance(outcome, PermanentError)
        assert "FIELD_CUSTOM_VALIDATION_EXCEPTION (Phone): Phone must start with +" in str(outcome)


@pytest.mark.parametrize("batch", [1, 200])
async def test_what_is_gone_is_gone_whether_in_the_bin_or_out_of_it(batch: int) -> None:
    async with acme(write={"batch": batch, "guard": "none"}) as (salesforce, connector):
        ids = [person(salesforce, number) for number in range(4)]
        salesforce.org.delete("Contact", ids[0])
        salesforce.org.delete("Contact", ids[1])
        salesforce.org.purge("Contact", ids[1])
        writes = [update(one, {"Phone": "1"}) for one in ids[:3]] + [update(ids[3], {}, op=Op.DELETE)]
        outcomes = await connector.apply(writes)
        answers = [getattr(one, "answer", one) for one in outcomes]
        assert answers == [Answer.GONE, Answer.GONE, Answer.DONE, Answer.DONE]
        assert salesforce.org.held_row("Contact", ids[3]) is None


# ---- many at once


async def test_a_batch_is_one_request_with_a_result_for_each() -> None:
    async with acme(write=BATCH) as (salesforce, connector):
        ids = [person(salesforce, number) for number in range(300)]
        rule = Refused("FIELD_CUSTOM_VALIDATION_EXCEPTION", "no", "Phone")
        salesforce.org.refusals.append((lambda _, values: values.get("Phone") == "7", rule))
        outcomes = await connector.apply([update(one, {"Phone": str(n)}, before={"Phone": None}) for n, one in enumerate(ids)])
        assert [n for n, one in enumerate(outcomes) if not isinstance(one, Receipt)] == [7]
        assert isinstance(outcomes[7], PermanentError)
        looks = [one.look.item for one in outcomes if isinstance(one, Receipt) and one.look is not None]
        assert [item and item["Phone"] for item in looks] == [str(n) for n in range(300) if n != 7]
        assert [len(decode(request.body)["records"]) for request in sent(salesforce)] == [200, 100]
        assert all(decode(request.body)["allOrNone"] is False for request in sent(salesforce))


async def test_a_batch_leaves_out_what_was_edited_since() -> None:
    async with acme(write=BATCH) as (salesforce, connector):
        ids = [person(salesforce, number) for number in range(3)]
        salesforce.org.update("Contact", ids[1], {"Phone": "theirs"})
        outcomes = await connector.apply([update(one, {"Phone": "ours"}, before={"Phone": None}) for one in ids])
        assert [type(one) for one in outcomes] == [Receipt, StaleWrite, Receipt]
        assert [held(salesforce, one)["Phone"] for one in ids] == ["ours", "theirs", "ours"]
        [request] = sent(salesforce)
        assert [one["Id"] for one in decode(request.body)["records"]] == [ids[0], ids[2]]


async def test_creates_updates_and_deletes_go_apart_and_their_outcomes_stay_in_order() -> None:
    async with acme(write=BATCH) as (salesforce, connector):
        one, other = person(salesforce, 1), person(salesforce, 2)
        outcomes = await connector.apply(
            [
                creation({"ERP_Number__c": "E-9", "Email": "n@acme.example"}),
                update(one, {"Phone": "1"}),
                creation({"ERP_Number__c": "E-1"}),
                update(other, {}, op=Op.DELETE),
                update(one, {"Account.Name": "x"}),
            ]
        )
        answers = [getattr(outcome, "answer", type(outcome)) for outcome in outcomes]
        assert answers == [Answer.DONE, Answer.DONE, Answer.EXISTS, Answer.DONE, PermanentError]
        assert [request.method for request in sent(salesforce)] == ["POST", "PATCH", "DELETE"]
        assert len(list(salesforce.org.rows("Contact"))) == 2


async def test_a_batch_of_upserts_makes_no_twin() -> None:
    async with acme(write=BATCH) as (salesforce, connector):
        not_unique(salesforce)
        one = person(salesforce, 1)
        outcomes = await connector.apply([creation({"ERP_Number__c": f"E-{number}"}) for number in (1, 2)])
        assert [getattr(outcome, "answer", outcome) for outcome in outcomes] == [Answer.EXISTS, Answer.DONE]
        assert isinstance(outcomes[0], Receipt)
        assert outcomes[0].id == one
        assert [request.path.rpartition("/sobjects/")[2] for request in sent(salesforce)] == ["Contact/ERP_Number__c"]


async def test_a_batch_without_an_answer_is_unknown_for_each() -> None:
    async with acme(write=BATCH) as (salesforce, connector):
        ids = [person(salesforce, number) for number in range(3)]
        salesforce.faults.append(Fault(writing, drop=True, after=True))
        outcomes = await connector.apply([update(one, {"Phone": "1"}) for one in ids])
        assert {type(one) for one in outcomes} == {OutcomeUnknown}
        salesforce.faults.append(Fault(writing, raw=b"[]", status=200))
        outcomes = await connector.apply([update(one, {"Phone": "2"}) for one in ids])
        assert all(isinstance(one, TransientError) and one.about_record for one in outcomes)
        assert len(sent(salesforce)) == 2


async def test_numbers_are_sent_as_they_are() -> None:
    async with acme(fields=("Credit_Limit__c",)) as (salesforce, connector):
        one = person(salesforce, 1)
        await applied(connector, update(one, {"Credit_Limit__c": Decimal("12345678.90")}))
        assert sent(salesforce)[0].body == b'{"Credit_Limit__c":12345678.90}'


@pytest.mark.parametrize("batch", [1, 200])
async def test_a_look_after_a_write_says_that_it_is_ours_unless_somebody_else_was_quicker(batch: int) -> None:
    async with acme(write={"batch": batch}) as (salesforce, connector):
        ids = [person(salesforce, number) for number in range(2)]
        outcomes = await connector.apply([update(one, {"Phone": "1"}) for one in ids])
        assert [one.look and one.look.own for one in outcomes if isinstance(one, Receipt)] == ["k", "k"]

        def edit(asked: Asked) -> bool:
            if asked.path.endswith("/queryAll") and held(salesforce, ids[0])["Phone"] == "2":
                salesforce.org.update("Contact", ids[0], {"Phone": "theirs"}, Who())
            return False

        salesforce.faults.append(Fault(edit))
        outcomes = await connector.apply([update(one, {"Phone": "2"}) for one in ids])
        assert [one.look and one.look.own for one in outcomes if isinstance(one, Receipt)] == [None, "k"]
        [look] = await connector.read("contacts", ids[1:])
        assert look.own is None, "a read later does not tell which write it was"


async def test_an_upsert_in_a_batch_that_several_answer_to_is_refused() -> None:
    async with acme(write=BATCH) as (salesforce, connector):
        not_unique(salesforce)
        person(salesforce, 1), person(salesforce, 1)
        outcomes = await connector.apply([creation({"ERP_Number__c": f"E-{number}"}) for number in (1, 2)])
        assert isinstance(outcomes[0], PermanentError)
        assert "more than one record" in str(outcomes[0])
        assert isinstance(outcomes[1], Receipt)
