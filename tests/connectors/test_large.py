"""A long list goes through a connector page by page: memory does not grow with it."""

from tests.connectors.large import ROWS, assert_frugal, peak, served

PRODUCTS = {
    "list": "GET /products?page={page}&size={size}",
    "pages": {"by": "page", "size": 250},
    "items": "data",
    "total": "total",
    "id": "id",
}


def test_rest_needs_little_memory_for_a_long_list() -> None:
    with served("tests.connectors.large", "--things", str(ROWS)) as url:
        assert_frugal(peak("rest", connection={"base_url": url}, collections={"things": PRODUCTS}))
