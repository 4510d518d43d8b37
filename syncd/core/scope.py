"""What an expression may name, and what its names mean: ``sap.price``, ``sap.raw.a.b``, ``golden.price``, ``value``."""

import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from textwrap import wrap
from typing import NamedTuple

from syncd.core.functiontable import FUNCTIONS
from syncd.core.likeness import did_you_mean, near
from syncd.core.operands import ANY, NUMBER, TEXT, kind_of_type
from syncd.core.parts import FieldType, Name
from syncd.core.tokens import RESERVED, Problem, Token, refuse

SPELT = {"integer": NUMBER, "decimal": NUMBER, "money": NUMBER}
OTHERS = {  # words of other languages
    **dict.fromkeys(("AND", "And"), "and"),
    **dict.fromkeys(("OR", "Or"), "or"),
    **dict.fromkeys(("NOT", "Not"), "not"),
    **dict.fromkeys(("IN", "In"), "in"),
    **dict.fromkeys(("NULL", "Null", "nil", "none", "undefined", "NONE"), "null"),
    "TRUE": "true",
    "FALSE": "false",
    **dict.fromkeys(("IS", "eq", "EQ"), "=="),
}
SYNONYMS = {
    **dict.fromkeys(("len", "size", "count"), "length"),
    **dict.fromkeys(("str", "string", "repr", "format"), "text"),
    **dict.fromkeys(("int", "float", "decimal", "Decimal"), "number"),
    **dict.fromkeys(("strip", "lstrip", "rstrip"), "trim"),
    **dict.fromkeys(("startswith", "startsWith"), "starts_with"),
    **dict.fromkeys(("endswith", "endsWith"), "ends_with"),
    **dict.fromkeys(("includes", "has"), "contains"),
    **dict.fromkeys(("ifnull", "nvl", "isnull"), "coalesce"),
    **dict.fromkeys(("match", "search", "regex", "re"), "matches"),
    "ceiling": "ceil",
    "timestamp": "datetime",
}
ALL_FUNCTIONS = "\n".join(wrap(f"the functions: {', '.join(FUNCTIONS)}", 100, subsequent_indent="   "))
UNKNOWN = "a name that means nothing could never have a value"


@dataclass(frozen=True)
class Names:
    """What an expression may name. ``fields``: platform -> field -> type, for ``sap.price``; ``golden`` for ``golden.price``
    (empty: not offered); ``bare`` for bare names; ``value``: the type of ``value``. ``raw_bare``: every bare name, dotted too,
    is the platform's own field, as in ``only:``. ``shapes``: the known own fields of a platform with their types (those of
    bare names under ""); a platform that is not there may have any.
    """

    fields: Mapping[str, Mapping[str, FieldType]] = field(default_factory=dict)
    golden: Mapping[str, FieldType] = field(default_factory=dict)
    bare: Mapping[str, FieldType] = field(default_factory=dict)
    value: FieldType | None = None
    raw_bare: bool = False
    shapes: Mapping[str, Mapping[str, str]] = field(default_factory=dict)


class Meaning(NamedTuple):
    """What a name in a text means: the name to look up, the kind of operand it gives, and for a platform's own field with a
    known shape the type to read it with. ``inside``: the path within a field of type json.
    ``words``: the words of an enum, which are all that it can be.
    """

    name: Name
    kind: str = ANY
    shape: str = ""
    inside: tuple[str, ...] = ()
    words: tuple[str, ...] = ()


def unknown(
    token: Token, message: str, known: Iterable[str], word: str, hint: str = "", fix: str = "", why: str = UNKNOWN
) -> Problem:
    """Return an E210 with what may be meant. ``fix`` defaults to the names that there are."""
    names = list(dict.fromkeys(known))
    plain = unicodedata.normalize("NFKC", word)
    meant = f'did you mean "{plain}"?' if plain != word and plain in names else did_you_mean(plain, names)
    some = ", ".join(names[:8]) + (", ..." if len(names) > 8 else "")
    return Problem(token.start, token.end, "E210", message, meant or hint, why, fix or (f"use one of: {some}" if names else ""))


def meaning_of(token: Token, names: Names) -> Meaning | Problem:
    """Return what a name means, or what is wrong with it."""
    head = token.path[0]
    if any("." in part or "[" in part or not part for part in token.path):
        return refuse(
            token.start, token.end, "this path cannot be named", fix="a part of a path has no dot, no bracket and is not empty"
        )
    if head == "value" and names.value is not None and len(token.path) == 1:
        return Meaning(Name("", "value"), kind_of_type(names.value), words=getattr(names.value, "words", ()))
    if head in names.bare and (len(token.path) == 1 or kind_of_type(names.bare[head]) is ANY):
        return field_meaning(token, "", names.bare, token.path)
    if len(token.path) > 1 and head in names.fields:
        return of_platform(token, names)
    if len(token.path) > 1 and head == "golden" and names.golden:
        return field_meaning(token, "golden", names.golden, token.path[1:])
    if names.raw_bare:
        return raw_meaning(token, "", names.shapes.get(""), token.path)
    return stranger(token, names)


def field_meaning(token: Token, scope: str, fields: Mapping[str, FieldType], path: tuple[str, ...]) -> Meaning | Problem:
    """Return the meaning of a field that is there; one of type json has parts."""
    if path[0] not in fields:
        return unknown(token, f'no field called "{path[0]}"', fields, path[0])
    kind = kind_of_type(fields[path[0]])
    if len(path) > 1 and kind is not ANY:
        return unknown(
            token,
            f'{path[0]} is {fields[path[0]].name} and has no part called "{path[1]}"',
            (),
            path[1],
            fix=f"write  {'.'.join(token.path[: -len(path) + 1])}",
        )
    return Meaning(Name(scope, path[0]), kind, inside=path[1:], words=getattr(fields[path[0]], "words", ()))


def of_platform(token: Token, names: Names) -> Meaning | Problem:
    """Return the meaning of ``sap.price`` and ``sap.raw.NetPrice``."""
    platform, word, *rest = token.path
    fields = names.fields[platform]
    if word == "raw" and rest:
        return raw_meaning(token, f"{platform}.raw", names.shapes.get(platform), tuple(rest))
    if word in fields:
        return field_meaning(token, platform, fields, (word, *rest))
    if word == "raw":
        return refuse(
            token.start, token.end, f"{platform}.raw is no value", fix=f"name one of its fields:  {platform}.raw.FIELD"
        )
    elsewhere = [other for other, known in names.fields.items() if word in known]
    own = names.shapes.get(platform, {})
    if word in own:
        whole = f"{platform}.raw.{word}"
        return unknown(token, f'no field called "{word}"', (), word, f'did you mean "{whole}"?', f"write  {whole}")
    if word in names.golden or word in names.bare or elsewhere:
        use = ", ".join([f"{other}.{word}" for other in elsewhere] + ([f"golden.{word}"] if word in names.golden else []))
        return unknown(
            token,
            f"{word} is not mapped on {platform}",
            (),
            word,
            "no mapping there",
            f"map it there, or use  {use}" if use else "map it there",
            "without a mapping it is never read there",
        )
    return unknown(token, f'no field called "{word}"', fields, word)


def raw_meaning(token: Token, scope: str, shape: Mapping[str, str] | None, path: tuple[str, ...]) -> Meaning | Problem:
    """Return the meaning of a platform's own field."""
    name = Name(scope, ".".join(path))
    if not shape:
        return Meaning(name)
    if name.path in shape:
        return Meaning(name, raw_kind(shape[name.path]), shape[name.path])
    if path[0] in shape or any(known.startswith(f"{path[0]}.") for known in shape):
        return Meaning(name)
    where = f"{scope.removesuffix('.raw')} has" if scope else "there is"
    return unknown(token, f'{where} no field called "{name.path}"', shape, name.path)


def raw_kind(spec: str) -> str:
    """Return the kind of operand that a shape's type gives, ANY where it is not read by its type."""
    spelt = spec.partition("(")[0]
    return SPELT.get(spelt, TEXT if spec in ("string", "text") else ANY)


def stranger(token: Token, names: Names) -> Problem:
    """Return what is wrong with a name that means nothing."""
    head, platforms = token.path[0], [*names.fields, *(("golden",) if names.golden else ())]
    bare = [*names.bare, *(("value",) if names.value else ())]
    if head in platforms and len(token.path) == 1:
        return refuse(token.start, token.end, f"{head} is no value", "which field?", f"name a field of it:  {head}.FIELD")
    if head == "golden" and len(token.path) > 1:
        return unknown(token, "golden is not known here", bare, head, fix=f"write  {'.'.join(token.path[1:])}")
    if head in OTHERS and len(token.path) == 1:
        return refuse(
            token.start,
            token.end,
            f'"{head}" is not a word of the expression language',
            f"{OTHERS[head]}?",
            f"write  {OTHERS[head]}",
        )
    if len(token.path) > 1:
        return unknown(token, f'no platform called "{head}"', [*platforms, *bare], head)
    if head in RESERVED and not near(head, bare):
        return refuse(
            token.start, token.end, f'"{head}" is not offered in an expression', fix="write names, comparisons and functions"
        )
    where = [f"{platform}.{head}" for platform, fields in names.fields.items() if head in fields]
    if head in names.golden or where:
        use = [*([f"golden.{head}"] if head in names.golden else []), *where]
        return unknown(token, f'no bare name "{head}" here', (), head, "whose?", f"write  {'  or  '.join(use[:4])}")
    if head in FUNCTIONS:
        return refuse(token.start, token.end, f"{head} is a function", "call it", f"write  {FUNCTIONS[head].signature}")
    return unknown(token, f'unknown name "{head}"', bare or platforms, head)


def function_problem(token: Token) -> Problem | None:
    """Return what is wrong with a name that is called, if anything."""
    if token.text in FUNCTIONS:
        return None
    last = token.path[-1]
    if len(token.path) > 1:
        meant = last if last in FUNCTIONS else SYNONYMS.get(last)
        fix = f"write  {meant}({token.text.removesuffix(last).rstrip('.')})" if meant else ALL_FUNCTIONS
        return refuse(token.start, token.end, f'"{token.text}" cannot be called', "values have no methods", fix)
    if last in RESERVED:
        return refuse(
            token.start, token.end, f'"{last}" is not offered in an expression', fix="write names, comparisons and functions"
        )
    if (meant := SYNONYMS.get(last)) is not None:
        message = f'no function called "{last}"'
        return unknown(token, message, (), last, f'did you mean "{meant}"?', f"write  {FUNCTIONS[meant].signature}")
    return unknown(token, f'no function called "{last}"', FUNCTIONS, last, fix=ALL_FUNCTIONS)
