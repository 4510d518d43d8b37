"""Products with a brand, a picture and a text, as a shop has them in Sanity."""

from typing import Any

COLOURS = ("blue", "red", "green", "black", "white")


def block(text: str, key: str) -> dict[str, Any]:
    """Return a paragraph of portable text."""
    span = {"_type": "span", "_key": f"{key}s", "text": text, "marks": []}
    return {"_type": "block", "_key": key, "style": "normal", "markDefs": [], "children": [span]}


def product(number: int) -> dict[str, Any]:
    """Return one product; the same each time."""
    colour = COLOURS[number % len(COLOURS)]
    return {
        "_id": f"product-{number:06d}",
        "_type": "product",
        "sku": f"MUG-{number}",
        "title": f"Mug {number}, {colour}",
        "tags": [colour, "mug"],
        "gtin": f"{4000000000000 + number}",
        "body": [block(f"A {colour} mug, number {number}.", f"b{number}")],
        "brand": {"_type": "reference", "_ref": f"brand-{number % 3}"},
        "mainImage": {"_type": "image", "asset": {"_type": "reference", "_ref": f"image-{colour}-10x10-png"}},
    }


def others() -> list[dict[str, Any]]:
    """Return what the products refer to."""
    brands = [{"_id": f"brand-{n}", "_type": "brand", "name": f"Brand {n}"} for n in range(3)]
    pictures = [
        {"_id": f"image-{colour}-10x10-png", "_type": "sanity.imageAsset", "url": f"https://cdn.example/{colour}.png"}
        for colour in COLOURS
    ]
    return brands + pictures


def products(count: int) -> list[dict[str, Any]]:
    """Return so many products and what they refer to."""
    return others() + [product(number) for number in range(1, count + 1)]
