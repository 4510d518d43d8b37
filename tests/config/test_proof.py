"""What is written must be read back as it was: the proof on generated values and on the ledger's own samples."""

import pytest

from syncd.config.scene import Evidence
from tests.config.folders import EXAMPLE, PRODUCT, codes, loaded, only, small


def folder(path, kind: str, erp: str, shop: str, more: str = ""):
    """Write a config whose product has one more field."""
    line = f"  extra: {{type: {kind}, truth: erp, map: {{erp: {erp}, shop: {shop}}}{more}}}\n"
    return small(path, product=PRODUCT + line)


FINE = [
    ("string", "name", "{path: n, read: [trim]}", ""),
    ("string", "{path: n, read: [upper]}", "n", ""),
    ("string", "{path: n, read: [strip_zeros], write: [pad_zeros(5)]}", "n", ""),  # erp only says what has no zeros
    ("string", "n", "{path: n, read: [lower], write: [lower]}", ", equal: casefold"),
    ("decimal(2)", "n", "{path: n, read: ['decimal(\",\", \".\")']}", ""),
    ("decimal(2)", "n", "{path: n, write: [text]}", ""),
    ("decimal(2)", "n", "{path: n, read: [round(2)]}", ""),
    ("decimal(2)", "n", "{path: n, read: [round(1)]}", ", equal: {number: 0.05}"),
    ("decimal(1)", "{path: n, read: [round(1)]}", "n", ""),
    ("date", "n", "{path: n, read: ['date(\"%Y%m%d\")']}", ""),
    ("date", "n", "{path: n, read: ['date(\"%y%m%d\")']}", ""),  # another century has no word there
    ("set(string)", "n", "{path: n, read: ['split(\";\")']}", ""),
    ("phone", "{path: n, read: [e164(DE)]}", "{path: n, read: [e164(DE)], write: [national(DE)]}", ""),
    ("html", "n", "{path: n, read: [portable_text_to_html], write: [html_to_portable_text]}", ", equal: html"),
    ("{enum: [on, off]}", "n", "{path: n, read: [{table: {1: on, 0: off}}]}", ""),
    ("boolean", "n", "{path: n, read: [{table: {Y: true, N: false}}]}", ""),
    ("string", "n", "{path: n, read: [strip_zeros], write: [pad_zeros(4)]}", ', check: {pattern: "^[A-Z][A-Z-]*$"}'),
    ("string", "n", "{path: n, read: [strip_zeros], direction: in}", ""),
]


@pytest.mark.parametrize(("kind", "erp", "shop", "more"), FINE)
def test_comes_back(kind, erp, shop, more, tmp_path):
    found = loaded(folder(tmp_path, kind, erp, shop, more))
    assert [one.text() for one in found.diagnostics if one.code not in ("W032", "W244", "W246", "E209")] == []


LOST = [
    ("string", "n", "{path: n, read: [strip_zeros], write: [pad_zeros(10)]}", 'written as "0000000123" and read as "123"'),
    ("decimal(2)", "n", "{path: n, read: [round(0)]}", "is written as"),
    ("decimal(2)", "n", "{path: n, read: [round(1)]}", "is written as"),
    ("phone", "{path: n, read: [e164(DE)]}", "{path: n, read: [e164(DE)], write: [national(FR)]}", "not read"),
    ("datetime", "n", "{path: n, read: ['date(\"%Y%m%d\")']}", "nothing can be written"),
    ("{enum: [on, off]}", "n", "{path: n, read: [{table: {1: yes, 0: no}}]}", "nothing can be written"),
]


@pytest.mark.parametrize(("kind", "erp", "shop", "what"), LOST)
def test_does_not_come_back(kind, erp, shop, what, tmp_path):
    one = only(loaded(folder(tmp_path, kind, erp, shop)), "E240")
    assert one.message == "what this writes is not read back as it was"
    assert what in one.hint


def test_another_case_is_a_warning(tmp_path):
    one = only(loaded(folder(tmp_path, "string", "n", "{path: n, read: [lower]}")), "W247")
    assert one.hint == '"Mug" is written as "Mug" and read as "mug"'


def test_the_samples_of_the_ledger_are_tried_too(tmp_path):
    shop = "{path: n, read: [strip_zeros], write: [pad_zeros(3)]}"
    made = folder(tmp_path, "string", "{path: n, read: [upper]}", shop, ', check: {pattern: "^[A-Z]+$"}')
    assert "E240" not in codes(loaded(made))
    evidence = Evidence(samples={("product", "extra"): ["ABC", "0X"]})
    assert only(loaded(made, evidence=evidence), "E240").hint == '"0X" is written as "00X" and read as "X"'


def test_samples_are_counted_where_there_is_no_way_back(tmp_path):
    made = folder(tmp_path, "html", "n", "{path: body, read: [portable_text_to_html]}")
    evidence = Evidence(samples={("product", "extra"): ["<p>a</p>"] * 200})
    assert "(tried on 200 ledger samples: 0 of 200 came back unchanged)" in only(loaded(made, evidence=evidence), "E240").why


def test_the_example_of_the_contract_is_proved():
    assert not {"E240", "W247"} & set(codes(loaded(EXAMPLE)))
