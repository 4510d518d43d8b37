"""The formats of checks: what each of them takes, and what it does not."""

import pytest

from syncd.core import formats
from syncd.core.checks import parse_check
from syncd.core.values import parse_type

GOOD = {
    "email": ["a@b.example", "Jo.Doe+x@y.co.uk", "jürgen@bücher.example", "o'neil@x-y.example", "a_b@1und1.example"],
    "url": ["https://shop.example/a?b=c", "ftp://x.example", "http://localhost:8080"],
    "phone": ["+49 30 901820", "030/901820", "(201) 555-0123"],
    "date": ["2026-01-31", "2000-02-29"],
    "datetime": ["2026-01-31T10:00:00Z", "2026-01-31 10:00:00.5+01:00", "2024-02-29t23:59:59z"],
    "uuid": ["123e4567-e89b-12d3-a456-426614174000", "123E4567-E89B-12D3-A456-426614174000"],
    "ean": ["4006381333931", "73513537"],
    "gtin": ["4006381333931", "73513537", "036000291452", "10614141000415"],
    "iban": ["DE89370400440532013000", "GB82WEST12345698765432", "NO9386011117947", "MT84MALT011000012345MTLCAST001S"],
    "bic": ["DEUTDEFF", "DEUTDEFF500"],
    "country": ["DE", "AT", "GB", "TF"],
    "currency": ["EUR", "CHF", "XAU"],
    "language": ["de", "de-AT", "zh-Hant-TW", "es-419", "sl-rozaj", "EN-us"],
    "hostname": ["localhost", "a-b.example", "1.2.example", "x" * 63 + ".example"],
    "ip": ["192.0.2.1", "0.0.0.0", "2001:db8::1", "::", "::ffff:192.0.2.1", "1:2:3:4:5:6:7:8"],
}
BAD = {
    "email": [
        *("a", "a@b", "@b.example", "a@", "a b@c.example", "a@b..example", ".a@b.example", "a.@b.example", "a..b@c.example"),
        *("a@@b.example", "a@-b.example", "Jo <a@b.example>", "a@b.example ", "a,b@c.example", "a@1.2.3.4"),
        "x" * 65 + "@b.example",
        "a@" + "b" * 250 + ".example",
    ],
    "url": ["a", "www.shop.example", "https://", "https:///a", "https://a b", "//x.example", "javascript:alert(1)"],
    "phone": ["x", "12", "call 030", "+49 30 ABC", "030901820\n"],
    "date": ["2026-02-30", "2026-1-31", "31.01.2026", "2026-01-31T00:00:00Z", "0000-01-01", ""],
    "datetime": ["2026-01-31", "2026-01-31T10:00:00", "2026-01-31T25:00:00Z", "2026-02-30T10:00:00Z", "2026-01-31T10:00Z"],
    "uuid": ["123e4567e89b12d3a456426614174000", "{123e4567-e89b-12d3-a456-426614174000}",
             "123e4567-e89b-12d3-a456-42661417400g"],
    "ean": ["4006381333932", "400638133393", "036000291452", "10614141000415", "400638133393X", "٤٠٠٦٣٨١٣٣٣٩٣١"],
    "gtin": ["4006381333932", "036000291453", "10614141000416", "123", "", "4006381 333931", "0" * 15],
    "iban": ["DE89370400440532013001", "DE89 3704 0044 0532 0130 00", "de89370400440532013000", "ZZ68539007547034", "DE", ""],
    "bic": ["DEUTDEF", "DEUTZZFF", "deutdeff", "DEUTDEFF5000"],
    "country": ["de", "DEU", "XX", "UK", "EU", ""],
    "currency": ["eur", "EU", "€", "DEM", "XYZ"],
    "language": ["", "german", "de_DE", "de-", "d", "1a", "de--AT"],
    "hostname": ["", "a b", "-a.example", "a-.example", "a..b", "a.example.", "bücher.example", "x" * 64, "a_b"],
    "ip": [
        *("256.1.1.1", "1.2.3", "01.2.3.4", "1.2.3.4.5", "1::2::3", ":::", "12345::", "1:2:3:4:5:6:7", "g::", "", "::1%eth0"),
        "1:2:3:4:5:6:7:8::",
    ],
}


def problem(name: str, text: str) -> str | None:
    check = parse_check("format", name, parse_type("string"))
    assert check is not None
    return check.problem(text)


@pytest.mark.parametrize(("name", "text"), [(name, text) for name, texts in GOOD.items() for text in texts])
def test_a_good_one_passes(name, text):
    assert problem(name, text) is None


@pytest.mark.parametrize(("name", "text"), [(name, text) for name, texts in BAD.items() for text in texts])
def test_a_bad_one_does_not(name, text):
    assert "is not a valid" in (problem(name, text) or "")


@pytest.mark.parametrize("name", formats.NAMES)
@pytest.mark.parametrize("text", ["\0", "\ud800", *(part * 1_000_000 for part in ("a", "1", "a.", ":", "@", "A-"))])
def test_no_text_is_too_odd_or_too_long(name, text):
    assert problem(name, text) is None or "is not a valid" in problem(name, text)


def test_each_format_has_good_and_bad_ones():
    assert set(GOOD) == set(BAD) == set(formats.NAMES)
    assert (len(formats.COUNTRIES), all(len(code) == 2 for code in formats.COUNTRIES)) == (249, True)
