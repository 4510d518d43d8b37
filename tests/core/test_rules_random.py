"""Rules of all sorts at random: deciding twice changes nothing, decisions follow from their inputs, writing comes to rest."""

import random

import pytest

from syncd.core.model import SECOND, Value
from syncd.core.rederive import rederive
from syncd.core.rules import Freeze, Truth
from tests.core.desk import ABC, Desk, a_field, a_member, owner, rule
from tests.core.rule_words import cases, const, expr, frozen_when

TEXTS = (
    owner("a", freeze=Freeze("always")),
    owner("b", freeze=Freeze("after_first"), if_null="clear"),
    owner("a", freeze=Freeze("until", until=1200 * SECOND)),
    rule("newest", "a", "b", freeze=frozen_when("c.raw.lock")),
    cases(("c.raw.lock", owner("b", if_null="next")), owner("a")),
    cases(("a.g == 'x'", const("said")), rule("newest", "a", "b", tie=("b",))),
    cases(("golden.g == 'x'", rule("priority", "b", "a", if_null="next")), expr("a.f + b.g", if_null="const", null_value="z")),
    cases(("c.raw.lock", Truth("manual", propose=owner("b"))), rule("longest", "a", "b")),
    expr("coalesce(b.f, a.g, golden.g)"),
    expr("upper(golden.g)", if_null="clear"),
    rule("newest", if_null="const", null_value="z"),
)
SETS = (
    cases(("c.raw.lock", owner("a")), rule("union", "a", "b")),
    rule("union", freeze=frozen_when("c.raw.lock")),
    cases(("c.raw.lock", rule("intersection", "a", "b")), rule("union", "a", "b")),
)


def random_desk(dice: random.Random) -> Desk:
    """Return a desk with rules of all sorts; g stands on its own, so that nothing goes in a circle."""
    fields = (
        a_field("f", truth=dice.choice(TEXTS), stray={p: dice.choice(("revert", "keep")) for p in ABC}),
        a_field("g", truth=dice.choice((owner("a"), rule("newest", "a", "b"), rule("priority", "b", "a", if_null="next")))),
        a_field("tags", truth=dice.choice(SETS), kind="set(string)", equal="set"),
    )
    return Desk(*fields, members=(a_member("c", raws=("lock",)),))


def random_item(dice: random.Random) -> dict[str, Value]:
    """Return what somebody left on a platform."""
    words = ("x", "y", "zz", None)
    tags = sorted(dice.sample(["one", "two", "three"], dice.randrange(4)))
    item = {"f": dice.choice(words), "g": dice.choice(words), "tags": tags, "lock": dice.choice((True, False, None))}
    return {name: value for name, value in item.items() if dice.random() < 0.8}


@pytest.mark.parametrize("seed", range(200))
def test_rules_of_all_sorts(seed: int) -> None:
    dice = random.Random(seed)
    d = random_desk(dice)
    for _ in range(12):
        d.space.now += dice.choice((1, 5, 60)) * SECOND
        if dice.random() < 0.3 and d.space.records:
            platform = dice.choice(ABC)
            if platform in d.record.shadows and d.plan(platform).write is not None:
                d.answer(platform)
        else:
            d.look(dice.choice(ABC), **random_item(dice))
    d.revise()  # time went by since the last look
    version, conflicts = d.record.version, dict(d.record.conflicts)
    for _ in range(2):
        d.revise()
        assert (d.record.version, d.record.conflicts) == (version, conflicts)
    for _ in range(4):
        d.write_all(*(p for p in ABC if p in d.record.shadows))
    assert [d.sent(p) for p in ABC if p in d.record.shadows] == [{}] * len(d.record.shadows)
    assert [problem for decision in d.space.decisions for problem in rederive(d.entity, decision)] == []
