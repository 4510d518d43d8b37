"""Where fields are on a platform: paths, readings, writes."""

import timeit
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syncd.core.checks import parse_checks
from syncd.core.equality import parse_equality
from syncd.core.mapping import ABSENT, NoWord, get_path, native_value, parse_path, read_item, with_path, write_values
from syncd.core.model import Reading, State
from syncd.core.rules import Entity, Field, FieldMap, Member, Pick
from syncd.core.transforms import parse_pipeline, write_of
from syncd.core.values import parse_type

SHOP = "shop"


def field(name, kind="string", *, path=None, read=(), write=None, check=None, direction="both", blank=False):
    steps = parse_pipeline(read)
    back = write_of(steps) or () if write is None else parse_pipeline(write, way="write")
    path = name if path is None else path
    there = FieldMap(path, parse_path(path), read=steps, write=back, direction=direction)
    return Field(
        name,
        parse_type(kind),
        None,
        {SHOP: there},
        parse_equality("exact"),
        checks=parse_checks(check or {}, parse_type(kind)).checks,
        blank_is_value=blank,
    )


def entity(*fields, timezone="UTC"):
    return Entity("product", "sku", {f.name: f for f in fields}, {SHOP: Member(SHOP, "products", timezone=timezone)})


def read_one(mapped, item, **more):
    return read_item(entity(mapped, **more), SHOP, item)[mapped.name]


# ---- paths


@pytest.mark.parametrize(
    ("path", "steps"),
    [
        ("", ()),
        ("sku", ("sku",)),
        ("variants.0.sku", ("variants", 0, "sku")),
        ("variants[sku=MUG-1].price", ("variants", Pick("sku", "MUG-1"), "price")),
        ("a[k=x.y z]", ("a", Pick("k", "x.y z"))),
        ("[id=5].x", (Pick("id", "5"), "x")),
        ("a[k=]", ("a", Pick("k", ""))),
        ("Preis in Euro", ("Preis in Euro",)),
        ("_rev", ("_rev",)),
        ("-1", ("-1",)),
        ("1234567", ("1234567",)),
        ("٣", ("٣",)),
    ],
)
def test_parse_path(path, steps):
    assert parse_path(path) == steps


@pytest.mark.parametrize("path", [".", "a..b", ".a", "a.", "a[", "a[b]", "a[=b]", "a]", "a[b=c]d"])
def test_no_path(path):
    with pytest.raises(ValueError, match="is not a path: column"):
        parse_path(path)


ITEM = {"a": {"b": 1, "0": "zero"}, "none": None, "list": [{"k": "x", "v": 1}, {"k": 5, "v": 2}, "text"], "text": "t"}


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("", ITEM),
        ("a.b", 1),
        ("a.0", "zero"),
        ("a.c", ABSENT),
        ("a[k=x]", ABSENT),
        ("none", None),
        ("none.deep.0", None),
        ("list.0.v", 1),
        ("list.3", ABSENT),
        ("list.k", ABSENT),
        ("list[k=x].v", 1),
        ("list[k=5].v", 2),
        ("list[k=y].v", ABSENT),
        ("text.more", ABSENT),
        ("text.0", ABSENT),
    ],
)
def test_get_path(path, value):
    assert get_path(ITEM, parse_path(path)) == value


def test_a_bare_value_has_the_empty_path():
    assert get_path({"": "5"}, ()) == "5"
    assert get_path({"": "5", "id": "shelf-1"}, ()) == "5"
    assert get_path("5", ()) == "5"
    assert with_path({"": "5"}, (), "6") == {"": "6"}
    assert with_path({"a": 1}, (), {"a": 2}) == {"a": 2}


def test_an_element_without_a_text_form_is_not_picked():
    assert get_path([{"k": []}, {"k": None}, {"k": "x"}], parse_path("[k=x]")) == {"k": "x"}


def test_absent_says_so():
    assert repr(ABSENT) == "ABSENT"


@pytest.mark.parametrize(
    ("item", "path", "after"),
    [
        ({}, "a", {"a": 9}),
        (None, "a.b", {"a": {"b": 9}}),
        ({"a": {"x": 1}}, "a.b", {"a": {"x": 1, "b": 9}}),
        ({"a": None}, "a.b", {"a": {"b": 9}}),
        ({"a": "text"}, "a.b", {"a": {"b": 9}}),
        ({}, "a.0.b", {"a": [{"b": 9}]}),
        ({}, "a.0", {"a": [9]}),
        ({"a": [1, 2]}, "a.1", {"a": [1, 9]}),
        ({"a": [1]}, "a.1", {"a": [1, 9]}),
        ({"a": {"0": 1}}, "a.0", {"a": {"0": 9}}),
        ({"a": [{"k": "x"}, {"k": "y", "b": 1}]}, "a[k=y].b", {"a": [{"k": "x"}, {"k": "y", "b": 9}]}),
        ({"a": [{"k": "x"}]}, "a[k=y].b", {"a": [{"k": "x"}, {"k": "y", "b": 9}]}),
        ({}, "a[k=y].b", {"a": [{"k": "y", "b": 9}]}),
        ({"a": [1]}, "a.b", {"a": {"b": 9}}),
    ],
)
def test_with_path(item, path, after):
    before = repr(item)
    assert with_path(item, parse_path(path), 9) == after
    assert repr(item) == before


def test_with_path_makes_no_gaps_and_no_guesses():
    with pytest.raises(ValueError, match="1 elements, there is no place 2"):
        with_path({"a": [1]}, parse_path("a.2"), 9)
    with pytest.raises(ValueError, match=r"\[k=x\] needs a list"):
        with_path({"a": {}}, parse_path("a[k=x].b"), 9)


names = st.sampled_from(["a", "b", 0])
paths = st.tuples(st.lists(names | st.just(Pick("k", "x")), max_size=3), names).map(lambda path: (*path[0], path[1]))


@given(paths, paths, st.integers())
def test_what_is_put_is_found(one, two, value):
    try:
        item = with_path(with_path(None, one, "first"), two, value)
    except ValueError:
        return  # a pick in an object
    assert get_path(item, two) == value


# ---- readings


def test_value_null_absent():
    name = field("name")
    assert read_one(name, {"name": "Mug"}) == Reading(State.VALUE, "Mug")
    assert read_one(name, {"name": None}).state is State.NULL
    assert read_one(name, {"name": ""}).state is State.NULL
    assert read_one(name, {}).state is State.ABSENT
    assert read_one(field("name", path="a.b"), {"a": {"b": "x"}}).value == "x"
    assert read_one(field("level", "integer", path=""), {"": 5}).value == 5


def test_blank_is_a_value_where_the_field_says_so():
    assert read_one(field("name", blank=True), {"name": ""}) == Reading(State.VALUE, "")
    assert read_one(field("tags", "set(string)", read=['split(";")'], blank=True), {"tags": ""}).value == []
    assert read_one(field("tags", "set(string)", read=['split(";")']), {"tags": ""}).state is State.NULL


def test_what_trims_to_nothing_is_null():
    assert read_one(field("name", read=["trim"]), {"name": "  "}).state is State.NULL
    assert read_one(field("name", read=["trim", "lower"]), {"name": "  "}).state is State.NULL
    assert read_one(field("name", read=[{"table": {"n/a": None}}, "lower"]), {"name": "n/a"}).state is State.NULL


def test_invalid_says_why():
    assert read_one(field("stock", "integer"), {"stock": "many"}).reason == '"many" is not an integer'
    bad = read_one(field("price", "decimal(2)", read=['decimal(",")'], check={"min": 1}), {"price": "0,5"})
    assert bad == Reading(State.INVALID, "0.50", "0.50 is less than 1")
    assert read_one(field("price", read=["round(2)"]), {"price": []}).state is State.INVALID


def test_a_pipeline_comes_before_type_and_checks():
    price = field("price", "decimal(2)", read=["trim", 'decimal(",", ".")'], check={"min": 1, "max": 2000})
    assert read_one(price, {"price": " 1.234,5 "}) == Reading(State.VALUE, "1234.50")


def test_required_makes_null_invalid_and_absent_not():
    name = field("name", check={"required": True})
    assert read_one(name, {"name": None}) == Reading(State.INVALID, None, "required, but empty")
    assert read_one(name, {"name": ""}).state is State.INVALID
    assert read_one(name, {}).state is State.ABSENT
    assert read_one(name, {"name": "x"}).state is State.VALUE


def test_every_direction_is_read_and_other_platforms_are_not():
    both, out = field("a"), field("b", direction="out")
    elsewhere = Field("c", parse_type("string"), None, {"erp": FieldMap("c", ("c",))}, parse_equality("exact"))
    assert set(read_item(entity(both, out, elsewhere), SHOP, {})) == {"a", "b"}
    assert read_item(entity(both), "erp", {"a": 1}) == {}


def test_naive_times_are_in_the_platforms_zone():
    seen = read_one(field("at", "datetime"), {"at": "2026-07-01 10:00:00"}, timezone="Europe/Berlin")
    assert seen.value == "2026-07-01T08:00:00Z"


def test_an_entity_is_compiled_once():
    product = entity(field("a"))
    read_item(product, SHOP, {})
    known = product.compiled[SHOP]
    read_item(product, SHOP, {})
    assert product.compiled[SHOP] is known


# ---- writes


def test_native_values():
    price = field("price", "decimal(2)", read=['decimal(",")'])
    product = entity(price, field("stock", "integer"), field("live", read=[{"table": {"1": "yes", "0": "no"}}]))
    assert native_value(product, SHOP, "price", "12.50") == "12,50"
    assert native_value(product, SHOP, "stock", 5) == 5
    assert native_value(product, SHOP, "stock", None) is None
    assert native_value(product, SHOP, "live", "no") == "0"
    with pytest.raises(NoWord):
        native_value(product, SHOP, "live", "perhaps")


def test_numbers_are_written_as_numbers_unless_the_pipeline_says_text():
    product = entity(field("price", "decimal(2)"), field("shown", "decimal(2)", write=["text"]))
    written = native_value(product, SHOP, "price", "12.50")
    assert isinstance(written, Decimal)
    assert str(written) == "12.50"
    assert native_value(product, SHOP, "shown", "12.50") == "12.50"


def test_a_table_may_write_null():
    product = entity(field("live", write=[{"table": {"unknown": None}}, "trim"]))
    assert native_value(product, SHOP, "live", "unknown") is None


def test_a_pipeline_that_does_not_fit_has_no_word():
    with pytest.raises(NoWord, match="pad_zeros needs text"):
        native_value(entity(field("stock", "integer", write=["pad_zeros(5)"])), SHOP, "stock", 5)


def test_write_values():
    product = entity(field("name", path="title"), field("live", path="v.0.live", read=[{"table": {"on": "yes"}}]))
    assert write_values(product, SHOP, {"name": "Mug", "live": "yes"}) == ({"title": "Mug", "v.0.live": "on"}, set())
    assert write_values(product, SHOP, {"name": None, "live": "no"}) == ({"title": None}, {"live"})


@given(st.fixed_dictionaries({"name": st.text(min_size=1), "price": st.integers(0, 10**9), "live": st.booleans()}))
def test_what_is_written_is_read_back(values):
    product = entity(
        field("name", path="a.name"),
        field("price", "money", path="a.list.0", read=['decimal(",", ".")']),
        field("live", "boolean", path="live", read=[{"table": {"Y": True, "N": False}}]),
    )
    golden = {n: r.value for n, r in read_item(product, SHOP, {"a": {"name": values["name"]}}).items() if r.value}
    golden |= {"price": f"{values['price']}.00", "live": values["live"]}
    natives, wordless = write_values(product, SHOP, golden)
    assert not wordless
    item = None
    for path, native in natives.items():
        item = with_path(item, parse_path(path), native)
    assert {n: r.value for n, r in read_item(product, SHOP, item).items() if r.state is State.VALUE} == golden


def test_reading_is_quick():
    """Twelve plain fields cost about as much as a few dozen function calls do on the same machine."""
    product = entity(*(field(f"f{n}") for n in range(12)))
    item = {f"f{n}": f"value {n}" for n in range(12)}

    def call():
        return None

    reading = min(timeit.repeat(lambda: read_item(product, SHOP, item), number=200, repeat=10))
    calls = min(timeit.repeat(call, number=200 * 12, repeat=10))
    assert reading / calls < 60  # about 20; what is compiled anew each time costs hundreds
