"""Phone numbers: as they are written in a country, as everybody can dial them, and what is none."""

import subprocess
import sys

import phonenumbers
import pytest

from syncd.core.transforms import parse_pipeline, parse_transform, write_of
from syncd.core.values import Invalid

GOOD = [
    ("DE", "030 901820", "+4930901820", "030 901820"),
    ("DE", "(030) 90 18-20", "+4930901820", "030 901820"),
    ("DE", "0049 30 901820", "+4930901820", "030 901820"),
    ("DE", "+43 1 58858", "+43158858", "+43 1 58858"),
    ("US", "(201) 555-0123", "+12015550123", "(201) 555-0123"),
    ("US", "+1 613-555-0123", "+16135550123", "(613) 555-0123"),  # Canada is dialled as at home
    ("IT", "06 6988 3462", "+390669883462", "06 6988 3462"),  # the zero stays
]


@pytest.mark.parametrize(("country", "text", "dialled", "written"), GOOD)
def test_both_ways(country, text, dialled, written):
    assert parse_transform(f"e164({country})")(text) == dialled
    assert parse_transform(f"national({country})", way="write")(dialled) == written
    assert parse_transform(f"e164({country})")(written) == dialled


BAD = [
    ("DE", "ask Mrs Meyer", "does not look like one"),
    ("DE", "+999 1234567", "no country has this code"),
    ("DE", "110", "the area code is missing"),
    ("DE", "+49 30 12345678901234", "too long"),
    ("DE", "030 901820 ext. 5", "an extension (5)"),
    ("DE", "0" * 300, "too long"),
    ("US", "555 0123", "the area code is missing"),
]


@pytest.mark.parametrize(("country", "text", "why"), BAD)
@pytest.mark.parametrize("verb", ["e164", "national"])
def test_no_number(verb, country, text, why):
    with pytest.raises(Invalid) as caught:
        parse_transform(f"{verb}({country})")(text)
    assert why in str(caught.value)


def test_text_only():
    with pytest.raises(Invalid, match="e164 needs text"):
        parse_transform("e164(DE)")(4930901820)


@pytest.mark.parametrize("country", sorted(phonenumbers.SUPPORTED_REGIONS))
def test_what_is_written_in_a_country_is_read_back_there(country):
    read, write = parse_transform(f"e164({country})"), parse_transform(f"national({country})", way="write")
    for kind in (phonenumbers.PhoneNumberType.FIXED_LINE, phonenumbers.PhoneNumberType.MOBILE):
        number = phonenumbers.example_number_for_type(country, kind)
        if number is not None and phonenumbers.is_valid_number(number):
            dialled = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
            assert read(write(dialled)) == dialled


def test_a_canonical_number_is_written_as_it_is():
    assert write_of(parse_pipeline(["e164(DE)"])) == ()


def test_the_library_is_not_imported_before_a_country_is_named():
    code = "import syncd.core.transforms, syncd.config.load, sys; print('phonenumbers' in sys.modules)"
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert told.stdout.strip() == "False"
