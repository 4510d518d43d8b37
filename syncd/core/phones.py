"""Phone numbers as people write them in a country, and as everybody can dial them.

The numbering plans of the world are those of ``phonenumbers`` (Google's library, pure Python). It is imported when the first
pipeline names a country: most commands never need it. What it does not take for a number is Invalid, with the reason.
"""

import re
from functools import cache
from typing import TYPE_CHECKING, Any

from syncd.core.native import Invalid, shown

if TYPE_CHECKING:
    from phonenumbers import PhoneNumber

MAX_LENGTH = 250  # characters: no number is longer, and the library takes no longer ones


@cache
def plans() -> Any:
    """Return the library, imported once."""
    import phonenumbers  # noqa: PLC0415 - large, and most configs name no country

    return phonenumbers


def is_country(code: str) -> bool:
    """Return whether there is a numbering plan for this country: ``DE``."""
    return re.fullmatch("[A-Z]{2}", code) is not None and code in plans().SUPPORTED_REGIONS


def example(country: str) -> str:
    """Return a number that somebody in this country could have, as everybody can dial it."""
    library = plans()
    return str(library.format_number(library.example_number(country), library.PhoneNumberFormat.E164))


def number_in(country: str, text: str) -> "PhoneNumber":
    """Return the number that a text means to somebody in this country; raises Invalid."""
    if len(text) > MAX_LENGTH:
        raise Invalid(f"{shown(text)} is no phone number: too long")
    library = plans()
    try:
        number: PhoneNumber = library.parse(text, country)
    except library.NumberParseException as error:
        raise Invalid(f"{shown(text)} is no phone number of {country}: {reason_of(error.error_type)}") from None
    if number.extension:
        raise Invalid(f"{shown(text)} has an extension ({number.extension}), which one number cannot hold")
    if not library.is_valid_number(number):
        raise Invalid(f"{shown(text)} is no phone number of {country}: {fault_of(number)}")
    return number


def reason_of(kind: int) -> str:
    """Return why a text cannot be read as a number, in words."""
    known = plans().NumberParseException
    return {
        known.INVALID_COUNTRY_CODE: "no country has this code",
        known.TOO_SHORT_AFTER_IDD: "too short",
        known.TOO_SHORT_NSN: "too short",
        known.TOO_LONG: "too long",
    }.get(kind, "it does not look like one")


def fault_of(number: "PhoneNumber") -> str:
    """Return what is wrong with a number that can be read but that nobody can have, in words."""
    known = plans().ValidationResult
    return {
        known.TOO_SHORT: "too short",
        known.TOO_LONG: "too long",
        known.INVALID_LENGTH: "nobody has a number of this length",
        known.IS_POSSIBLE_LOCAL_ONLY: "the area code is missing",
    }.get(plans().is_possible_number_with_reason(number), "nobody can have this number")


def e164(country: str, text: str) -> str:
    """Return ``+4930901820`` for ``030 901820`` in Germany; raises Invalid."""
    return str(plans().format_number(number_in(country, text), plans().PhoneNumberFormat.E164))


def national(country: str, text: str) -> str:
    """Return ``030 901820`` for ``+4930901820`` in Germany, a number of another country with its code; raises Invalid."""
    library, number = plans(), number_in(country, text)
    at_home = number.country_code == library.country_code_for_region(country)
    forms = library.PhoneNumberFormat
    return str(library.format_number(number, forms.NATIONAL if at_home else forms.INTERNATIONAL))
