"""All functions that an expression may call, by name."""

from collections.abc import Mapping
from types import MappingProxyType

from syncd.core.functions import (
    DAY,
    EVERY,
    MEASURED,
    Function,
    at_end,
    cased,
    conditions,
    days_between,
    days_since,
    highest,
    holds,
    in_order,
    join,
    lowest,
    moment_now,
    plain_day,
    replace,
    round_to,
    split,
    to_moment,
    to_number,
    to_text,
    total,
    unique,
)
from syncd.core.operands import ANY, DATE, LIST, MOMENT, NUMBER, TEXT, TRUTH, floor

A_TEXT, A_NUMBER, A_LIST = frozenset((TEXT,)), frozenset((NUMBER,)), frozenset((LIST,))
RANKED = frozenset((TEXT, NUMBER, DATE, MOMENT, LIST))
PLAIN = frozenset((TEXT, NUMBER, TRUTH, DATE, MOMENT))

# signature, what it gives in words, an example, its result, what it takes, the kind it gives, how it is done
TIMES = (
    Function(
        "now()", "the moment of the decision", "now() > datetime('2026-01-31')", "true", (), MOMENT, moment_now, timed=True
    ),
    Function(
        "today()",
        "the day, in UTC",
        "today() > date('2026-01-31')",
        "true",
        (),
        DATE,
        lambda s: moment_now(s).date(),
        timed=True,
    ),
    Function("days_since(day)", "whole days until now", "days_since(today())", "0", (DAY,), NUMBER, days_since, timed=True),
    Function(
        "days_between(from, to)",
        "whole days",
        "days_between('2026-01-31', '2026-02-02')",
        "2",
        (DAY, DAY),
        NUMBER,
        days_between,
    ),
    Function(
        "date(text)", "the day, in UTC", "date('2026-01-31T10:00:00Z')", "2026-01-31", (DAY,), DATE, lambda _, x: plain_day(x)
    ),
    Function("datetime(text)", "the moment", "datetime('2026-01-31')", "2026-01-31T00:00:00Z", (DAY,), MOMENT, to_moment),
    Function("year(day)", "the year", "year('2026-01-31')", "2026", (DAY,), NUMBER, lambda _, x: plain_day(x).year),
    Function("month(day)", "the month, 1 to 12", "month('2026-01-31')", "1", (DAY,), NUMBER, lambda _, x: plain_day(x).month),
    Function("day(day)", "the day of the month", "day('2026-01-31')", "31", (DAY,), NUMBER, lambda _, x: plain_day(x).day),
)
TEXTS = (
    Function("length(text or list)", "characters or members", "length('Mug')", "3", (MEASURED,), NUMBER, lambda _, x: len(x)),
    Function("lower(text)", "in small letters", "lower('Mug')", "'mug'", (A_TEXT,), TEXT, cased(str.lower)),
    Function("upper(text)", "in capitals", "upper('Mug')", "'MUG'", (A_TEXT,), TEXT, cased(str.upper)),
    Function("trim(text)", "without space at its ends", "trim(' Mug ')", "'Mug'", (A_TEXT,), TEXT, cased(str.strip)),
    Function(
        "contains(text or list, part)",
        "whether it has it",
        "contains('Blue mug', 'mug')",
        "true",
        (MEASURED, frozenset((ANY,))),
        TRUTH,
        holds,
    ),
    Function(
        "starts_with(text, part)",
        "whether it begins so",
        "starts_with('MUG-1', 'MUG')",
        "true",
        (A_TEXT, A_TEXT),
        TRUTH,
        lambda _, x, part: x.startswith(part),
    ),
    Function(
        "ends_with(text, part)",
        "whether it ends so",
        "ends_with('MUG-1', '-1')",
        "true",
        (A_TEXT, A_TEXT),
        TRUTH,
        lambda _, x, part: x.endswith(part),
    ),
    Function(
        "matches(text, pattern)",
        "whether the pattern is found in it; ^ and $ are its ends",
        r"matches('MUG-1', '^[A-Z]+-\d$')",
        "true",
        (A_TEXT, A_TEXT),
        TRUTH,
        lambda *_: False,  # each call has its pattern compiled in
    ),
    Function(
        "replace(text, old, new)", "each old replaced by new", "replace('1.5', '.', ',')", "'1,5'", (A_TEXT,) * 3, TEXT, replace
    ),
    Function("split(text, separator)", "its parts as a list", "split('a;b', ';')", "['a', 'b']", (A_TEXT, A_TEXT), LIST, split),
    Function("join(list, separator)", "its texts as one", "join(['a', null, 'b'], ';')", "'a;b'", (A_LIST, A_TEXT), TEXT, join),
    Function("text(value)", "as text", "text(12.50)", "'12.5'", (PLAIN,), TEXT, to_text),
)
FIGURES = (
    Function(
        "number(text)", "the number that a text spells", "number('12.50') + 1", "13.50", (A_TEXT | A_NUMBER,), NUMBER, to_number
    ),
    Function(
        "round(number, places=0)", "rounded half up", "round(2.345, 2)", "2.35", (A_NUMBER, A_NUMBER), NUMBER, round_to, needs=1
    ),
    Function("floor(number)", "the next whole number below", "floor(2.5)", "2", (A_NUMBER,), NUMBER, lambda _, x: floor(x)),
    Function("ceil(number)", "the next whole number above", "ceil(2.5)", "3", (A_NUMBER,), NUMBER, lambda _, x: -floor(-x)),
    Function("abs(number)", "without its sign", "abs(-2.5)", "2.5", (A_NUMBER,), NUMBER, lambda _, x: abs(x)),
    Function(
        "min(values)", "the smallest that is not null", "min(3, null, 2)", "2", (RANKED,), ANY, lowest, many=True, nulls=True
    ),
    Function("max(values)", "the largest that is not null", "max([3, 2])", "3", (RANKED,), ANY, highest, many=True, nulls=True),
    Function(
        "sum(values)",
        "the sum of those not null",
        "sum(1, null, 2.5)",
        "3.5",
        (A_NUMBER | A_LIST,),
        NUMBER,
        total,
        many=True,
        nulls=True,
    ),
)
LISTS = (
    Function(
        "coalesce(values)",
        "the first that is not null",
        "coalesce(null, 'a')",
        "'a'",
        (EVERY,),
        ANY,
        lambda _, *values: next((x for x in values if x is not None), None),
        many=True,
        nulls=True,
    ),
    Function(
        "is_null(value)",
        "whether it is null or absent",
        "is_null(null)",
        "true",
        (EVERY,),
        TRUTH,
        lambda _, x: x is None,
        nulls=True,
    ),
    Function(
        "is_absent(name)",
        "whether nothing is there, not even null",
        "is_absent(null)",
        "false",
        (EVERY,),
        TRUTH,
        lambda *_: False,
        nulls=True,
    ),
    Function(
        "any(list)",
        "whether one is true",
        "any([false, null, 1 < 2])",
        "true",
        (A_LIST,),
        TRUTH,
        lambda s, x: any(conditions(s, x)),
    ),
    Function(
        "all(list)", "whether each is true", "all([1 < 2, null])", "false", (A_LIST,), TRUTH, lambda s, x: all(conditions(s, x))
    ),
    Function("first(list)", "the first member", "first(['a', 'b'])", "'a'", (A_LIST,), ANY, at_end(0)),
    Function("last(list)", "the last member", "last(['a', 'b'])", "'b'", (A_LIST,), ANY, at_end(-1)),
    Function("unique(list)", "each member once", "unique([1, 2, 1])", "[1, 2]", (A_LIST,), LIST, unique),
    Function("sorted(list)", "in order", "sorted([2, 1])", "[1, 2]", (A_LIST,), LIST, in_order),
)
FUNCTIONS: Mapping[str, Function] = MappingProxyType({one.name: one for one in (*TIMES, *TEXTS, *FIGURES, *LISTS)})
