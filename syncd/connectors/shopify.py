"""Shopify by its GraphQL Admin API: what the config may say of a shop.

Only the options stand here yet, so that a config can be checked and its rules tested; ``run`` refuses it (E190).
"""

import re
from typing import Any, Literal, Self

from pydantic import Field, field_validator, model_validator

from syncd.connectors.options import CollectionOptions, Duration, Marker, Options, Poll, Size, Tls, Watch
from syncd.connectors.promised import Promised
from syncd.core.model import SECOND, Abilities

OBJECTS = ("Product", "ProductVariant", "Customer", "Order", "InventoryItem", "InventoryLevel", "Collection")
TOPIC = r"[a-z_]+/[a-z_]+"
ARCHIVED = Marker(field="status", **{"is": "ARCHIVED"})


class Oauth(Options):
    """Client credentials of an app of the shop's own: a token is fetched and renewed before it ends."""

    client_id: str
    client_secret: str


class ShopifyConnection(Options):
    """Which shop, which version of the API, and who we are: ``token`` or ``oauth``."""

    shop: str
    api_version: str = "2026-10"
    token: str | None = None
    oauth: Oauth | None = None
    timeout: Duration = 30 * SECOND
    tls: Tls | None = None
    proxy: str | None = None

    @field_validator("shop")
    @classmethod
    def _is_a_shop(cls, shop: str) -> str:
        if not re.fullmatch(r"[a-z0-9][a-z0-9-]*\.myshopify\.com|(127\.0\.0\.1|localhost):[0-9]+", shop):
            raise ValueError("a shop is named by its own domain, as in acme.myshopify.com")
        return shop

    @field_validator("api_version")
    @classmethod
    def _is_a_version(cls, version: str) -> str:
        if not re.fullmatch(r"20[0-9]{2}-(01|04|07|10)|unstable", version):
            raise ValueError('a version is a quarter, as in api_version: "2026-10"')
        return version

    @model_validator(mode="after")
    def _one_login(self) -> Self:
        if (self.token is None) == (self.oauth is None):
            raise ValueError("write exactly one of token, oauth")
        return self


class Verify(Options):
    """How the shop signs: base64 of HMAC-SHA256 over the body. Two secrets are accepted during rotation."""

    scheme: Literal["shopify-hmac"]
    secret: str | list[str]


class ShopifyWebhook(Options):
    """Where the shop calls us, and for which topics; without ``topics`` those of the collections."""

    path: str = Field(pattern=r"^/")
    verify: Verify
    topics: list[str] = Field(default_factory=list)
    max_body: Size = 1_000_000

    @field_validator("topics")
    @classmethod
    def _are_topics(cls, topics: list[str]) -> list[str]:
        wrong = next((topic for topic in topics if not re.fullmatch(TOPIC, topic)), None)
        if wrong is not None:
            raise ValueError(f"{wrong} is not a topic; topics are written as products/update")
        return topics


class ShopifyWatch(Watch):
    """Webhooks, with polls as a net and sweeps for deletes."""

    webhook: ShopifyWebhook | None = None
    poll: Poll | None = None


class ShopifyCollection(CollectionOptions):
    """One kind of object of the shop. ``location`` is the one whose stock is meant; ``query`` bounds what is in scope."""

    object: Literal["Product", "ProductVariant", "Customer", "Order", "InventoryItem", "InventoryLevel", "Collection"]
    id: str
    changed_at: str | None = None
    query: str | None = None
    location: str | None = None
    metafields: list[str] | None = None
    deleted: Marker | None = None

    @model_validator(mode="after")
    def _archive(self) -> Self:
        if self.deleted is None and self.object == "Product":
            object.__setattr__(self, "deleted", ARCHIVED)
        return self


class ShopifyKind(Promised):
    """Shopify in the registry."""

    name = "shopify"
    connection = ShopifyConnection
    collection = ShopifyCollection
    watch = ShopifyWatch

    def abilities(self, connection: Any, collection: Any, watch: Any, write: Any) -> Abilities:
        """Return what an object can do: answers show what is stored, and nothing but stock is guarded by the shop."""
        timed = collection.changed_at is not None
        return Abilities(answers=True, timed=timed, tick=SECOND, lifetime=2 * connection.timeout)


KIND = ShopifyKind()
