"""Shopify in the registry: its options, what its objects can do, and the connector, imported when one is made."""

from importlib import import_module
from typing import Any

from pydantic import BaseModel

from syncd.connectors.protocol import Connector, Setup
from syncd.connectors.shopify.objects import KINDS
from syncd.connectors.shopify.options import ShopifyCollection, ShopifyConnection, ShopifyWatch
from syncd.core.model import SECOND, Abilities


class ShopifyKind:
    """The kind ``shopify``."""

    name = "shopify"
    connection: type[BaseModel] = ShopifyConnection
    collection: type[BaseModel] = ShopifyCollection
    watch: type[BaseModel] = ShopifyWatch

    def abilities(self, connection: Any, collection: Any, watch: Any, write: Any) -> Abilities:
        """Return what an object can do.

        ``guard`` is not declared although a write is compared with a read right before it: between the two the shop lets
        anybody write. Only stock (set or adjusted) and metafields are refused by the shop itself when they were edited since.
        A key makes a repeat harmless where stock is adjusted; for what is also created here it does not, so there it is not
        declared.
        """
        kind = KINDS[collection.object]
        counts = kind.name in {"ProductVariant", "InventoryItem", "InventoryLevel"}
        return Abilities(
            create=kind.creates,
            update=kind.updates,
            delete=kind.deletes,
            keyed=counts,
            adjust=counts,
            answers=True,
            timed=collection.changed_at is not None,
            tick=SECOND,
            lifetime=2 * connection.timeout,
        )

    def connect(self, setup: Setup) -> Connector:
        """Return the connector."""
        connector: Connector = import_module("syncd.connectors.shopify.shop").ShopifyShop(setup)
        return connector


KIND = ShopifyKind()
