"""Salesforce's small pieces: SOQL that cannot be broken out of, ids, CSV, refusals, cursors, options."""

import string
from collections.abc import AsyncIterator
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from syncd.connectors.salesforce import KIND, soql
from syncd.connectors.salesforce.csvrows import records, typed
from syncd.connectors.salesforce.history import history_of
from syncd.connectors.salesforce.poll import Position
from syncd.connectors.salesforce.refusals import Fault, faults_in, meaning
from syncd.connectors.salesforce.schema import meant
from syncd.errors import ConnectorError, PermanentError, StaleWrite, TransientError
from tests.connectors.contract import setup_for
from tests.emulators.salesforce import ids
from tests.emulators.salesforce.soql import Reader

MOMENTS = st.none() | st.integers(0, 4 * 10**15)
IDS = st.text(string.ascii_letters + string.digits, min_size=15, max_size=15)


@given(IDS)
def test_an_id_of_15_characters_gets_its_checksum(short: str) -> None:
    full = soql.full_id(short)
    assert full == ids.checked(short)
    assert soql.full_id(full) == full
    assert soql.is_id(short)
    assert soql.is_id(full)


@pytest.mark.parametrize("text", ["", "99999999", "003", "0035g00000AAAAA' OR", "ä" * 15, "0035g00000AAAAAzzz"])
def test_what_is_no_id_is_never_sent(text: str) -> None:
    assert not soql.is_id(text)


def test_the_known_pair_of_the_documentation() -> None:
    assert soql.full_id("001A0000006Vm9r") == "001A0000006Vm9rIAC"


@given(st.text(max_size=30))
def test_a_text_literal_says_what_was_asked_and_nothing_else(value: str) -> None:
    query = Reader(f"SELECT Id FROM Contact WHERE Name = {soql.text(value)}").query()
    assert [one.text for one in query.where.values] == [value]  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("value", "kind", "expected"),
    [
        (None, "string", "null"),
        (True, "boolean", "true"),
        (Decimal("12.50"), "currency", "12.50"),
        ("1e3", "double", "1000"),
        (7, "string", "'7'"),
        ("2026-11-20", "date", "2026-11-20"),
        ("2026-11-20T11:00:00.5+01:00", "datetime", "2026-11-20T10:00:00.500Z"),
        ("O'Hara\\", "string", "'O\\'Hara\\\\'"),
    ],
)
def test_a_literal_has_the_form_of_its_field(value: Any, kind: str, expected: str) -> None:
    assert soql.literal(value, kind) == expected


@pytest.mark.parametrize(("value", "kind"), [("1 OR 1=1", "double"), ("NaN", "double"), ("x' OR", "date"), ([1], "string")])
def test_a_literal_that_the_type_cannot_have_is_refused(value: Any, kind: str) -> None:
    with pytest.raises(PermanentError):
        soql.literal(value, kind)


@pytest.mark.parametrize("path", ["Name FROM User--", "a b", "1a", "Account..Name", "Größe", ""])
def test_a_name_that_is_none_never_gets_into_a_query(path: str) -> None:
    with pytest.raises(PermanentError):
        soql.name(path)


def test_ids_are_asked_for_in_parts_that_fit_into_an_address() -> None:
    wanted = [soql.full_id(f"0035g00000{number:05d}") for number in range(450)]
    assert [len(some) for some in soql.fitting(wanted, "SELECT Id")] == [200, 200, 50]
    assert max(len(some) for some in soql.fitting(wanted, "x" * 11_000)) < 40
    with pytest.raises(PermanentError, match="too many fields"):
        list(soql.fitting(wanted, "x" * 12_000))


async def _in_pieces(data: bytes, size: int) -> AsyncIterator[bytes]:
    for start in range(0, len(data), size):
        yield data[start : start + size]


@pytest.mark.parametrize("size", [1, 2, 7, 1000])
async def test_csv_comes_in_pieces_of_any_size(size: int) -> None:
    data = b'"Id","Name","Note"\r\n"1","A ""B"", C","two\r\nlines"\n2,,\n"3","\xc3\xa4",""'
    found = [cells async for cells in records(_in_pieces(data, size), "GET /x")]
    assert found == [["Id", "Name", "Note"], ["1", 'A "B", C', "two\r\nlines"], ["2", "", ""], ["3", "ä", ""]]


@pytest.mark.parametrize("data", [b'"a"b,c\n', b'"\xff"\n', b"<html>\"oops'\n<p>,\"x\"y\n"])
async def test_what_is_no_csv_is_no_end_of_the_list(data: bytes) -> None:
    with pytest.raises(TransientError):
        [cells async for cells in records(_in_pieces(data, 3), "GET /x")]


def test_a_csv_record_is_the_record_that_a_query_shows() -> None:
    types = {"Active": "boolean", "Price": "currency", "Count": "int", "Account.Name": "string"}
    found = typed(["Active", "Price", "Count", "Account.Name", "Note"], ["true", "12.50", "-3", "Acme", ""], types)
    assert found == {"Active": True, "Price": Decimal("12.50"), "Count": -3, "Account": {"Name": "Acme"}, "Note": None}


def item(code: str, message: str = "no", *fields: str) -> dict[str, Any]:
    return {"statusCode": code, "message": message, "fields": list(fields)}


OWN, RECORD = False, True


@pytest.mark.parametrize(
    ("code", "status", "kind", "about_record"),
    [
        ("INVALID_SESSION_ID", 401, TransientError, OWN),
        ("REQUEST_LIMIT_EXCEEDED", 403, TransientError, OWN),
        ("SERVER_UNAVAILABLE", 503, TransientError, OWN),
        ("API_DISABLED_FOR_ORG", 403, TransientError, OWN),
        ("UNABLE_TO_LOCK_ROW", 400, TransientError, RECORD),
        ("QUERY_TIMEOUT", 400, TransientError, RECORD),
        ("UNKNOWN_EXCEPTION", 500, TransientError, RECORD),
        ("FIELD_CUSTOM_VALIDATION_EXCEPTION", 400, PermanentError, None),
        ("MALFORMED_QUERY", 400, PermanentError, None),
        ("INSUFFICIENT_ACCESS_OR_READONLY", 403, PermanentError, None),
        ("NOT_FOUND", 404, PermanentError, None),
        ("PRECONDITION_FAILED", 412, StaleWrite, None),
    ],
)
def test_each_refusal_has_its_class(code: str, status: int, kind: type[ConnectorError], about_record: bool | None) -> None:
    error = meaning("PATCH /x", status, faults_in([item(code)]))
    assert type(error) is kind
    assert getattr(error, "about_record", None) is about_record
    assert code in str(error)


def test_only_the_day_s_quota_makes_a_long_pause() -> None:
    day = meaning("GET /x", 403, [Fault("REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded.")])
    crowd = meaning("GET /x", 403, [Fault("REQUEST_LIMIT_EXCEEDED", "ConcurrentRequests (Concurrent API) Limit exceeded.")])
    assert isinstance(day, TransientError)
    assert isinstance(crowd, TransientError)
    assert (day.retry_after, crowd.retry_after) == (900, 5)


def test_a_duplicate_names_its_record() -> None:
    record = {"record": {"attributes": {"type": "Contact"}, "Id": "0035g0000000001AAA"}}
    rule = item("DUPLICATES_DETECTED") | {"duplicateResult": {"matchResults": [{"matchRecords": [record]}]}}
    value = item("DUPLICATE_VALUE", "duplicate value found: sku duplicates value on record with id: 0035g0000000002")
    assert [one.records for one in faults_in([rule, value])] == [("0035g0000000001AAA",), ("0035g0000000002AAA",)]
    assert faults_in(["x", {}, None]) == []


def test_a_reference_to_what_is_gone_is_not_the_record_itself() -> None:
    assert Fault("ENTITY_IS_DELETED", "").is_gone
    assert not Fault("INVALID_CROSS_REFERENCE_KEY", "", ("AccountId",)).is_gone


@given(MOMENTS, st.sampled_from(["", "0035g0000000001AAA"]), MOMENTS)
def test_a_cursor_is_read_as_it_was_written(at: int | None, native_id: str, gone: int | None) -> None:
    rounded = [None if one is None else one // 1000 * 1000 for one in (at, gone)]
    position = Position(rounded[0], native_id, rounded[1])
    assert Position.of(position.text()) == position


def test_a_plain_time_or_junk_is_a_cursor_too() -> None:
    assert Position.of("2026-11-20T10:00:00Z").at == 1_795_168_800_000_000
    assert Position.of("what?") == Position()
    assert Position.of("[1]") == Position()


def test_the_history_of_an_object() -> None:
    assert history_of("Contact") == ("ContactHistory", "ContactId")
    assert history_of("Thing__c") == ("Thing__History", "ParentId")
    assert history_of("Opportunity") == ("OpportunityFieldHistory", "OpportunityId")


def test_what_may_be_meant() -> None:
    assert meant("Emial", ["Email", "Phone"]) == '; did you mean "Email"?'
    assert meant("email", ["Email", "Phone"]) == '; did you mean "Email"?'
    assert meant("zzz", ["Email"]) == ""


@pytest.mark.parametrize(
    ("connection", "text"),
    [
        ({"oauth": {"client_id": "x"}}, "exactly one of client_secret, jwt_key"),
        ({"oauth": {"client_id": "x", "jwt_key": "secret:k"}}, "jwt_key needs the user"),
        ({"login_url": "acme.my.salesforce.com"}, "https://"),
        ({"api_version": "67"}, "67.0"),
        ({"client": "a b"}, "pattern"),
    ],
)
def test_options_that_cannot_work_are_refused_with_reasons(connection: dict[str, Any], text: str) -> None:
    usual = {"login_url": "https://acme.my.salesforce.com", "oauth": {"client_id": "x", "client_secret": "y"}}
    with pytest.raises(ValidationError, match=text):
        setup_for(KIND, connection=usual | connection, collections={})


def test_an_object_is_known_by_its_id_alone() -> None:
    with pytest.raises(ValidationError, match="external_id"):
        KIND.collection.model_validate({"object": "Contact", "id": "ERP_Number__c"})
