"""A company's story: ``python examples/customer-salesforce-accounting-mailer/run.py [FOLDER]``.

394 contacts in Salesforce, 376 debtors in accounting, 236 subscribers. Every scene waits until it has happened and checks that
nothing else did. Exits 0 only if in the end nothing differs, nothing more is written, and every request is an attempt.
"""

import argparse
import asyncio
import sqlite3
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))

from company import (
    ALONE,
    BY_EMAIL,
    BY_NUMBER,
    COUPLE,
    DUPLICATE,
    LEADS,
    ORIGINAL,
    STRANGERS,
    SUBSCRIBED,
    TWINS,
    Company,
    contacts,
    debtor_no,
    email,
    limit,
)

from syncd.demo.service import Service

SHARED = (*BY_NUMBER, *BY_EMAIL)  # customers of both, known at once
PROPOSED = [n for n in SHARED if n % 40 == 0]  # sales has another phone number than accounting
CONSENTED = [n for n, values in contacts() if values["Consent__c"] == "granted" and n not in SUBSCRIBED]
SUBSCRIBERS = len(SUBSCRIBED) + STRANGERS + len(CONSENTED)


class Story:
    """The company, syncd beside it, and what happens between them."""

    def __init__(self, company: Company, tell: Callable[[str], None]) -> None:
        self.at = company
        self.tell = tell
        self.syncd = Service(company.folder / "config", company.folder / "syncd.log", company.environment)

    async def perform(self) -> None:
        """Play all scenes; raises TimeoutError or AssertionError if something does not happen as it must."""
        for scene in (
            self.checked,
            self.first_load,
            self.settled,
            self.approved,
            self.address_in_salesforce,
            self.address_in_mailer,
            self.address_in_both,
            self.no_anywhere,
            self.credit_limit,
            self.phone,
            self.merged,
            self.streams_break,
            self.killed,
            self.masked,
            self.quiet,
            self.explained,
        ):
            began = time.monotonic()
            await scene()
            self.tell(f"{time.monotonic() - began:6.1f} s  {(scene.__doc__ or '').splitlines()[0]}")

    # ---- scenes

    async def checked(self) -> None:
        """check --online: logins, rights, columns and the event channel are as the config says."""
        code, out, err = await self.syncd.ask("check", "--online")
        assert code == 0, out + err

    async def first_load(self) -> None:
        """First load: matched by ERP number, then by e-mail; accounting gets proposals only."""
        await self.syncd.start()
        await self.syncd.until(
            lambda: len(self.at.subscribers()) == SUBSCRIBERS, f"{len(CONSENTED)} made in the mailer", within=60
        )
        await self.syncd.until(
            lambda: all(self.at.contact(n)["ERP_Number__c"] == debtor_no(n) for n in SHARED), "ERP numbers", within=60
        )
        await self.syncd.until(
            lambda: all(f"{self.at.contact(n)['Credit_Limit__c']:.2f}" == limit(n) for n in SHARED), "limits"
        )
        await self.syncd.until(
            lambda: all(self.at.status(n) == "unsubscribed" for n in SUBSCRIBED if n % 33 == 0), "no in Salesforce"
        )
        await self.syncd.until(
            lambda: all(self.at.consent(n) == "withdrawn" for n in SUBSCRIBED if n % 25 == 0), "no in the mailer"
        )
        await self.syncd.until_told(lambda status: status["open"]["changes"] == len(PROPOSED), f"{len(PROPOSED)} proposals")
        assert self.at.writes()["accounting"] == 0, "mode propose"
        self.matched(("salesforce", "accounting"), "linked by erp_no", len(BY_NUMBER))
        self.matched(("salesforce", "accounting"), "linked by email", len(BY_EMAIL))
        self.matched(("mailer",), "linked by email", len(SUBSCRIBED))

    async def settled(self) -> None:
        """A person settles who is who: 3 twins linked, one split, two debtors on their own, a couple with one address."""
        asked = {one["values"][0]["value"]: one for one in await self.conflicts()}
        couple = self.at.ids[COUPLE[1]]
        assert asked.keys() == {couple, *map(debtor_no, (*TWINS, *ALONE))}, asked
        for n in (*TWINS, *ALONE):
            words = ["--split"] if n in (TWINS[-1], *ALONE) else ["--link", f"accounting:{debtor_no(n)}", self.at.known(n)]
            await self.resolve(asked[debtor_no(n)]["id"], *words)
        await self.resolve(asked[couple]["id"], "--split", "--note", "they share a mailbox")
        await self.syncd.until(
            lambda: all(self.at.contact(n)["ERP_Number__c"] == debtor_no(n) for n in TWINS[:3]), "ERP numbers"
        )
        assert await self.conflicts() == []

    async def approved(self) -> None:
        """Finance approves: phone numbers are corrected in accounting, spelled its way, each once."""
        await self.approve(len(PROPOSED))
        await self.syncd.until(lambda: all(self.at.row(n, "phone") == f"030 8{n:06}" for n in PROPOSED), "phone numbers")
        assert self.at.writes()["accounting"] == len(PROPOSED)

    async def address_in_salesforce(self) -> None:
        """An e-mail address changes in Salesforce: a change event tells, the mailer has it, nothing comes back."""
        before = self.at.writes()
        self.at.edit_contact(4, Email="Emma.Married@example.org")
        await self.syncd.until(
            lambda: self.at.subscriber("emma.married@example.org")["status"] == "active", "address in the mailer"
        )
        await self.silent(before, mailer=1)
        self.at.edit_debtors([4], "credit_limit = 4444")
        await self.syncd.until(lambda: self.at.contact(4)["Credit_Limit__c"] == 4444, "limit in Salesforce")
        assert "client=syncd" in self.at.salesforce.org.events[-1].origin
        await self.silent(before, mailer=1, salesforce=1)

    async def address_in_mailer(self) -> None:
        """One changes in the mailer: a signed webhook tells, Salesforce has it."""
        before = self.at.writes()
        self.at.mailer.edit("subscribers", email(6), email="greta.new@example.org")
        await self.syncd.until(
            lambda: self.at.contact(6)["Email"] == "greta.new@example.org", "address in Salesforce", within=8
        )
        await self.silent(before, salesforce=1)

    async def address_in_both(self) -> None:
        """Both change it within the same half minute: a tie, Salesforce has it."""
        before = self.at.writes()
        self.at.mailer.edit("subscribers", email(7), email="hugo.mailer@example.org")
        self.at.edit_contact(7, Email="hugo.sales@example.org")
        await self.syncd.until(lambda: self.at.subscriber("hugo.sales@example.org") is not None, "Salesforce's address")
        assert await self.conflicts() == []
        assert self.at.contact(7)["Email"] == "hugo.sales@example.org"
        assert self.at.writes()["mailer"] == before["mailer"] + 1

    async def no_anywhere(self) -> None:
        """A "no" in one place wins in all; a later "yes" elsewhere does not undo it, one where it was said does."""
        self.at.mailer.edit("subscribers", email(8), status="unsubscribed")
        await self.syncd.until(lambda: self.at.consent(8) == "withdrawn", "no of the mailer in Salesforce")
        self.at.edit_contact(9, Consent__c="withdrawn")
        await self.syncd.until(lambda: self.at.status(9) == "unsubscribed", "no of Salesforce in the mailer")
        self.at.edit_contact(8, Consent__c="granted")
        await self.syncd.until(lambda: self.at.consent(8) == "withdrawn", "yes in Salesforce put back")
        self.at.mailer.edit("subscribers", email(9), status="active")
        await self.syncd.until(lambda: self.at.status(9) == "unsubscribed", "yes in the mailer put back")
        assert (self.at.status(8), self.at.consent(9)) == ("unsubscribed", "withdrawn")
        self.at.mailer.edit("subscribers", email(8), status="active")
        await self.syncd.until(lambda: self.at.consent(8) == "granted", "taken back where it was said")

    async def credit_limit(self) -> None:
        """Sales raises a credit limit: not taken, held for review, put back when somebody has looked."""
        self.at.edit_contact(12, Credit_Limit__c=99999)
        await self.syncd.until_told(lambda status: status["open"]["conflicts"] == 1, "a review")
        [held] = await self.conflicts()
        assert (held["field"], self.at.contact(12)["Credit_Limit__c"]) == ("credit_limit", 99999)
        await self.resolve(held["id"], "--take", "accounting", "--note", "not without finance")
        await self.syncd.until(lambda: f"{self.at.contact(12)['Credit_Limit__c']:.2f}" == limit(12), "accounting's limit")
        assert f"{self.at.row(12, 'credit_limit')}" == limit(12)

    async def phone(self) -> None:
        """A phone number is typed in some way: normalised, and proposed to accounting in its own spelling."""
        self.at.edit_contact(13, Phone="0049 (0)30 / 765 43 21")
        await self.syncd.until_told(lambda status: status["open"]["changes"] == 1, "a proposal")
        await self.approve(1)
        await self.syncd.until(lambda: self.at.row(13, "phone") == "030 7654321", "phone number in accounting")
        assert self.at.contact(13)["Phone"] == "0049 (0)30 / 765 43 21", "sales may spell it as it likes"

    async def merged(self) -> None:
        """Two contacts are merged in Salesforce: one customer, who has both rows; nothing is deleted anywhere."""
        rows, debtors = len(self.at.subscribers()), self.at.row(ORIGINAL, "count(*)")
        original, duplicate = self.at.known(ORIGINAL), self.at.known(DUPLICATE)
        was = [await self.named(one) for one in (original, duplicate)]
        self.at.salesforce.org.merge("Contact", self.at.ids[ORIGINAL], self.at.ids[DUPLICATE])
        await self.syncd.until(lambda: self.at.consent(ORIGINAL) == "granted", "the duplicate's consent in the one that stays")
        await self.syncd.until(lambda: self.at.contact(ORIGINAL)["Email"] == email(DUPLICATE), "the newer of both addresses")
        now = {await self.named(one) for one in (original, duplicate, *was)}
        assert len(set(was)) == 2
        assert len(now) == 1, now
        assert (len(self.at.subscribers()), self.at.row(ORIGINAL, "count(*)")) == (rows, debtors)
        assert await self.conflicts() == []

    async def streams_break(self) -> None:
        """Streams break after every few events and tokens end: it goes on where it was, nothing is lost or doubled."""
        before, subscriptions = self.at.writes(), len(self.at.bus.subscriptions)
        people = [n for n in range(61, 91) if n % 33 and n % 25]
        for n in people:
            if n % 10 == 0:
                self.at.bus.kill()
                self.at.salesforce.expire()
            self.at.edit_contact(n, FirstName=f"Renamed {n}")
            await asyncio.sleep(0.02)
        await self.syncd.until(
            lambda: all(self.at.subscriber(email(n))["first_name"] == f"Renamed {n}" for n in people), "new names"
        )
        assert len(self.at.bus.subscriptions) > subscriptions
        await self.silent(before, mailer=len(people))

    async def killed(self) -> None:
        """Killed in the middle, its place in the stream too old when it is back: a query and a full read catch up."""
        people = range(101, 141)
        self.at.edit_debtors(people, "credit_limit = credit_limit + 1")
        await self.syncd.until(lambda: sum(self.at.raised(n) for n in people) >= 3, "the first limits")
        await self.syncd.kill()
        self.tell(f"          kill -9 with {sum(self.at.raised(n) for n in people)} of {len(people)} written")
        for n in range(141, 151):
            self.at.edit_contact(n, LastName=f"Away {n}")
        self.at.mailer.edit("subscribers", email(151), status="unsubscribed")  # nobody hears the webhook
        self.at.bus.forget()
        scans = self.scans
        await self.syncd.start()
        await self.syncd.until(lambda: all(self.at.raised(n) for n in people), "all limits", within=60)
        names = {n: f"Away {n}" for n in range(141, 151) if n != 150}
        await self.syncd.until(
            lambda: all(self.at.subscriber(email(n))["last_name"] == one for n, one in names.items()), "names"
        )
        await self.syncd.until(lambda: self.at.consent(151) == "withdrawn", "what the mailer said meanwhile")
        await self.syncd.until(lambda: self.scans > scans, "a full read of Salesforce")

    async def masked(self) -> None:
        """What syncd says shows no personal field, not even when it asks about two with one address."""
        self.at.edit_contact(LEADS[4], Email=email(LEADS[2]))
        await self.syncd.until_told(lambda status: status["open"]["conflicts"] == 2, "a question of who is who")
        shown = (await self.syncd.ask("conflicts"))[1]
        self.at.edit_contact(LEADS[4], Email=email(LEADS[4]))
        await self.syncd.until_told(lambda status: status["open"]["conflicts"] == 0, "no question any more")
        shown += (await self.syncd.ask("explain", "customer", f"accounting:{debtor_no(4)}"))[1]
        shown += (await self.syncd.ask("history", "customer", self.at.known(ORIGINAL)))[1]
        shown += (await self.syncd.ask("records", "customer"))[1]
        assert "4444" in shown
        assert "example.org" not in (shown + self.syncd.log.read_text()).lower(), shown
        self.tell("\n".join(f"          {line}" for line in shown.splitlines() if "email" in line))

    async def quiet(self) -> None:
        """Nothing differs, and nothing more is written."""
        await self.syncd.until_told(lambda status: not any(status["open"].values()), "nothing waits")
        before = self.at.writes()
        report = await self.syncd.ask_json("reconcile")
        assert report["complete"], report
        assert report["rows"] == [], report["rows"][:5]
        await self.silent(before, seconds=4)

    async def explained(self) -> None:
        """Every request that changed something is one attempt in the ledger; what else was begun never left: the kill."""
        await self.syncd.stop()
        attempts = dict(self.ledger("SELECT platform, count(*) FROM attempt WHERE outcome = 'done' GROUP BY platform"))
        others = self.ledger("SELECT platform, outcome FROM attempt WHERE outcome IS NULL OR outcome <> 'done'")
        writes = self.at.writes()
        assert attempts == writes, (attempts, writes)
        assert set(others) <= {("salesforce", "unknown")}, others
        self.tell(
            f"          {writes['salesforce']} writes in Salesforce, {writes['accounting']} in accounting, "
            f"{writes['mailer']} in the mailer; {len(others)} were begun and not sent when it was killed"
        )

    # ---- what is there

    @property
    def scans(self) -> int:
        """Return how many full reads of Salesforce began."""
        return sum("ORDER BY Id" in one.query for one in self.at.salesforce.requests)

    def ledger(self, query: str, *parameters: Any) -> list[tuple[Any, ...]]:
        """Ask the ledger itself."""
        db = sqlite3.connect(f"file:{self.at.folder}/state/ledger.db?mode=ro", uri=True)
        try:
            return db.execute(query, parameters).fetchall()
        finally:
            db.close()

    def matched(self, platforms: tuple[str, ...], evidence: str, count: int) -> None:
        """Check how many rows of some platforms were matched in this way."""
        rows = self.ledger("SELECT platform FROM link WHERE evidence = ?", evidence)
        found = sum(platform in platforms for (platform,) in rows)
        self.tell(f"          {found} {evidence} ({' or '.join(platforms)})")
        assert found == count, (platforms, evidence, found, count)

    # ---- what a person does with syncd

    async def conflicts(self) -> list[dict[str, Any]]:
        """Return the open conflicts."""
        found: list[dict[str, Any]] = (await self.syncd.ask_json("conflicts"))["conflicts"]
        return found

    async def resolve(self, *words: str) -> None:
        """Settle a conflict."""
        code, out, err = await self.syncd.ask("conflicts", "resolve", *words)
        assert code == 0, out + err

    async def approve(self, count: int) -> None:
        """Approve all that is proposed to accounting, as many as expected."""
        proposed = (await self.syncd.ask_json("changes"))["changes"]
        assert [one["platform"] for one in proposed] == ["accounting"] * count, proposed
        code, out, err = await self.syncd.ask("changes", "approve", "--all", "--platform", "accounting", "--yes")
        assert code == 0, out + err

    async def named(self, called: str) -> str:
        """Return what syncd calls a customer."""
        return str((await self.syncd.ask_json("explain", "customer", called))["record"])

    # ---- waiting

    async def silent(self, before: dict[str, int], *, seconds: float = 1.5, **more: int) -> None:
        """Check that syncd has written so much more, and after a while still has."""
        wanted = {platform: count + more.get(platform, 0) for platform, count in before.items()}
        await asyncio.sleep(seconds)
        assert self.at.writes() == wanted, (self.at.writes(), wanted)


async def main(folder: Path, tell: Callable[[str], None] = print) -> None:
    """Start the company in a folder and play the story."""
    async with Company(folder) as company:
        story = Story(company, tell)
        try:
            await story.perform()
        finally:
            await story.syncd.stop()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", nargs="?", type=Path, help="where everything is kept (a new temporary folder)")
    given = parser.parse_args()
    made = given.folder or Path(tempfile.mkdtemp(prefix="syncd-company-"))
    print(f"A company: emulators of Salesforce and a mailer, a real PostgreSQL, in {made}")
    asyncio.run(main(made))
