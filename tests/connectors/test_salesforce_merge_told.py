"""A merge in Salesforce that was followed: the decisions after it derive again, and `explain` says what became of the two."""

import json
from typing import Any

import pytest

from syncd.cli.app import main
from tests.connectors.test_salesforce_polled import NO_CREATE, polled
from tests.connectors.test_salesforce_sync import Company, company
from tests.daemon.test_serve import daemon
from tests.daemon.world import until

__all__ = ["company"]  # the fixture


def told(company: Company, capsys: pytest.CaptureFixture[str], *words: str) -> dict[str, Any]:
    capsys.readouterr()
    code = main(["--config", str(company.world.folder / "config"), *words, "--format", "json"])
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    return found | {"exit": code}


async def test_a_merge_derives_again_and_is_told(company: Company, capsys: pytest.CaptureFixture[str]) -> None:
    company.world.write("entities/contact.yaml", NO_CREATE)
    company.world.put("erp", "i2", sku="E-2", name="Name 2", email="p2@acme.example", limit="5.00")
    polled(company)
    winner, loser = company.person(1), company.person(2)
    async with daemon(company.world):
        await until(lambda: str(company.row(loser)["Credit_Limit__c"]) == "5.00")
        await company.quiet()
        company.salesforce.org.merge("Contact", winner, loser)
        await until(lambda: str(company.row(winner)["Credit_Limit__c"]) == "5.00")
        await until(lambda: company.erp(1).get("email") == "p1@acme.example")
        await company.quiet()
    replayed = told(company, capsys, "ledger", "replay")
    assert (replayed["exit"], replayed["replay"], replayed["skipped"], replayed["complete"]) == (0, [], [], True)
    assert replayed["same"] == replayed["decisions"] >= 3
    explained = told(company, capsys, "explain", "contact", "E-1", "limit")
    assert explained["golden"]["value"] == "5.00"
    named = [one["result"] for one in explained["steps"] if one["code"] == "named"]
    assert f"salesforce made {loser} one with {winner}" in named, explained["steps"]
    whole = told(company, capsys, "explain", "contact", "E-2")
    assert (whole["record"], whole["exit"]) == ("E-1", 0), "who still has the old name finds the record"
