"""What `check:` may not say: formats that there are not, and patterns that could take for ever, with how to write them."""

from pathlib import Path

import pytest

from tests.config.folders import PRODUCT
from tests.config.test_grammar_wrong import errors, underlined


def told(folder: Path, check: str):
    product = PRODUCT + f"  word: {{type: string, truth: erp, map: {{erp: w, shop: w}}, check: {check}}}\n"
    return errors(folder, product)


@pytest.mark.parametrize(
    ("check", "mark", "message", "hint", "fix"),
    [
        ("{format: emial}", "emial", 'no format called "emial"', 'did you mean "email"?', "use one of: email, url, phone"),
        ("{format: ena}", "ena", 'no format called "ena"', 'did you mean "ean"?', "gtin, iban"),
        ("{format: telefax}", "telefax", 'no format called "telefax"', "", "use one of: email"),
        ("{format: [email]}", "[email]", "no format called", "", "use one of: email"),
        ("{pattern: '(?i)abc'}", "'(?i)abc'", "(?...) is not known", "", "write [aA] for both cases"),
        ("{pattern: 'a(?=b)'}", "'a(?=b)'", "(?...) is not known", "", "to look ahead or back, write  expr:"),
        ("{pattern: '\\bfoo'}", "'\\bfoo'", "\\b is not known", "", "where a word begins and ends"),
        ("{pattern: '\\Afoo'}", "'\\Afoo'", "\\A is not known", "", "write ^ where the text begins"),
        ("{pattern: '(a+)\\1'}", "'(a+)\\1'", "\\1 is not known", "", "known are characters"),
        ("{pattern: 'a+?'}", "'a+?'", '"?" repeats a repeat', "", "write * + or ? alone"),
        ("{pattern: '(is for )('}", "'(is for )('", 'a "(" is not closed', "", "known are characters"),
        ("{pattern: '(.{100}){20}'}", "'(.{100}){20}'", "more than 1000 characters", "", "max_length"),
    ],
)
def test_what_a_check_may_not_say(tmp_path, check, mark, message, hint, fix):
    (one,) = told(tmp_path, check)
    assert (one.code, underlined(one)) == ("E011", mark)
    assert message in one.message
    assert one.hint == hint
    assert fix in one.fix
    assert one.why


@pytest.mark.parametrize("check", ["{format: gtin}", "{pattern: '^[A-Z0-9-]{3,40}$'}", "{pattern: '^(a{0,300}|b)$'}"])
def test_what_it_may(tmp_path, check):
    assert told(tmp_path, check) == []
