"""What each transform does to a value, one function a step. Which of them undo each other is ``core.transforms``."""

import re
from collections.abc import Callable, Mapping
from datetime import date, datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import Literal

from syncd.core.model import Native
from syncd.core.native import DATE, Invalid, NoWord, number_of, shown, sort_of, text_form

Way = Literal["read", "write"]  # platform to syncd, syncd to platform
Run = Callable[[Native], Native]


def on_text(verb: str, change: Callable[[str], Native]) -> Run:
    """Return a step that takes a text, or a list of texts member by member."""

    def run(raw: Native) -> Native:
        if isinstance(raw, str):
            return change(raw)
        if isinstance(raw, list | tuple):
            return [run(member) for member in raw]
        raise Invalid(f"{verb} needs text, and {shown(raw)} is {sort_of(raw)}")

    return run


def strip_zeros(text: str) -> str:
    """Return text without zeros in front; a text of zeros is one zero."""
    return text.lstrip("0") or text[:1]


def round_half_up(places: int, raw: Native) -> Native:
    """Return a number, or text that is one, with so many places at most; a half goes away from zero."""
    value = number_of(raw)
    if -int(value.as_tuple().exponent) <= places:
        return value
    return value.quantize(Decimal(1).scaleb(-places), rounding=ROUND_HALF_UP)


def as_text(raw: Native) -> Native:
    """Return a value as text, numbers with all their places; a list member by member."""
    if isinstance(raw, list | tuple):
        return [as_text(member) for member in raw]
    return f"{raw:f}" if isinstance(raw, Decimal) and raw.is_finite() else text_form(raw)


def read_decimal(form: re.Pattern[str], marks: tuple[str, ...], raw: Native) -> Native:
    """Return the number of a text with its own decimal and thousands marks; numbers pass."""
    if not isinstance(raw, str):
        return number_of(raw)
    if not form.fullmatch(raw):
        raise Invalid(f"{shown(raw)} is not a number written with {' and '.join(shown(mark) for mark in marks)}")
    for thousands in marks[1:]:
        raw = raw.replace(thousands, "")
    return number_of(raw.replace(marks[0], "."))


def write_decimal(marks: tuple[str, ...], raw: Native) -> Native:
    """Return a number as text with these marks."""
    text = f"{number_of(raw):{',' if len(marks) > 1 else ''}f}"
    return text.translate({ord("."): marks[0], ord(","): "".join(marks[1:])})


def read_date(form: str, raw: Native) -> Native:
    """Return the ISO date of a text in this format; a date of a database passes."""
    if isinstance(raw, date) and not isinstance(raw, datetime):
        return raw.isoformat()
    try:
        day = datetime.strptime(raw, form).date()  # noqa: DTZ007 - a date has no zone
    except (ValueError, TypeError):
        raise Invalid(f'{shown(raw)} is not a date as "{form}"') from None
    if re.search(r"%\w%", form) and day.strftime(form) != raw:  # without separators a missing digit would move the others
        raise Invalid(f'{shown(raw)} is not a date as "{form}"')
    return day.isoformat()


def write_date(form: str, raw: Native) -> Native:
    """Return an ISO date in this format."""
    if not isinstance(raw, str) or not DATE.fullmatch(raw):
        raise Invalid(f"date needs a date, and {shown(raw)} is {sort_of(raw)}")
    text = date.fromisoformat(raw).strftime(form)
    if read_date(form, text) != raw:
        raise NoWord(f'{raw} does not come back from "{form}"')
    return text


def split(mark: str, raw: Native) -> Native:
    """Return the parts of a text; an empty text has none."""
    if not isinstance(raw, str):
        raise Invalid(f"split needs text, and {shown(raw)} is {sort_of(raw)}")
    return raw.split(mark) if raw else []


def join(mark: str, raw: Native) -> Native:
    """Return a list of texts as one; a member that holds the mark cannot be told apart again."""
    if not isinstance(raw, list | tuple) or not all(isinstance(member, str) for member in raw):
        raise Invalid(f"join needs a list of texts, and {shown(raw)} is {sort_of(raw)}")
    bad = next((member for member in raw if mark in member), None)
    if bad is not None:
        raise NoWord(f'{shown(bad)} holds the mark "{mark}"')
    return mark.join(raw)


def look_up(words: Mapping[str, Native], way: Way, raw: Native) -> Native:
    """Return what the table says for a value's text form."""
    key = text_form(raw)
    if key in words:
        return words[key]
    if way == "write":
        raise NoWord(f"{shown(raw)} is not in the table")
    raise Invalid(f"{shown(raw)} is not in the table")
