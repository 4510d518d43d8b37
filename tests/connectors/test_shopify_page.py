"""The page on Shopify: its example is what the connector takes, and each option stands in it."""

import re
from pathlib import Path

import yaml

from syncd.connectors.shopify import KIND
from syncd.connectors.shopify.options import ShopifyWebhook

PAGE = (Path(__file__).parents[2] / "docs" / "connectors" / "shopify.md").read_text()
INHERITED = {
    "timeout",
    "tls",
    "proxy",
    "poll",
    "sweep",
    "stale_after",
    "writable",
    "max_body",
    "retain",
    "deleted",
    "id",
    "changed_at",
}


def test_the_example_is_taken() -> None:
    found = re.search(r"```yaml\n(.*?)```", PAGE, re.DOTALL)
    assert found
    written = yaml.safe_load(found[1])
    KIND.connection.model_validate(written["connection"])
    KIND.watch.model_validate(written["watch"])
    for options in written["collections"].values():
        KIND.collection.model_validate(options)


def test_the_page_names_every_option() -> None:
    models = (KIND.connection, KIND.collection, KIND.watch, ShopifyWebhook)
    names = {field.alias or name for model in models for name, field in model.model_fields.items()} - INHERITED
    assert not [name for name in sorted(names) if name not in PAGE]
