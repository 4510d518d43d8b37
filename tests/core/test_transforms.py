"""Transforms: what each does both ways, which undo each other, what they refuse."""

from datetime import date, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syncd.core.transforms import (
    NoWord,
    is_normaliser,
    opposite,
    parse_pipeline,
    parse_transform,
    round_trips,
    write_of,
)
from syncd.core.values import Invalid

NAIVE = datetime.fromisoformat("2026-01-31T10:00:00")
STATUS = {"table": {"active": "granted", "unsubscribed": "withdrawn"}}
OPT_OUT = {"table": {"true": "withdrawn", "false": "granted"}}
MERGED = {"table": {"a": "x", "b": "x"}}

READS = [
    ("trim", "  a ", "a"),
    ("trim", [" a", "b "], ["a", "b"]),
    ("lower", "AbC", "abc"),
    ("upper", ("a", "b"), ["A", "B"]),
    ("strip_zeros", "0012", "12"),
    ("strip_zeros", "000", "0"),
    ("strip_zeros", "", ""),
    ("strip_zeros", "0A0", "A0"),
    ("pad_zeros(5)", "12", "00012"),
    ("pad_zeros(2)", "123", "123"),
    ('decimal(",")', "-1234,50", Decimal("-1234.50")),
    ('decimal(",", ".")', "1.234.567,5", Decimal("1234567.5")),
    ('decimal(",", ".")', "1234,5", Decimal("1234.5")),
    ("decimal(',')", "5", Decimal(5)),
    ('decimal(",")', 12, Decimal(12)),
    ("decimal", "12.5", Decimal("12.5")),
    ('decimal(",", " ")', "1 000,5", Decimal("1000.5")),
    ("round(2)", Decimal("1.005"), Decimal("1.01")),
    ("round(2)", Decimal("-1.005"), Decimal("-1.01")),
    ("round(2)", "1.5", Decimal("1.5")),
    ("round(0)", 5.5, Decimal(6)),
    ("round(0)", Decimal("5.00"), Decimal(5)),
    ("round(0)", 7, Decimal(7)),
    ("text", 5, "5"),
    ("text", Decimal("12.50"), "12.50"),
    ("text", True, "true"),
    ("text", "a", "a"),
    ("text", [1, "a"], ["1", "a"]),
    ("text", date(2026, 1, 31), "2026-01-31"),
    ('date("%d.%m.%Y")', "31.01.2026", "2026-01-31"),
    ('date("%d.%m.%Y")', "1.2.2026", "2026-02-01"),
    ('date("%Y%m%d")', "20260131", "2026-01-31"),
    ('date("%Y%m%d")', date(2026, 1, 31), "2026-01-31"),
    ('split(";")', "a;b", ["a", "b"]),
    ('split(";")', "", []),
    ('join(", ")', ["a", "b"], "a, b"),
    (STATUS, "active", "granted"),
    (OPT_OUT, True, "withdrawn"),
    ({"table": {"12.5": "x"}}, Decimal("12.50"), "x"),
    ({"table": {1: "one"}}, "1", "one"),
    ({"table": {"n/a": None}}, "n/a", None),
]


@pytest.mark.parametrize(("spec", "raw", "value"), READS)
def test_reads(spec, raw, value):
    read = parse_transform(spec)(raw)
    assert read == value
    assert str(read) == str(value)


WRITES = [
    ('decimal(",")', Decimal("1234.50"), "1234,50"),
    ('decimal(",", ".")', Decimal("-1234567.5"), "-1.234.567,5"),
    ("decimal", Decimal("1E+3"), "1000"),
    ("decimal", 12, "12"),
    ('date("%d.%m.%Y")', "2026-01-31", "31.01.2026"),
    ('date("%Y%j")', "2026-01-31", "2026031"),
    ({"table": {"withdrawn": True, "granted": False}}, "withdrawn", True),
    ({"table": {"true": 1, "false": 0}}, False, 0),
]


@pytest.mark.parametrize(("spec", "value", "native"), WRITES)
def test_writes(spec, value, native):
    written = parse_transform(spec, way="write")(value)
    assert written == native
    assert type(written) is type(native)


@pytest.mark.parametrize(
    ("spec", "raw", "reason"),
    [
        ("trim", 5, "trim needs text, and 5 is a number"),
        ("lower", ["a", None], "lower needs text"),
        ("pad_zeros(3)", 5, "pad_zeros needs text"),
        ('decimal(",")', "12.50", 'not a number written with ","'),
        ('decimal(",", ".")', "12.50", 'written with "," and "."'),
        ('decimal(",", ".")', "1.2345,0", "not a number"),
        ('decimal(",")', "", "not a number"),
        ('decimal(",")', True, "not a number"),
        ("round(2)", "many", "not a number"),
        ("round(2)", Decimal("Infinity"), "not a finite number"),
        ("text", {}, "no text form"),
        ("text", Decimal("NaN"), "not a finite number"),
        ('date("%d.%m.%Y")', "2026-01-31", 'not a date as "%d.%m.%Y"'),
        ('date("%d.%m.%Y")', "30.02.2026", "not a date"),
        ('date("%d.%m.%Y")', 5, "not a date"),
        ('date("%d.%m.%Y")', NAIVE, "not a date"),
        ('date("%Y%m%d")', "2026131", "not a date"),
        ('split(";")', ["a"], "split needs text"),
        ('join(";")', "a", "join needs a list of texts"),
        ('join(";")', [1], "join needs a list of texts"),
        (STATUS, "gone", '"gone" is not in the table'),
        (STATUS, [], "no text form"),
    ],
)
def test_misfits_are_invalid(spec, raw, reason):
    with pytest.raises(Invalid) as caught:
        parse_transform(spec)(raw)
    assert reason in str(caught.value)


def test_what_cannot_be_said_has_no_word():
    for spec, value in [(STATUS, "unknown"), ('join(";")', ["a;b"]), ('date("%d.%m.%y")', "1931-01-31")]:
        with pytest.raises(NoWord):
            parse_transform(spec, way="write")(value)
    with pytest.raises(Invalid, match="date needs a date"):
        parse_transform('date("%d.%m.%y")', way="write")("soon")


@pytest.mark.parametrize("spec", ["e164", "e164(ZZ)", "national('de')", "ref", "portable_text_to_html(1)"])
def test_arguments_of_named_steps(spec):
    with pytest.raises(ValueError, match="takes"):
        parse_transform(spec)


@pytest.mark.parametrize(
    "spec",
    [
        "trimm",
        "",
        "pad_zeros",
        "pad_zeros()",
        "pad_zeros(x)",
        "pad_zeros(0)",
        "pad_zeros(true)",
        "pad_zeros(1, 2)",
        'pad_zeros("3")',
        "trim(1)",
        "text(1)",
        "round",
        "round(-1)",
        "round(99)",
        'decimal(",", ",")',
        'decimal(",,")',
        "decimal(5)",
        'decimal("5")',
        'decimal("-")',
        'decimal(",", ".", " ")',
        "date",
        "date(5)",
        'date("%Y")',
        'date("%Y-%m-%d %H:%M")',
        'date("%")',
        'date("%Y-%m-%d%")',
        "split",
        'split("")',
        "split(5)",
        "join",
        'join("")',
        "pad_zeros(",
        "a b",
        'split(";"',
        "split(((((",
        5,
        None,
        {},
        {"tabel": {}},
        {"table": {}},
        {"table": []},
        {"table": {"a": "b"}, "x": 1},
        {"table": {1: "a", "1": "b"}},
        {"table": {None: "a"}},
        {"table": {"a": []}},
    ],
)
def test_no_transform(spec):
    with pytest.raises(ValueError, match=r".") as caught:
        parse_transform(spec)
    assert not isinstance(caught.value, Invalid)


def test_names_are_as_the_config_writes_them():
    specs = ["trim", "pad_zeros(18)", "decimal(',', '.')", 'date("%Y%m%d")', STATUS]
    assert [step.name for step in parse_pipeline(specs)] == [
        "trim",
        "pad_zeros(18)",
        'decimal(",", ".")',
        'date("%Y%m%d")',
        "table",
    ]


OPPOSITES = [
    ("pad_zeros(3)", "strip_zeros"),
    ('decimal(",")', 'decimal(",")'),
    ('date("%Y%m%d")', 'date("%Y%m%d")'),
    ('split(";")', 'join(";")'),
    ('join(";")', 'split(";")'),
    (STATUS, "table"),
    ("strip_zeros", None),
    ("trim", None),
    ("text", None),
    (MERGED, None),
    ({"table": {"a": None}}, None),
]


@pytest.mark.parametrize(("spec", "back"), OPPOSITES)
def test_opposites(spec, back):
    undo = opposite(parse_transform(spec))
    assert (undo and undo.name) == back
    assert undo is None or undo.way == "write"


def test_the_opposite_of_a_write_reads():
    undo = opposite(parse_transform('decimal(",")', way="write"))
    assert undo is not None
    assert undo("1,5") == Decimal("1.5")


def test_a_transform_of_another_make_has_no_opposite():
    class Plugin:
        name = "plugin"

        def __call__(self, raw):
            return raw

    assert opposite(Plugin()) is None
    assert not is_normaliser(Plugin())
    assert write_of([Plugin()]) is None
    assert not round_trips([Plugin()], [parse_transform("pad_zeros(3)", way="write")])
    assert not round_trips([parse_transform("strip_zeros")], [Plugin()])


@pytest.mark.parametrize(
    ("read", "write"),
    [
        ([], []),
        (["trim", "lower"], []),
        (["round(2)"], []),
        (['decimal(",")', "round(2)"], ['decimal(",")']),
        (['split(";")', "trim"], ['join(";")']),
        (["pad_zeros(3)"], ["strip_zeros"]),
        ([STATUS], ["table"]),
        (["trim", "pad_zeros(3)", 'split("-")'], ['join("-")', "strip_zeros"]),
        (["strip_zeros"], None),
        (["trim", "strip_zeros", "lower"], None),
        ([MERGED], None),
    ],
)
def test_write_of(read, write):
    found = write_of(parse_pipeline(read))
    assert (found if found is None else [step.name for step in found]) == write


TRIPS = [
    ([], [], True),
    (["lower"], ["lower"], True),
    (["strip_zeros"], ["pad_zeros(18)"], True),
    (["strip_zeros"], [], False),
    ([], ["pad_zeros(18)"], False),
    ([], ["text"], True),
    (["decimal"], ["text"], True),
    (['decimal(",")'], ['decimal(",")'], True),
    (['decimal(",")'], ['decimal(",", ".")'], False),
    (["trim", 'decimal(",")'], ['decimal(",")'], True),
    (['date("%Y%m%d")'], ['date("%d%m%Y")'], False),
    (['split(";")'], ['join(";")'], True),
    (['split(";")'], ['join(",")'], False),
    (['split(";")'], ['split(";")'], False),
    (["strip_zeros", 'split(";")'], ['join(";")', "pad_zeros(3)"], True),
    (["strip_zeros", 'split(";")'], ["pad_zeros(3)", 'join(";")'], False),
    ([OPT_OUT], [{"table": {"withdrawn": True, "granted": False}}], True),
    ([OPT_OUT], [{"table": {"withdrawn": True, "unknown": None}}], True),
    ([OPT_OUT], [{"table": {"withdrawn": False, "granted": True}}], False),
    ([OPT_OUT], [{"table": {"withdrawn": "yes"}}], False),
    ([MERGED], [{"table": {"x": "a"}}], True),
    ([STATUS], [{"table": {"granted": "active", "unknown": "active"}}], False),
    ([STATUS], ["pad_zeros(3)"], False),
]


@pytest.mark.parametrize(("read", "write", "good"), TRIPS)
def test_round_trips(read, write, good):
    assert round_trips(parse_pipeline(read), parse_pipeline(write, way="write")) is good


def through(specs, value):
    read = parse_pipeline(specs)
    write = write_of(read)
    assert write is not None
    assert round_trips(read, write)
    for step in (*write, *read):
        value = step(value)
    return value


@given(st.decimals(allow_nan=False, allow_infinity=False, places=3, min_value=-(10**9), max_value=10**9))
def test_decimals_come_back(number):
    assert through(['decimal(",")'], number) == number
    assert through(['decimal(",", ".")'], number) == number
    assert through(["decimal"], number) == number
    assert through(["trim", 'decimal(",", " ")', "round(3)"], number) == number


@given(st.dates(min_value=date(1000, 1, 1)))
def test_dates_come_back(day):
    for form in ("%Y%m%d", "%d.%m.%Y", "%d %b %Y", "%Y-%j"):
        assert through([f'date("{form}")'], day.isoformat()) == day.isoformat()


@given(st.lists(st.text(alphabet="ab ,", min_size=1), min_size=1))
def test_lists_come_back(members):
    assert through(['split(";")'], members) == members


@given(st.text(alphabet="123AB", min_size=1, max_size=8))
def test_padded_texts_come_back(text):
    read, write = parse_pipeline(["strip_zeros"]), parse_pipeline(["pad_zeros(10)"], way="write")
    assert read[0](write[0](text)) == text


@given(st.sampled_from(["granted", "withdrawn"]))
def test_table_words_come_back(word):
    assert through([STATUS], word) == word
    assert through([OPT_OUT], word) == word


def test_a_table_keeps_the_kind_of_its_keys_on_the_way_back():
    undo = opposite(parse_transform({"table": {0: "active", True: "gone"}}))
    assert undo is not None
    assert undo("active") == 0
    assert undo("gone") is True
