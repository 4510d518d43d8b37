"""What the config may say of a shop: who we are, what is read of it, how its webhooks are believed."""

import re
from collections.abc import Callable
from typing import Literal, Self

from pydantic import Field, field_validator, model_validator

from syncd.connectors.options import CollectionOptions, Duration, Marker, Options, Poll, Tls, Watch, web_address
from syncd.connectors.shopify.signed import Signed
from syncd.connectors.signature import Hook, Proof, SignedWith
from syncd.core.model import SECOND

Object = Literal["Product", "ProductVariant", "Customer", "Order", "InventoryItem", "InventoryLevel", "Collection"]
TOPIC = r"[a-z_]+/[a-z_]+"
LOCATION = r"(gid://shopify/Location/)?[0-9]+"
METAFIELD = r"[^.\s]+\.[^.\s]+"
ARCHIVED = Marker(field="status", **{"is": "ARCHIVED"})


class Oauth(Options):
    """An app's own login. With ``refresh_token`` its tokens expire and are renewed by a refresh token that changes each time;
    without it they are fetched by client credentials.
    """

    client_id: str
    client_secret: str
    refresh_token: str | None = None


class ShopifyConnection(Options):
    """Which shop, which version of the API, and who we are: ``token`` or ``oauth``.

    ``max_cost`` is what one query may cost at most, in the shop's points; pages are made to fit into it.
    """

    shop: str
    api_version: str = "2026-10"
    token: str | None = None
    oauth: Oauth | None = None
    max_cost: int = Field(1000, ge=50)
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

    @property
    def origin(self) -> str:
        """Return where the shop is asked: a shop on this machine has no certificate."""
        return f"{'https' if self.shop.endswith('.com') else 'http'}://{self.shop}"


class Verify(SignedWith):
    """How the shop signs: base64 of HMAC-SHA256 over the body. Two secrets are accepted during rotation."""

    scheme: Literal["shopify-hmac"]


class HookHeaders(Options):
    """The headers of a webhook, by what they say; the vendor has other names for them in another product of its own."""

    signature: str = "X-Shopify-Hmac-SHA256"
    topic: str = "X-Shopify-Topic"
    event: str = "X-Shopify-Event-Id"
    delivery: str = "X-Shopify-Webhook-Id"
    shop: str = "X-Shopify-Shop-Domain"


class ShopifyWebhook(Hook):
    """Where the shop calls us, and for which topics; without ``topics`` those of the collections' objects.

    ``url`` is the public address of ``path``; with ``register`` the topics that nobody sends there yet are subscribed to.
    """

    verify: Verify
    topics: list[str] = Field(default_factory=list)
    headers: HookHeaders = HookHeaders()
    register_: bool = Field(default=False, alias="register")
    url: str | None = None

    @field_validator("topics")
    @classmethod
    def _are_topics(cls, topics: list[str]) -> list[str]:
        wrong = next((topic for topic in topics if not re.fullmatch(TOPIC, topic)), None)
        if wrong is not None:
            raise ValueError(f"{wrong} is not a topic; topics are written as products/update")
        return topics

    @field_validator("url")
    @classmethod
    def _is_an_address(cls, url: str | None) -> str | None:
        return url if url is None else web_address(url)

    @model_validator(mode="after")
    def _registers_an_address(self) -> Self:
        if self.register_ and self.url is None:
            raise ValueError("register: true needs url, the public address that the shop is to call")
        return self

    def verifier(self, secret: Callable[[str], str]) -> Proof:
        """Return who checks the shop's signatures; raises TransientError if a secret is missing."""
        secrets = self.verify.secret
        return Signed([secrets] if isinstance(secrets, str) else secrets, self.headers.signature, secret)


class ShopifyPoll(Poll):
    """How often the shop is asked what changed. What it searches in lags behind what is stored: hence the overlap."""

    overlap: Duration = 300 * SECOND

    @field_validator("cursor")
    @classmethod
    def _is_by_updated_at(cls, cursor: str | None) -> str | None:
        if cursor not in {None, "updatedAt"}:
            raise ValueError("the shop is polled by updatedAt and nothing else; leave cursor away")
        return cursor


class ShopifyWatch(Watch):
    """Webhooks, with polls as a net and sweeps for deletes."""

    webhook: ShopifyWebhook | None = None
    poll: ShopifyPoll | None = None

    @model_validator(mode="after")
    def _polls_where_it_registers(self) -> Self:
        if self.webhook is not None and self.webhook.register_ and self.poll is None:
            raise ValueError("webhook: {register: true} needs poll: subscriptions are looked after when the shop is polled")
        return self


class ShopifyCollection(CollectionOptions):
    """One kind of object of the shop.

    ``query`` bounds what is listed, in the shop's search language. ``location`` is the one whose stock is meant.
    ``metafields`` are those whose type the shop does not know yet, as ``custom.erp_number: single_line_text_field``, or a list
    of names. ``search`` names the shop's search term for a match key that it is not known of. ``full_read``: in pages, or by a
    bulk operation. ``reason`` is what stock is changed for.
    """

    object: Object
    id: str
    changed_at: str | None = None
    query: str | None = None
    location: str | None = Field(default=None, pattern=f"^{LOCATION}$")
    metafields: list[str] | dict[str, str] | None = None
    deleted: Marker | None = None
    search: dict[str, str] = Field(default_factory=dict)
    full_read: Literal["pages", "bulk"] = "pages"
    reason: str = "correction"

    @field_validator("changed_at")
    @classmethod
    def _is_the_time_it_is_searched_by(cls, path: str | None) -> str | None:
        if path not in {None, "updatedAt"}:
            raise ValueError("the shop is searched by updatedAt: write changed_at: updatedAt, or leave it away")
        return path

    @field_validator("metafields")
    @classmethod
    def _are_metafields(cls, names: list[str] | dict[str, str] | None) -> list[str] | dict[str, str] | None:
        wrong = next((name for name in names or () if not re.fullmatch(METAFIELD, name)), None)
        if wrong is not None:
            raise ValueError(f'"{wrong}" is no metafield; one is named as custom.erp_number')
        return names

    @model_validator(mode="after")
    def _is_read_in_one_way(self) -> Self:
        if self.full_read == "bulk" and self.object == "InventoryLevel":
            raise ValueError("full_read: bulk is not for InventoryLevel, which is listed by location; use pages")
        return self

    @model_validator(mode="after")
    def _archive(self) -> Self:
        if self.deleted is None and self.object == "Product":
            object.__setattr__(self, "deleted", ARCHIVED)
        return self

    @property
    def place(self) -> str | None:
        """Return the location as the shop names it."""
        if self.location is None or self.location.startswith("gid:"):
            return self.location
        return f"gid://shopify/Location/{self.location}"

    @property
    def types(self) -> dict[str, str]:
        """Return the types of metafields that the config tells."""
        return self.metafields if isinstance(self.metafields, dict) else {}
