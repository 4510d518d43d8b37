"""A customer in Salesforce, accounting and the mailing tool."""

from pathlib import Path

from tests.examples import story


async def test_a_customer_in_salesforce_accounting_and_the_mailer(tmp_path: Path):
    said: list[str] = []
    await story("customer-salesforce-accounting-mailer").main(tmp_path / "company", said.append)
    assert "in Salesforce, 10 in accounting" in said[-2]
    assert "one attempt in the ledger" in said[-1]
