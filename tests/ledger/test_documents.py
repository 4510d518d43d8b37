"""Golden and shadows survive the way through text exactly, and take few bytes."""

from decimal import Decimal
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from syncd.core.model import GoldenField, Known, ShadowField, Word
from syncd.ledger.documents import alike, golden_fields, golden_text, raws_in, shadow_fields, shadow_text, with_raws
from tests.ledger.builders import NOW, golden, known

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
whole = st.integers(min_value=-(2**63), max_value=2**63 - 1)
documents = st.recursive(
    st.none() | st.booleans() | whole | st.floats(allow_nan=False, allow_infinity=False) | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=6,
)
values = st.none() | texts | whole | st.booleans() | st.lists(texts, max_size=3, unique=True).map(sorted) | documents
times = st.integers(min_value=0, max_value=2**53)
few = st.sampled_from(["erp", "shop", None])

shadows = st.builds(
    ShadowField,
    raw=values,
    known=st.sampled_from(Known),
    means=values,
    word=st.sampled_from(Word),
    lo=times,
    hi=times,
    base=st.none() | whole | texts,
    kept=st.none() | st.lists(values, min_size=1, max_size=1),
    review=st.booleans(),
    twice=st.none() | st.lists(values, min_size=2, max_size=2),
    reason=texts,
    by=few,
    cleared=st.booleans(),
    flips=st.integers(0, 5),
    flip_at=times,
)
goldens = st.builds(
    GoldenField,
    value=values,
    lo=times,
    hi=times,
    who=few,
    provisional=st.booleans(),
    seed=st.none() | st.tuples(st.integers(0, 9), values),
    ruled=st.none() | st.dictionaries(texts, values, max_size=2),
    version=st.integers(0, 99),
)


def same(one: Any, other: Any) -> bool:
    """Equal, and equal in type: 1, 1.0 and True are three values."""
    return one == other and orjson.dumps(one, option=orjson.OPT_SORT_KEYS) == orjson.dumps(other, option=orjson.OPT_SORT_KEYS)


@st.composite
def beside_golden(draw: st.DrawFn) -> tuple[dict[str, ShadowField], dict[str, GoldenField]]:
    """Shadow fields and golden, of which some say the same."""
    fields, should = draw(st.dictionaries(texts, shadows, max_size=5)), draw(st.dictionaries(texts, goldens, max_size=4))
    for name in draw(st.sets(st.sampled_from(sorted(should)), max_size=3)) if should else ():
        value = should[name].value
        fields[name] = known(value) if draw(st.booleans()) else known(value, base=3)
    return fields, should


@settings(max_examples=300, deadline=None)
@given(beside_golden())
def test_shadow_fields_come_back_as_they_were(made: tuple[dict[str, ShadowField], dict[str, GoldenField]]) -> None:
    fields, should = made
    text = shadow_text(fields, should)
    back = shadow_fields(text, should)
    assert same(back, fields)
    assert all(type(f.known) is Known and type(f.word) is Word for f in back.values())
    assert shadow_text(back, should) == text, "equal fields give equal text, whatever their order"


@settings(max_examples=300, deadline=None)
@given(st.dictionaries(texts, goldens, max_size=5))
def test_golden_comes_back_as_it_was(fields: dict[str, GoldenField]) -> None:
    text = golden_text(fields)
    assert same(golden_fields(text), fields)
    assert golden_text(golden_fields(text)) == text


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        (1, True, False),
        (1, 1.0, False),
        ("1", 1, False),
        (None, None, True),
        ([1], [True], False),
        ([1], [1], True),
        ({"a": 1, "b": 2}, {"b": 2, "a": 1}, True),
    ],
)
def test_values_are_alike_only_in_the_same_type(one: Any, other: Any, expected: bool) -> None:
    assert alike(one, other) is expected


def test_a_usual_field_is_its_bare_value() -> None:
    fields = {"name": known("Mug"), "tags": known(["a", "b"]), "note": known(None), "doc": known({"x": 1})}
    assert shadow_text(fields, {}) == (
        f'{{"fields":{{"doc":{{"raw":{{"x":1}}}},"name":"Mug","note":null,"tags":["a","b"]}},"usual":{{"hi":{NOW},"lo":{NOW}}}}}'
    )


def test_what_we_wrote_is_as_short_as_what_a_platform_said() -> None:
    fields = dict.fromkeys("abc", known("v", word=Word.OURS))
    text = shadow_text(fields, {})
    assert text == f'{{"fields":{{"a":"v","b":"v","c":"v"}},"usual":{{"hi":{NOW},"lo":{NOW},"word":"ours"}}}}'


def test_only_what_is_out_of_step_is_written() -> None:
    fields = {"name": known("Mug"), "price": known("9.99", lo=5, hi=7), "tags": known(["a"], word=Word.OURS)}
    should = {"name": golden("Mug"), "price": golden("12.50"), "tags": golden(["a"])}
    text = shadow_text(fields, should)
    tags = f'{{"hi":{NOW},"lo":{NOW},"raw":["a"],"word":"ours"}}'
    assert text == f'{{"fields":{{"price":"9.99","tags":{tags}}},"usual":{{"hi":7,"lo":5}}}}'
    assert shadow_fields(text, should) == fields


def test_a_shadow_that_agrees_with_golden_names_only_what_it_does_not_have() -> None:
    fields = {"name": known("Mug"), "doc": known({"x": 1}), "note": known(None)}
    should = {"name": golden("Mug"), "doc": golden({"x": 1}), "note": golden(None), "price": golden("1")}
    text = shadow_text(fields, should)
    assert text == '{"fields":{},"not":["price"]}'
    assert shadow_fields(text, should) == fields


def test_no_fields() -> None:
    assert shadow_text({}, {}) == golden_text({}) == '{"fields":{}}'
    assert shadow_fields(shadow_text({}, {"a": golden(1)}), {"a": golden(1)}) == {}
    assert golden_fields(golden_text({})) == {}


def test_three_shadows_in_step_with_golden_take_little() -> None:
    fields = [f"field_{n}" for n in range(12)]
    should = {f: golden("twenty letters of it") for f in fields}
    in_step = [{f: known("twenty letters of it", word=word) for f in fields} for word in (*Word, Word.OURS)]
    size = len(golden_text(should)) + sum(len(shadow_text(one, should)) for one in in_step)
    assert size < 1.6 * len(orjson.dumps(dict.fromkeys(fields, "twenty letters of it")))


# ---- the platform's own fields


@pytest.mark.parametrize(
    "raws",
    [
        {},
        {"locked": True, "weight": Decimal("1.50"), "big": Decimal(12), "none": None, "deep.er": {"a": [1, "x"]}},
        {"text": 'with "raws": in it', "n": 2**62},
    ],
)
def test_what_expressions_name_comes_back_exactly(raws: dict[str, Any]) -> None:
    text = with_raws(shadow_text({"a": known(1)}, {}), raws)
    back = raws_in(text)
    assert repr(back) == repr({name: raws[name] for name in sorted(raws)})
    assert shadow_fields(text, {}) == shadow_fields(shadow_text({"a": known(1)}, {}), {})


def test_a_field_that_is_called_so_is_none() -> None:
    assert raws_in(shadow_text({"raws": known({"raws": 1})}, {})) == {}
