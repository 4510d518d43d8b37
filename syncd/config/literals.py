"""What a single value in the config may be: text, a number, a duration, a share, a word of a list.

Each reader returns the value, or None after it has noted what is wrong. Nothing is coerced: text is not taken for a
number nor a number for text.
"""

import re
from collections.abc import Sequence
from decimal import Decimal
from zoneinfo import ZoneInfo, available_timezones

from syncd.config.nodes import Block, Items, Node, Scalar
from syncd.config.scalars import reading
from syncd.config.source import Source
from syncd.config.suggest import did_you_mean

UNITS = {"ms": 1_000, "s": 1_000_000, "m": 60_000_000, "h": 3_600_000_000, "d": 86_400_000_000}
_ALIASES = {
    **dict.fromkeys(("sec", "secs", "second", "seconds"), "s"),
    **dict.fromkeys(("min", "mins", "minute", "minutes"), "m"),
    **dict.fromkeys(("hr", "hrs", "hour", "hours"), "h"),
    **dict.fromkeys(("day", "days"), "d"),
    **dict.fromkeys(("msec", "millis", "milliseconds"), "ms"),
}
_SMALL = [
    *("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"),
    *("thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen"),
]
_TENS = ["twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"]


def number_word(number: int) -> str:
    """Return a small number as a word, a large one in digits."""
    if number < 20:
        return _SMALL[number]
    if number < 100:
        tens, ones = divmod(number, 10)
        return _TENS[tens - 2] + (f"-{_SMALL[ones]}" if ones else "")
    return str(number)


def counted(number: int, thing: str) -> str:
    """Return ``1 file`` or ``2 files``."""
    return f"{number:,} {thing}{'' if number == 1 else 's'}"


def describe(node: Node) -> str:
    """Return what a node is, for ``must be text, not ...``."""
    if isinstance(node, Items):
        return "a list"
    if isinstance(node, Block):
        return "a mapping"
    if node.value is None:
        return "empty"
    if isinstance(node.value, bool):
        return reading(node.value)
    if isinstance(node.value, int | Decimal):
        return f"the number {node.raw}"
    return f'the text "{_short(node.text)}"'


def _short(text: str) -> str:
    line = text.partition("\n")[0]
    return line if len(line) <= 40 else f"{line[:37]}..."


def wrong_type(source: Source, node: Node, expected: str, *, fix: str = "") -> None:
    """Note E010."""
    source.error(
        "E010",
        node,
        f"must be {expected}, not {describe(node)}",
        why="nothing is converted in silence: what is written is what is meant",
        fix=fix or f"write {expected}",
    )


def not_one_of(source: Source, node: Scalar, words: Sequence[str]) -> None:
    """Note E011."""
    source.error(
        "E011",
        node,
        f'"{_short(node.text)}" is not one of {", ".join(words)}',
        hint=did_you_mean(node.text, words),
        why="a word syncd does not know could not be obeyed",
        fix=f"use one of: {', '.join(words)}",
    )


def bad_value(source: Source, node: Node, message: str, *, why: str = "", fix: str = "", hint: str = "") -> None:
    """Note E011 with a message of its own."""
    source.error("E011", node, message, hint=hint, why=why or "what could not be obeyed is not accepted either", fix=fix)


def text(source: Source, node: Node, key: str = "") -> str | None:
    """Return text; notes E012 where YAML has changed it, E010 otherwise."""
    if isinstance(node, Scalar):
        if isinstance(node.value, str) or node.filled:
            return node.text
        if node.value is not None:
            changed_text(source, node, key)
            return None
    wrong_type(source, node, "text")
    return None


def changed_text(source: Source, node: Scalar, key: str) -> None:
    """Note that a number or boolean stands where text must be: E012 if its spelling is lost, else E010."""
    value = node.value
    assert not isinstance(value, str)
    quoted = f'write  {key}: "{node.raw}"' if key else f'write  "{node.raw}"'
    read = reading(value)
    if read == node.raw or isinstance(value, bool):
        kind = "a boolean" if isinstance(value, bool) else "a number"
        source.error(
            "E010",
            node,
            f"must be text, and YAML reads {node.raw} as {kind}",
            hint="quote it",
            why="nothing is converted in silence: what is written is what is meant",
            fix=quoted,
        )
        return
    source.error(
        "E012",
        node,
        f"must be text, and YAML reads {node.raw} as {read}",
        hint="quote it",
        why=_lost(node.raw, read),
        fix=quoted,
        notes=["syncd keeps yes, no, on, off and 12:30 as plain text; only true and false are booleans"],
    )


def _lost(raw: str, read: str) -> str:
    """Return what is lost when YAML reads a number: the zeros behind, those before, or the spelling."""
    if "." in raw and "e" not in raw.lower() and raw.rstrip("0").rstrip(".") == read.removesuffix(".0"):
        return "the trailing zero is gone before syncd sees it (00123 would lose its zeros too)"
    if raw.lstrip("+-0") == read.lstrip("-"):
        what = "zero is" if raw.lstrip("+-").startswith("0") and not raw.lstrip("+-").startswith("00") else "zeros are"
        return f"the leading {what} gone before syncd sees it (1.10 would lose its zero too)"
    return "its spelling is gone before syncd sees it (1.10 and 00123 would lose their zeros)"


def flag(source: Source, node: Node, key: str = "") -> bool | None:
    """Return true or false."""
    if isinstance(node, Scalar) and isinstance(node.value, bool):
        return node.value
    words = {"yes": "true", "on": "true", "no": "false", "off": "false", "true": "true", "false": "false"}
    meant = words.get(node.text.lower()) if isinstance(node, Scalar) else None
    wrong_type(source, node, "true or false", fix=f"write  {key}: {meant}" if meant and key else "")
    return None


def whole(source: Source, node: Node, *, least: int | None = None, most: int | None = None) -> int | None:
    """Return a whole number within bounds."""
    value = node.value if isinstance(node, Scalar) else None
    if isinstance(value, bool) or not isinstance(value, int):
        wrong_type(source, node, "a whole number")
        return None
    if (least is not None and value < least) or (most is not None and value > most):
        bounds = f"at least {least}" if most is None else f"between {least} and {most}"
        nearest = least if most is None or (least is not None and value < least) else most
        bad_value(source, node, f"must be {bounds}, not {value}", fix=f"write  {nearest}")
        return None
    return value


def word(source: Source, node: Node, words: Sequence[str]) -> str | None:
    """Return one of some words; notes E011 with did-you-mean."""
    if isinstance(node, Scalar) and node.text in words and node.value is not None:
        return node.text
    if isinstance(node, Scalar) and node.value is not None:
        not_one_of(source, node, words)
    else:
        wrong_type(source, node, f"one of {', '.join(words)}")
    return None


def duration(source: Source, node: Node, key: str = "", *, quota: bool = False) -> int | None:
    """Return microseconds of ``10s``, ``5m``, ``1.5h``; notes E015."""
    if isinstance(node, Scalar):
        found = re.fullmatch(r"([0-9]+(?:\.[0-9]+)?)(ms|s|m|h|d)", node.text)
        if found and len(found[1]) <= 12:
            return int(Decimal(found[1]) * UNITS[found[2]])
        if node.value is not None:
            not_a_duration(source, node, key, quota=quota)
            return None
    wrong_type(source, node, "a duration", fix=f"write  {key}: 10m      (units: ms, s, m, h, d)" if key else "")
    return None


def not_a_duration(source: Source, node: Scalar, key: str, *, quota: bool = False) -> None:
    """Note E015: a number without a unit, or no number with a unit at all."""
    prefix = f"{key}: " if key else ""
    if re.fullmatch(r"[0-9]+(?:\.[0-9]+)?", node.text):
        number = number_word(int(node.text)) if node.text.isdigit() and len(node.text) < 9 else node.text
        plural = "" if node.text == "1" else "s"
        source.error(
            "E015",
            node,
            f'"{node.text}" is not a duration: {node.text} what?',
            hint=f"{node.text}s, {node.text}m or {node.text}h?",
            why=f"syncd will not guess between {number} second{plural} and {number} minute{plural}"
            + (" of API quota" if quota else ""),
            fix=f"write  {prefix}{node.text}m      (units: ms, s, m, h, d)",
        )
        return
    loose = re.fullmatch(r"([0-9]+(?:\.[0-9]+)?)\s*([A-Za-z]+)", node.text)
    unit = loose and (_ALIASES.get(loose[2].lower()) or (loose[2].lower() if loose[2].lower() in UNITS else ""))
    meant = f"{loose[1]}{unit}" if loose and unit else ""
    source.error(
        "E015",
        node,
        f'"{_short(node.text)}" is not a duration',
        hint=f'did you mean "{meant}"?' if meant else "",
        why="a duration is a number and a unit, without a space",
        fix=f"write  {prefix}{meant or '10m'}      (units: ms, s, m, h, d)",
    )


def share(source: Source, node: Node, key: str = "") -> float | None:
    """Return 0.1 for ``10%``; notes E011."""
    found = re.fullmatch(r"([0-9]+(?:\.[0-9]+)?)\s*%", node.text) if isinstance(node, Scalar) else None
    if found:
        return float(Decimal(found[1]) / 100)
    if isinstance(node, Scalar) and node.value is not None:
        fix = f"write  {key}: {node.text}%" if re.fullmatch(r"[0-9.]+", node.text) else f"write  {key}: 10%"
        bad_value(source, node, f'"{_short(node.text)}" is not a share in percent', why="a share has a % sign", fix=fix)
    else:
        wrong_type(source, node, "a share in percent")
    return None


def rate(source: Source, node: Node, key: str = "") -> float | None:
    """Return requests per second of ``2/s``, ``100/m``; notes E011."""
    found = re.fullmatch(r"([0-9]+(?:\.[0-9]+)?)/(s|m|h|d)", node.text) if isinstance(node, Scalar) else None
    if found and float(found[1]) > 0:
        return float(found[1]) / (UNITS[found[2]] / 1_000_000)
    if isinstance(node, Scalar) and node.value is not None:
        not_a_rate(source, node, key)
    else:
        wrong_type(source, node, "a rate, as 2/s")
    return None


def not_a_rate(source: Source, node: Scalar, key: str) -> None:
    """Note E011 for what is no rate."""
    number = re.fullmatch(r"[1-9][0-9]*", node.text)
    bad_value(
        source,
        node,
        f'"{_short(node.text)}" is not a rate' + (f": {node.text} in what time?" if number else ""),
        hint=f"{node.text}/s or {node.text}/m?" if number else "",
        why="syncd will not guess how fast a platform may be asked",
        fix=f"write  {key}: {node.text if number else 2}/s      (units: s, m, h, d)",
    )


def zone(source: Source, node: Node, key: str = "") -> str | None:
    """Return the name of a time zone; notes E011."""
    name = text(source, node, key)
    if name is None:
        return None
    try:
        ZoneInfo(name)
    except (LookupError, OSError, ValueError):
        bad_value(
            source,
            node,
            f'no time zone called "{_short(name)}"',
            hint=did_you_mean(name, sorted(available_timezones())),
            why="times would be read in the wrong zone",
            fix="use a name of the IANA list, for example  Europe/Berlin  or  UTC",
        )
        return None
    return name


def is_hours(written: str) -> bool:
    """Return whether a text is a time of day from and to: ``08:00-09:00``."""
    found = re.fullmatch(r"([0-9]{2}):([0-9]{2})-([0-9]{2}):([0-9]{2})", written)
    return found is not None and max(int(found[1]), int(found[3])) < 24 and max(int(found[2]), int(found[4])) < 60


def amount(microseconds: int) -> str:
    """Return a duration as it is written: ``5s``, ``1500ms``, ``2h``."""
    for unit, size in reversed(UNITS.items()):
        if microseconds % size == 0 and microseconds >= size:
            return f"{microseconds // size}{unit}"
    return f"{microseconds / 1000:g}ms"
