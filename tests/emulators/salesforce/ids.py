"""Salesforce's ids: 15 characters that mind their case, and the 18 with a checksum that need not."""

import itertools
from collections.abc import Iterator

DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
CHECKS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345"


def checked(short: str) -> str:
    """Return the 18 characters of 15: each five characters give one, by which of them are capitals."""
    parts = [short[start : start + 5] for start in (0, 5, 10)]
    return short + "".join(CHECKS[sum(1 << at for at, one in enumerate(part) if one.isupper())] for part in parts)


def known(text: object) -> str | None:
    """Return an id with 18 characters; None if the text is none, or its checksum is wrong."""
    if not isinstance(text, str) or not text.isascii() or not text.isalnum() or len(text) not in {15, 18}:
        return None
    full = checked(text[:15])
    return full if len(text) == 15 or text.upper() == full.upper() else None


def numbered(prefix: str) -> Iterator[str]:
    """Yield ids of one object: they only grow."""
    for number in itertools.count(62**3 * 10 + 1):
        yield checked(f"{prefix}5g00000" + _base62(number).rjust(5, "0"))


def _base62(number: int) -> str:
    text = ""
    while number:
        number, digit = divmod(number, 62)
        text = DIGITS[digit] + text
    return text
