"""The words of an expression, and a mask of it: the same text in which each name is a row of ``_``, each text a row of ``_``
in quotes and each number a row of ``1``.

Python's parser only ever sees the mask. What stands in names and texts cannot reach it, columns stay as they are, and a name
may be a word of Python's (``sap.raw.class``) or have a list position in it (``variants.0.sku``).
"""

import keyword
import re
from dataclasses import dataclass, field
from typing import NamedTuple

MAX_LENGTH = 2_000  # characters of an expression
MAX_TOKENS = 400
MAX_NESTED = 30  # brackets in brackets, and signs before one operand

WORDS = frozenset(("and", "or", "not", "in", "is", "if", "else"))
LITERALS = {"true": True, "True": True, "false": False, "False": False, "null": None, "None": None}
RESERVED = frozenset(keyword.kwlist) - WORDS - LITERALS.keys()
OPENS = {")": "(", "]": "["}
ESCAPES = {"\\": "\\", "'": "'", '"': '"', "n": "\n", "t": "\t"}

SPACE = re.compile(r"[ \t\r\n]+")
QUOTED = re.compile(r"'((?:[^'\\]|\\.)*)'|\"((?:[^\"\\]|\\.)*)\"", re.DOTALL)
NUMBER = re.compile(r"[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?|\.[0-9]+")
PART = r"(?:[^\W\d]|\$)[\w$]*"
NAME = re.compile(PART)
MORE = re.compile(rf"\.(@?{PART}|[0-9]+(?!\w))|\[[ ]*(?:([0-9]+)|'([^'\\]*)'|\"([^\"\\]*)\")[ ]*\]")
OPERATOR = re.compile(r"//|==|!=|<=|>=|[-+*/%<>()\[\],]")
CALL = re.compile(r"[ \t]*\(")


class Problem(NamedTuple):
    """What is wrong with an expression: columns within its text, from 0, and the words of a diagnostic."""

    start: int
    end: int
    code: str  # E210 unknown name, E211 anything else
    message: str
    hint: str = ""
    why: str = ""
    fix: str = ""


class Token(NamedTuple):
    """A word of an expression. ``sort``: name call text number word operator. ``path``: the parts of a name."""

    sort: str
    start: int
    end: int
    text: str
    path: tuple[str, ...] = ()


@dataclass(slots=True)
class Words:
    """The words of a text, its mask, and what could not be read."""

    tokens: list[Token] = field(default_factory=list)
    mask: str = ""
    problems: list[Problem] = field(default_factory=list)


WHY = "an expression is a small formula: names, texts, numbers, comparisons and the functions of the table, nothing else"
MISTAKES: tuple[tuple[str, str, str, str], ...] = (  # as written, message, hint, fix
    ("===", '"===" is not an operator', "two are enough", "write  =="),
    ("!==", '"!==" is not an operator', "one less", "write  !="),
    ("<>", '"<>" is not an operator', "not equal?", "write  !="),
    ("=<", '"=<" is not an operator', "the other way round?", "write  <="),
    ("=>", '"=>" is not an operator', "the other way round?", "write  >="),
    ("&&", '"&&" is not an operator', "and?", "write  and"),
    ("||", '"||" is not an operator', "or?", "write  or"),
    (":=", "nothing can be stored in an expression", "leave it out", "use == to compare"),
    ("**", "powers are not offered", "multiply?", "write the product:  x * x"),
    ("<<", "bits are not offered", "", "multiply or divide"),
    (">>", "bits are not offered", "", "multiply or divide"),
    ("->", '"->" is not an operator', "", "leave it out"),
    ("=", '"=" stores, it does not compare', "==?", "use == to compare"),
    ("!", '"!" is not an operator', "not?", "write  not"),
    ("?", '"?" is not an operator', "if ... else?", "write  a if condition else b"),
    (":", '":" is not an operator', "", "a condition is  a if condition else b; slices and objects are not offered"),
    ("&", '"&" is not an operator', "and?", "write  and"),
    ("|", '"|" is not an operator', "or?", "write  or"),
    ("^", '"^" is not an operator', "", "write the product:  x * x"),
    ("~", '"~" is not an operator', "not?", "write  not"),
    (";", "an expression is one formula", "", "write one formula; join conditions with and, or"),
    ("#", "comments stand outside the expression", "", "put the comment behind the closing quote"),
    ("{", "objects, sets and placeholders are not offered", "", 'a list is  ["a", "b"]'),
    ("}", "objects, sets and placeholders are not offered", "", 'a list is  ["a", "b"]'),
    ("\\", 'a "\\" outside a text', "", "leave it out: an expression may take several lines as it is"),
    ("`", "a backtick is no quote", "quote it", "write  'text'  or  \"text\""),
    ("@", '"@" is not an operator', "", 'a name with @ in it is written  sap.raw["@type"]'),
    (
        ".",
        "nothing can be called or read behind a value",
        "a function?",
        "write  upper(x), not x.upper(); fields are read by name: sap.price",
    ),
)
TYPOGRAPHIC = "\u2018\u2019\u201a\u201c\u201d\u201e\u00ab\u00bb\u00b4"


def refuse(start: int, end: int, message: str, hint: str = "", fix: str = "", why: str = WHY) -> Problem:
    """Return an E211."""
    return Problem(start, end, "E211", message, hint, why, fix)


def read_words(text: str) -> Words:
    """Return the words of an expression. Never raises; what cannot be read is among ``problems``."""
    words = Words()
    if len(text) > MAX_LENGTH:
        long = f"the expression has {len(text):,} characters, {MAX_LENGTH:,} are allowed"
        words.problems.append(refuse(MAX_LENGTH, len(text), long, fix="compute parts of it in fields of their own"))
        return words
    mask: list[str] = []
    at = 0
    while at < len(text):
        at = read_word(text, at, words, mask)
    words.mask = "".join(mask)
    check_shape(words)
    return words


def read_word(text: str, at: int, words: Words, mask: list[str]) -> int:
    """Read the word at a place; return where it ends."""
    if space := SPACE.match(text, at):
        mask.append(" " * (space.end() - at))
        return space.end()
    if quoted := QUOTED.match(text, at):
        return put(words, mask, Token("text", at, quoted.end(), unescaped(quoted[1] or quoted[2] or "")))
    if number := NUMBER.match(text, at):
        return read_number(text, number, words, mask)
    if name := NAME.match(text, at):
        return read_name(text, name, words, mask)
    wrong = next((m for m in MISTAKES if text.startswith(m[0], at)), None)
    if (operator := OPERATOR.match(text, at)) and (wrong is None or len(wrong[0]) <= len(operator[0])):
        return put(words, mask, Token("operator", at, operator.end(), operator[0]))
    return read_mistake(text, at, wrong, words, mask)


def put(words: Words, mask: list[str], token: Token) -> int:
    """Take a word in; return where it ends."""
    size = token.end - token.start
    masks = {"text": f"'{'_' * (size - 2)}'", "number": "1" * size, "operator": token.text, "word": token.text}
    mask.append(masks.get(token.sort, "_" * size))
    words.tokens.append(token)
    return token.end


def unescaped(text: str) -> str:
    """Return what a text in quotes says; a backslash before anything but a quote, itself, n and t stands for itself."""
    return re.sub(r"\\(.)", lambda found: ESCAPES.get(found[1], found[0]), text, flags=re.DOTALL)


def read_number(text: str, number: re.Match[str], words: Words, mask: list[str]) -> int:
    """Read a number; letters right behind it are a mistake."""
    behind = re.compile(r"[\w.$]*").match(text, number.end())
    if behind and behind[0]:
        whole = text[number.start() : behind.end()]
        words.problems.append(
            refuse(
                number.start(), behind.end(), f'"{whole}" is not a number', fix=f'a number is 12 or 12.50; a text is "{whole}"'
            )
        )
        mask.append("1" * len(whole))
        return behind.end()
    return put(words, mask, Token("number", number.start(), number.end(), number[0]))


def read_name(text: str, first: re.Match[str], words: Words, mask: list[str]) -> int:
    """Read a name with all its parts, a function, or a word of the language."""
    start, end, word = first.start(), first.end(), first[0]
    if QUOTED.match(text, end) and len(word) <= 2 and word.lower() in ("f", "r", "b", "u", "br", "rb", "fr", "rf"):
        words.problems.append(
            refuse(start, end + 1, f"no letters before a text: {word}{text[end]}", fix="leave it out, join with +")
        )
        mask.append("_" * (end - start))
        return end
    if word in WORDS:
        return put(words, mask, Token("word", start, end, word))
    path = [word]
    while word not in LITERALS and (more := MORE.match(text, end)):
        path.append(next(part for part in more.groups() if part is not None))
        end = more.end()
    sort = "call" if CALL.match(text, end) else "name"
    return put(words, mask, Token(sort, start, end, text[start:end], tuple(path)))


def read_mistake(text: str, at: int, wrong: tuple[str, str, str, str] | None, words: Words, mask: list[str]) -> int:
    """Say what is wrong with a character that begins no word."""
    char = text[at]
    if wrong:
        sign, message, hint, fix = wrong
        words.problems.append(refuse(at, at + len(sign), message, hint, fix))
        mask.append("?" * len(sign))
        return at + len(sign)
    if char in "'\"":
        words.problems.append(
            refuse(at, len(text), "this text has no end", "close the quote", f"put a {char} where the text ends")
        )
        mask.append("?" * (len(text) - at))
        return len(text)
    if char in TYPOGRAPHIC:
        message, fix = f"{char} is a typographic quote", "write  'text'  or  \"text\""
    else:
        message, fix = f"{char!r} has no meaning here", "leave it out; text stands in quotes"
    words.problems.append(refuse(at, at + 1, message, fix=fix))
    mask.append("?")
    return at + 1


def check_shape(words: Words) -> None:
    """Find what Python's parser should not be asked: too many words, deep nesting, brackets that do not match."""
    if len(words.tokens) > MAX_TOKENS:
        last = words.tokens[MAX_TOKENS]
        many = f"the expression has {len(words.tokens)} words and signs, {MAX_TOKENS} are allowed"
        words.problems.append(refuse(last.start, words.tokens[-1].end, many, fix="compute parts of it in fields of their own"))
    open_ones: list[Token] = []
    signs = 0
    for token in words.tokens:
        signs = signs + 1 if token.text in ("-", "+", "not") and token.sort != "text" else 0
        if token.sort == "operator" and token.text in "([":
            open_ones.append(token)
        elif token.sort == "operator" and token.text in ")]" and (not open_ones or open_ones.pop().text != OPENS[token.text]):
            words.problems.append(refuse(token.start, token.end, f'this "{token.text}" closes nothing', fix="leave it out"))
            return
        if len(open_ones) > MAX_NESTED or signs > MAX_NESTED:
            words.problems.append(
                refuse(token.start, token.end, f"nested deeper than {MAX_NESTED} levels", fix="make it simpler")
            )
            return
    for token in open_ones[:1]:
        words.problems.append(refuse(token.start, token.end, f'this "{token.text}" is never closed', fix="close it"))
    if not words.problems:
        check_order(words)


def check_order(words: Words) -> None:
    """Find values without an operator between them, and operators without a value."""
    if not words.tokens:
        words.problems.append(refuse(0, max(len(words.mask), 1), "the expression is empty", fix="write a condition or a value"))
        return
    before: Token | None = None
    wanted = True  # a value is next
    for token, behind in zip(words.tokens, [*words.tokens[1:], None], strict=True):
        problem, wanted = step(token, before, behind, wanted)
        if problem:
            words.problems.append(problem)
            return
        before = token
    if wanted and before:
        words.problems.append(
            refuse(before.start, before.end, "the expression ends too early", "what follows?", f"complete  {before.text}")
        )


def step(token: Token, before: Token | None, behind: Token | None, wanted: bool) -> tuple[Problem | None, bool]:
    """Return what is wrong with a word where it stands, and whether a value must follow it."""
    sign = token.text if token.sort in ("operator", "word") else ""
    place = token.start, token.end
    if wanted:
        if sign in ("(", "[", "-", "+", "not") or token.sort == "call":
            return None, token.sort != "call"
        if not sign:
            return None, False
        if sign in (")", "]") and before and before.text in ("(", "[", ",") and before.sort == "operator":
            return None, False
        return refuse(*place, f'a value is missing before "{sign}"', "what?", f"write a value before  {sign}"), False
    if sign == "(" and not (before and before.sort == "call"):
        return refuse(
            *place, "only functions can be called", fix="write  name(value), or an operator before the bracket"
        ), False
    if sign == "not" and not (behind and behind.text == "in"):
        return refuse(*place, 'an operator is missing before "not"', "and, or?", "write  a and not b  or  a not in b"), False
    if sign:
        return None, sign not in (")", "]", "not")
    texts = "text" in (token.sort, before.sort if before else "")
    hint, fix = ("+?", "texts are joined with +") if texts else ("and, or?", "write and, or, or a comparison before it")
    return refuse(*place, f"an operator is missing before {shown(token.text)}", hint, fix), False


def shown(text: str) -> str:
    """Return a word of an expression for a message."""
    return f'"{text}"' if len(text) <= 40 else f'"{text[:36]}..."'
