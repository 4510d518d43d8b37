"""An emulated organisation, and connectors to it, for the tests of the Salesforce connector."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from syncd.connectors.protocol import Setup
from syncd.connectors.salesforce import KIND
from syncd.connectors.salesforce.kind import Salesforce as Connected
from tests.connectors.contract import setup_for
from tests.emulators.salesforce.objects import Field, history_of, made
from tests.emulators.salesforce.server import Salesforce, serving

OAUTH = {"client_id": "3MVG9client", "client_secret": "very-secret"}
THING = made(
    "Thing",
    "a0T",
    Field("sku", length=40, unique=True, external=True),
    Field("name", "textarea", 131_072),
    Field("price", "currency"),
    Field("stock", "double", scale=0),
    tracked=("name", "price"),
)
THINGS: dict[str, Any] = {"object": "Thing", "external_id": "sku"}
PATHS = ("sku", "name", "price", "stock")
CONTACTS: dict[str, Any] = {"object": "Contact", "external_id": "ERP_Number__c"}
NAMES = ("ERP_Number__c", "FirstName", "LastName", "Email", "Phone")


def organisation() -> Salesforce:
    """Return an organisation that has the contract's things too."""
    found = Salesforce()
    found.org.objects |= {"Thing": THING, THING.history: history_of(THING)}
    return found


def setup_at(url: str, *, collection: dict[str, Any], fields: tuple[str, ...], **other: Any) -> Setup:
    """Return a setup with one collection, ``things`` or ``contacts`` by its object."""
    connection = {"login_url": url, "oauth": OAUTH, "timeout": "5s"} | other.pop("connection", {})
    name = "things" if collection["object"] == "Thing" else "contacts"
    return setup_for(
        KIND, connection=connection, collections={name: collection}, fields=fields, keys=other.pop("keys", ()), **other
    )


@asynccontextmanager
async def connected(salesforce: Salesforce, **other: Any) -> AsyncIterator[Connected]:
    """Yield a connector to contacts of an organisation that is served."""
    other.setdefault("fields", NAMES)
    other.setdefault("keys", ("ERP_Number__c", "Email"))
    collection = CONTACTS | other.pop("collection", {})
    async with Connected(setup_at(salesforce.url, collection=collection, **other)) as connector:
        yield connector


@asynccontextmanager
async def acme(**other: Any) -> AsyncIterator[tuple[Salesforce, Connected]]:
    """Yield an organisation and a connector to its contacts."""
    salesforce = organisation()
    async with serving(salesforce), connected(salesforce, **other) as connector:
        yield salesforce, connector
