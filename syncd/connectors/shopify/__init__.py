"""Shopify by its GraphQL Admin API. ``kind`` is the entrance, ``shop`` the connector, ``options`` what the config may say."""

from syncd.connectors.shopify.kind import KIND as KIND
