"""A product in SAP, Sanity and Shopify."""

from pathlib import Path

from tests.emulators.shopify.schema import needed
from tests.examples import story
from tests.node import installed


async def test_a_product_in_sap_sanity_and_shopify(tmp_path: Path):
    for packages in ("cap", "groq"):
        installed(packages)
    needed()
    said: list[str] = []
    await story("product-shopify-sanity-sap").main(tmp_path / "retailer", said.append)
    assert "0 in SAP" in said[-2]
    assert said[-1].endswith("SAP was never written to.")
