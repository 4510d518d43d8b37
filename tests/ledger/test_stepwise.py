"""Fields that are made when asked for are the same fields, and give the same text, as if all had been made at once."""

import copy
from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from syncd.core.model import GoldenField, ShadowField, Word
from syncd.ledger.documents import shadow_fields, shadow_text
from syncd.ledger.stepwise import Stepwise
from tests.ledger.builders import golden, known

NAMES = [f"field_{number}" for number in range(9)]
names = st.sampled_from(NAMES)
small = st.none() | st.integers(0, 2) | st.booleans() | st.lists(st.sampled_from("ab"), max_size=2)
steps = st.lists(
    st.tuples(st.sampled_from(["ask", "say", "ours", "drop", "golden", "time", "new", "lose"]), names, small), max_size=6
)


def change(fields: dict[str, ShadowField], should: dict[str, GoldenField], what: str, name: str, value: object) -> None:
    """Do to a shadow and golden what deciding does."""
    match what:
        case "ask":
            fields.get(name)
        case "say" if name in fields:
            fields[name].raw = fields[name].means = value
        case "ours" if name in fields:
            fields[name].word = Word.OURS
        case "drop":
            fields.pop(name, None)
        case "golden" if name in should:
            should[name].value = value
        case "time" if name in should:
            should[name].hi += 1
        case "new":
            fields[name], should[name] = known(value), golden(value)
        case "lose":
            should.pop(name, None)


@settings(max_examples=500, deadline=None)
@given(st.dictionaries(names, small, min_size=4), st.sets(names, max_size=2), steps)
def test_the_same_text_whatever_was_asked_for(
    values: dict[str, object], odd: set[str], done: list[tuple[str, str, object]]
) -> None:
    should = {name: golden(value) for name, value in values.items()}
    fields = {name: known("odd" if name in odd else value) for name, value in values.items()}
    text = shadow_text(fields, should)
    lazy, all_made, other = shadow_fields(text, should), dict(shadow_fields(text, should)), copy.deepcopy(should)
    assert shadow_text(lazy, should) == text
    for what, name, value in done:
        change(lazy, should, what, name, value)
        change(all_made, other, what, name, value)
    assert shadow_text(lazy, should) == shadow_text(all_made, other)
    assert lazy == all_made


def lazy() -> dict[str, ShadowField]:
    should = {name: golden(1) for name in NAMES}
    return shadow_fields(shadow_text({name: known(1) for name in NAMES}, should), should)


def test_it_behaves_as_a_dictionary() -> None:
    whole = {name: known(1) for name in NAMES}
    assert isinstance(lazy(), Stepwise)
    assert len(lazy()) == 9
    assert "field_1" in lazy()
    assert "field_x" not in lazy()
    assert lazy().get("field_x") is None
    assert [*lazy()] == [*lazy().keys()] == NAMES
    assert lazy() == dict(lazy()) == {**lazy()} == lazy().copy() == lazy() | {} == copy.deepcopy(lazy()) == whole
    assert list(lazy().values()) == list(whole.values())
    assert lazy().setdefault("field_1", known(2)) == known(1)
    one = lazy()
    one["field_1"] = replace(known(3))
    del one["field_2"]
    assert one.pop("field_3") == known(1)
    assert one.pop("field_3", None) is None
    assert (len(one), one["field_1"]) == (7, known(3))
    one.clear()
    assert (len(one), dict(one)) == (0, {})
