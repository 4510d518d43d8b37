"""How paths of mappings become projections and patches: references, pictures, elements of lists and their keys."""

from collections.abc import AsyncIterator
from decimal import Decimal
from typing import Any

import pytest

from syncd.connectors.sanity.keys import bare, keyed
from syncd.connectors.sanity.paths import expression, follows, patch_path, projection, settle
from syncd.core.mapping import get_path, parse_path
from syncd.core.model import Answer, Item
from syncd.core.portable_html import html_of
from syncd.core.portable_text import blocks_of
from syncd.errors import PermanentError
from tests.connectors.contract import creation, done, update
from tests.connectors.sanity_world import SanityWorld, world_of
from tests.emulators.sanity.dataset import Document
from tests.emulators.sanity.samples import block as text_block

FIELDS = (
    *("sku", "seo.title", "mainImage.asset.url", "mainImage.alt", "brand->.name", "brand._ref", "categories._ref"),
    *("variants.0.price", "variants[sku=B].price", "gallery.0.asset.url", "odd-name", "tags", "body", "settings"),
)
MUG: Document = {
    "_id": "mug",
    "_type": "product",
    "sku": "S-1",
    "seo": {"_type": "seo"},
    "brand": {"_type": "reference", "_ref": "acme", "_weak": True},
    "mainImage": {"_type": "image", "alt": "a mug", "asset": {"_type": "reference", "_ref": "image-1"}},
    "gallery": [{"_key": "g1", "_type": "image", "asset": {"_type": "reference", "_ref": "image-1"}}],
    "categories": [{"_key": "c1", "_type": "reference", "_ref": "cups"}, {"_key": "c2", "_type": "reference", "_ref": "all"}],
    "variants": [{"_key": "v1", "sku": "A", "price": 1}, {"_key": "v2", "sku": "B", "price": 2}],
    "odd-name": 5,
    "tags": ["a", "b"],
}
OTHERS: list[Document] = [
    {"_id": "acme", "_type": "brand", "name": "Acme"},
    {"_id": "image-1", "_type": "sanity.imageAsset", "url": "https://cdn.example/1.png"},
    *({"_id": one, "_type": "category"} for one in ("cups", "all", "sale")),
]


@pytest.fixture
async def world() -> AsyncIterator[SanityWorld]:
    async with world_of(fields=FIELDS) as made:
        await made.lake.load([*OTHERS, MUG])
        yield made


async def item(world: SanityWorld) -> Item:
    """Return the mug as the connector shows it."""
    [look] = await world.connector.read("things", ["mug"])
    assert look.item is not None
    return look.item


def at(item: Item, path: str) -> Any:
    """Return what a mapping reads at a path."""
    return get_path(item, parse_path(path))


async def write(world: SanityWorld, values: Item, key: str = "k") -> Document:
    """Update the mug and return what is stored."""
    await done(world, await update(world, "mug", values, key=key))
    return world.lake.documents["mug"]


async def test_what_is_behind_references_is_read(world: SanityWorld) -> None:
    shown = await item(world)
    assert {path: at(shown, path) for path in FIELDS[:11]} == {
        "sku": "S-1",
        "seo.title": None,
        "mainImage.asset.url": "https://cdn.example/1.png",
        "mainImage.alt": "a mug",
        "brand->.name": "Acme",
        "brand._ref": "acme",
        "categories._ref": ["cups", "all"],
        "variants.0.price": 1,
        "variants[sku=B].price": 2,
        "gallery.0.asset.url": "https://cdn.example/1.png",
        "odd-name": 5,
    }
    assert (shown["settings"], shown["mainImage"]["asset"]["_ref"]) == (None, "image-1")
    assert "price" not in shown


async def test_everything_can_be_found_by(world: SanityWorld) -> None:
    for path, value in {"brand->.name": "Acme", "mainImage.asset.url": "https://cdn.example/1.png", "variants[sku=B].price": 2,
                        "variants.0.price": 1, "odd-name": 5, "brand._ref": "acme"}.items():  # fmt: skip
        assert [look.id for look in await world.connector.find("things", path, value)] == ["mug"], path


async def test_what_is_behind_references_is_not_written(world: SanityWorld) -> None:
    before = await world.writes()
    for path in ("mainImage.asset.url", "brand->.name", "gallery.0.asset.url", "_rev"):
        [found] = await world.connector.apply([await update(world, "mug", {path: "x"})])
        assert isinstance(found, PermanentError), path
    assert await world.writes() == before
    rights = await world.connector.rights("things")
    assert rights.refused == ("mainImage.asset.url", "brand->.name", "gallery.0.asset.url")


async def test_an_answer_says_nothing_of_what_is_behind_references(world: SanityWorld) -> None:
    receipt = await done(world, await update(world, "mug", {"sku": "S-2"}))
    assert receipt.look is not None
    shown = receipt.look.item or {}
    assert (at(shown, "sku"), at(shown, "categories._ref"), at(shown, "seo.title")) == ("S-2", ["cups", "all"], None)
    assert "url" not in shown["mainImage"]["asset"]
    assert "brand->" not in shown


async def test_names_in_objects_are_set_and_emptied_one_by_one(world: SanityWorld) -> None:
    stored = await write(world, {"seo.title": "T", "settings": {"a": 1}, "odd-name": 6})
    assert (stored["seo"], stored["settings"], stored["odd-name"]) == ({"_type": "seo", "title": "T"}, {"a": 1}, 6)
    stored = await write(world, {"seo.title": None, "settings": None, "odd-name": None, "tags": None}, "k2")
    assert stored["seo"] == {"_type": "seo"}
    assert not {"settings", "odd-name", "tags"} & stored.keys()


async def test_elements_of_lists_are_written_by_their_key(world: SanityWorld) -> None:
    write_ = await update(world, "mug", {"variants.0.price": 7, "variants[sku=B].price": 8})
    await done(world, write_)
    [mutation] = world.lake.requests[-1].body["mutations"]
    assert mutation["patch"]["set"] == {'variants[_key=="v1"].price': 7, 'variants[_key=="v2"].price': 8}
    stored = await write(world, {"variants.0.price": None}, "k3")
    assert stored["variants"] == [{"_key": "v1", "sku": "A"}, {"_key": "v2", "sku": "B", "price": 8}]


async def test_an_element_that_is_not_there_is_added_with_a_key_of_its_own(world: SanityWorld) -> None:
    stored = await write(world, {"variants.2.sku": "C", "variants.2.price": 9, "variants.0.price": 5})
    assert [(one["sku"], one["price"]) for one in stored["variants"]] == [("A", 5), ("B", 2), ("C", 9)]
    assert stored["variants"][1]["_key"] == "v2"
    assert len({one["_key"] for one in stored["variants"]}) == 3
    [found] = await world.connector.apply([await update(world, "mug", {"variants.9.sku": "Z"}, key="k2")])
    assert isinstance(found, PermanentError)
    assert "there is no place 9" in str(found)


async def test_references_are_written_and_what_else_they_say_is_kept(world: SanityWorld) -> None:
    await world.lake.put({"_id": "other", "_type": "brand", "name": "Other"})
    stored = await write(world, {"brand._ref": "other", "categories._ref": ["sale", "cups"]})
    assert stored["brand"] == {"_type": "reference", "_ref": "other", "_weak": True}
    new, kept = stored["categories"]
    assert kept == MUG["categories"][0]
    assert {key: new[key] for key in ("_type", "_ref")} == {"_type": "reference", "_ref": "sale"}
    assert new["_key"]
    stored = await write(world, {"brand._ref": None, "categories._ref": []}, "k2")
    assert ("brand" in stored, stored["categories"]) == (False, [])
    stored = await write(world, {"brand._ref": "acme"}, "k3")
    assert stored["brand"] == {"_type": "reference", "_ref": "acme"}


async def test_a_reference_to_what_is_not_there_is_refused(world: SanityWorld) -> None:
    [found] = await world.connector.apply([await update(world, "mug", {"brand": None, "categories._ref": ["nowhere"]})])
    assert isinstance(found, PermanentError)
    assert 'references non-existent document "nowhere"' in str(found)


async def test_a_new_document_has_references_and_keys(world: SanityWorld) -> None:
    values = {"sku": "S-9", "brand._ref": "acme", "categories._ref": ["all"], "seo.title": "T", "variants.0.price": 3}
    receipt = await done(world, creation(world, values | {"tags": None}))
    stored = world.lake.documents[receipt.id or ""]
    assert stored["brand"] == {"_type": "reference", "_ref": "acme"}
    assert (stored["categories"][0]["_ref"], stored["seo"], "tags" in stored) == ("all", {"title": "T"}, False)
    assert stored["variants"][0]["_key"]
    [found] = await world.connector.apply([creation(world, {"sku": "S-9"}, key="k2")])
    assert getattr(found, "answer", None) is Answer.EXISTS


# ---- keys


def test_keys_are_the_same_each_time_and_kept_by_content() -> None:
    made = keyed([{"a": 1}, {"a": 1}, {"a": 2}])
    assert made == keyed([{"a": 1}, {"a": 1}, {"a": 2}])
    assert len({one["_key"] for one in made}) == 3
    old = [{"_key": "x", "a": 2}, {"_key": "y", "a": 1}]
    assert [one["_key"] for one in keyed([{"a": 1}, {"a": 2}], old)] == ["y", "x"]
    assert keyed({"deep": [{"in": [{"a": 1}]}]})["deep"][0]["in"][0]["_key"]
    assert keyed(["a", 1], ["b"]) == ["a", 1]
    assert [one["_key"] for one in keyed([{"_key": "x", "a": 9}], old)] == ["x"]


def test_blocks_are_the_same_whatever_their_keys_are() -> None:
    html = '<p>one <a href="https://x.example">two</a></p><p>three</p>'
    ours = blocks_of(html)
    theirs = blocks_of(html)
    names = {"markDefs": "l", "children": "s"}
    for number, block in enumerate(theirs):
        links = {one["_key"]: f"l{number}" for one in block["markDefs"]}
        block["_key"] = f"b{number}"
        for name in names:
            for place, one in enumerate(block[name]):
                one["_key"] = links.get(one["_key"], f"s{place}")
                if "marks" in one:
                    one["marks"] = [links.get(mark, mark) for mark in one["marks"]]
    assert bare(ours) == bare(theirs)
    assert keyed(ours, theirs) == theirs
    assert next(one["_key"] for one in keyed(blocks_of(html.replace("three", "four")), theirs)) == "b0"


# ---- words


def test_what_html_has_no_form_for_stays_as_it_is_beside_a_change() -> None:
    """An image with a hotspot, marks of one's own, a deep list: key, numbers and marks are those that were there."""
    image = {"_type": "image", "_key": "i1", "hotspot": {"x": Decimal("0.1"), "y": Decimal("0.35")}, "more": [{"_key": "g"}]}
    span = {"_type": "span", "_key": "s1", "text": "see", "marks": ["m1", "highlight"]}
    own = {"_type": "block", "_key": "c1", "style": "lead", "markDefs": [{"_key": "m1", "_type": "term"}], "children": [span]}
    deep = {**text_block("deep", "d1"), "listItem": "square", "level": 3}
    old = [image, text_block("one", "p1"), own, deep]
    new = keyed(blocks_of(str(html_of(old)).replace("one", "two")), old)
    assert isinstance(new, list)
    assert [new[0], new[2], new[3]] == [image, own, deep]
    assert new[1]["children"][0]["text"] == "two"


def test_projections_and_expressions() -> None:
    assert projection(["a", "b.c", "b.d", "odd-name"]) == 'a, b, "odd-name": @["odd-name"]'
    assert projection(["x->.n"]) == '"x->": x->{n}'
    assert projection(["m.asset.url", "m.asset._ref"]) == '"m": m{..., "asset": asset{..., ...@->{url}}}'
    assert projection(["g.0.asset.url"]) == '"g": g[]{..., "asset": asset{..., ...@->{url}}}'
    assert projection(["o.x->.n"]) == '"o": o{..., "x->": x->{n}}'
    assert expression('a[k=say "x"].b-c') == 'a[k == "say \\"x\\""][0]["b-c"]'
    assert expression("m.asset.url") == "m.asset->url"
    assert expression("x->.n") == "x->n"
    assert expression("odd-name") == '@["odd-name"]'
    assert [follows(path) for path in ("asset.url", "m.asset._ref", "m.asset.url", "a->")] == [False, False, True, True]
    assert patch_path(["a", 0, "odd name", ("_key", 'x"y')]) == "a[0]['odd name'][_key==\"x\\\"y\"]"
    assert settle({"a": {"b": 1}, "l": [{}]}, ["a.c.d", "l.0.x", "l.5.x", "n.m"]) == {
        "a": {"b": 1, "c": None}, "l": [{"x": None}], "n": None,
    }  # fmt: skip
