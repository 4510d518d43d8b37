"""The reasons of a decision come back exactly, and take few bytes where fields share them."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from syncd.core.model import FieldChange
from syncd.ledger.reasons import pack, unpack
from syncd.ledger.texts import dump, load
from tests.ledger.builders import NOW
from tests.ledger.test_documents import documents, texts, values

times = st.sampled_from([0, NOW, NOW + 1])
votes = st.fixed_dictionaries({"value": values, "own": st.booleans(), "null": st.booleans(), "lo": times, "hi": times})
full = st.fixed_dictionaries(
    dict.fromkeys(("value", "reason"), values)
    | {name: st.booleans() for name in ("own", "null", "cleared", "invalid", "stale")}
    | {"lo": times, "hi": times}
)
platforms = st.sampled_from(["erp", "shop", "crm"])
ballots = st.dictionaries(platforms, votes, max_size=3) | st.dictionaries(platforms, full, max_size=3)
goldens = st.fixed_dictionaries(
    {"value": values, "lo": times, "hi": times, "who": texts}, optional={"provisional": st.booleans()}
)
givens = st.fixed_dictionaries({}, optional={"golden": goldens, "slack": times, "names": documents})
reasons = st.sampled_from(["owner", "newest by 3 s", "held"])
fields = st.lists(
    st.builds(
        FieldChange,
        texts,
        values,
        values,
        st.none() | texts,
        reasons,
        reasons,
        ballots | st.dictionaries(texts, documents, max_size=2),
        givens,
    ),
    min_size=1,
    max_size=5,
    unique_by=lambda f: f.name,
)


def back(made: list[FieldChange]) -> list[FieldChange]:
    steps = {f.name: [f.before, f.after, f.who] for f in made}
    return unpack(load(dump(pack(made))), load(dump(steps)))


@settings(max_examples=300, deadline=None)
@given(fields)
def test_reasons_come_back_as_they_were(made: list[FieldChange]) -> None:
    assert dump([vars_of(f) for f in back(made)]) == dump([vars_of(f) for f in sorted(made, key=lambda f: f.name)])


def vars_of(f: FieldChange) -> list[Any]:
    """As JSON text tells it: 1, 1.0 and true are three values."""
    return [f.name, f.before, f.after, f.who, f.why, f.rule, f.inputs, f.given]


@pytest.mark.parametrize("odd", [{"erp": 3}, {"erp": {"own": True}}, {"erp": {"value": 1, "own": True}, "shop": {"value": 1}}])
def test_inputs_that_are_no_votes_are_kept_as_they_are(odd: dict[str, Any]) -> None:
    made = [FieldChange("stock", 1, 2, "erp", "delta", "delta", odd), FieldChange("name", 1, 2, "erp", "owner", "owner", {})]
    assert sorted(back(made), key=lambda f: f.name) == sorted(made, key=lambda f: f.name)


def test_a_first_contact_of_many_fields_is_short() -> None:
    vote = {"own": True, "null": False, "invalid": False, "stale": False, "lo": NOW, "hi": NOW}
    made = [
        FieldChange(f"field_{n}", None, f"v{n}", "erp", "owner", "owner", {"erp": {"value": f"v{n}", **vote}})
        for n in range(12)
    ]
    assert len(dump(pack(made))) < 180
    assert back(made) == sorted(made, key=lambda f: f.name)


def test_what_the_core_records_is_shorter_still() -> None:
    vote = {"own": True, "null": False, "cleared": False, "invalid": False, "stale": False, "lo": NOW, "hi": NOW, "reason": ""}
    given_ = {"golden": {"value": "old", "lo": NOW, "hi": NOW, "who": "erp"}}
    made = [
        FieldChange(f"field_{n}", "old", f"v{n}", "erp", "owner", "owner", {"erp": {"value": f"v{n}", **vote}}, given_)
        for n in range(12)
    ]
    assert len(dump(pack(made))) < 160
    assert back(made) == sorted(made, key=lambda f: f.name)
