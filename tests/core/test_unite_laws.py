"""Whatever keys come, go and change on whatever platform: each living row is one living record's, and no key is two records'
without a question.
"""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.core.desk import ABC
from tests.core.switches import without
from tests.core.town import Town

ROWS = ("1", "2", "3")
PLACE = st.sampled_from(ABC), st.sampled_from(ROWS)
PUT = st.tuples(*PLACE, st.sampled_from(["K", "L", None]), st.sampled_from(["g", "h", None]))
GONE = st.tuples(*PLACE)


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(["a", "any", "manual"]), st.lists(st.one_of(PUT, PUT, PUT, GONE), max_size=14))
def test_each_row_is_one_records_and_no_key_is_twos_unasked(authority: str, steps: list[tuple]) -> None:
    town = Town(authority)
    for step in steps:
        platform, native, *keys = step
        if keys:
            town.rows[platform, native] = {"k": keys[0], "g": keys[1], "t": [platform]}
        elif (platform, native) in town.rows:
            del town.rows[platform, native]
        else:
            continue
        town.batch(platform, native)
        town.check()


def test_without_the_question_a_key_is_two_records() -> None:
    town = Town()
    town.put("a", "1", k="K")
    town.put("a", "2", k="L")
    with without("key waits"):
        town.put("a", "1", k="L")
    with pytest.raises(AssertionError):
        town.check()


@pytest.mark.parametrize(
    "steps",
    [
        [("a", "1", "K", "g"), ("a", "1", "K", "h"), ("a", "1"), ("a", "1", "L", "g"), ("a", "2", "K", "g")],
        [("a", "1", "K", "g"), ("b", "2", "K", "g"), ("b", "2"), ("b", "2", "L", "h"), ("b", "1", "K", "g")],
    ],
)
def test_an_id_that_went_to_another_record_is_not_taken_back(steps: list[tuple]) -> None:
    town = Town("a")
    for platform, native, *keys in steps:
        if keys:
            town.rows[platform, native] = {"k": keys[0], "g": keys[1], "t": [platform]}
        else:
            del town.rows[platform, native]
        town.batch(platform, native)
        town.check()
