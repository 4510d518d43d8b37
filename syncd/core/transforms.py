"""The steps between a platform's spelling and ours, each with its opposite.

A pipeline runs in one of two ways: ``read`` (platform to syncd) or ``write``. ``decimal`` and ``date`` do opposite things in
the two; ``trim``, ``lower``, ``upper``, ``round`` and ``text`` only normalise, going back through them changes nothing; steps
on text also take a list of texts, member by member.
"""

import ast
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import partial
from typing import Any

from syncd.core import phones, portable_html, portable_text, steps
from syncd.core.model import Native
from syncd.core.native import MAX_DIGITS, Invalid, NoWord, text_form
from syncd.core.rules import Transform
from syncd.core.steps import Run, Way

__all__ = [
    "NAMES",
    "NoWord",
    "Step",
    "Way",
    "is_normaliser",
    "opposite",
    "parse_pipeline",
    "parse_transform",
    "round_trips",
    "write_of",
]

NORMALISERS = frozenset(("trim", "lower", "upper", "round", "text", "e164", "national", "ref"))
NAMED = frozenset(("e164", "national", "ref"))  # their argument is a name, without quotes
SPELT_OUT = frozenset(("portable_text_to_html", "html_to_portable_text"))  # such a way back is asked for by name


@dataclass(frozen=True, slots=True)
class Step:
    """One transform as it runs one way. ``name`` is how the config writes it.

    Of a plugin: ``back`` is how it runs the other way, if it can, ``digest`` changes with its code.
    """

    name: str
    verb: str
    args: tuple[Any, ...]
    way: Way
    run: Run
    back: Run | None = None
    digest: str = ""

    def __call__(self, raw: Native) -> Native:
        """Return the transformed value; raises Invalid (NoWord from a table on the way out)."""
        return self.run(raw)


def parse_transform(spec: object, *, way: Way = "read") -> Step:
    """Return the transform that the config names; raises ValueError for what is none."""
    if isinstance(spec, Mapping):
        return parse_table(spec, way)
    if not isinstance(spec, str):
        raise ValueError("a transform is a name, or {table: {...}}")  # noqa: TRY004 - all config errors are ValueErrors
    verb, args = parse_call(spec.strip())
    if verb not in MAKERS:
        raise ValueError(f'no transform called "{verb}"')
    return make(verb, args, way)


def parse_pipeline(specs: Sequence[object], *, way: Way = "read") -> tuple[Step, ...]:
    """Return the transforms of a ``read:`` or ``write:`` list."""
    return tuple(parse_transform(spec, way=way) for spec in specs)


def parse_call(spec: str) -> tuple[str, tuple[Any, ...]]:
    """Return name and arguments of ``pad_zeros(18)``."""
    found = re.fullmatch(r"(\w+)(?:\((.*)\))?", spec, re.DOTALL)
    if not found:
        raise ValueError(f'"{spec}" is not a transform')
    verb, inner = found.groups()
    if inner is None:
        return verb, ()
    if verb in NAMED and re.fullmatch(r"\w+", inner.strip()):
        return verb, (inner.strip(),)
    try:
        args = ast.literal_eval(f"({inner},)")
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        raise ValueError(f"{verb}: {inner} is neither a number nor a text in quotes") from None
    return verb, args


def make(verb: str, args: tuple[Any, ...], way: Way) -> Step:
    """Return a step of the table of makers, named as the config writes it."""
    inner = ", ".join(f'"{arg}"' if isinstance(arg, str) and verb not in NAMED else str(arg) for arg in args)
    name = f"{verb}({inner})" if args else verb
    return Step(name, verb, args, way, MAKERS[verb](args, way))


def plain_text(verb: str, change: Callable[[str], str]) -> Callable[[tuple[Any, ...], Way], Run]:
    """Return the maker of a step on text without arguments."""

    def maker(args: tuple[Any, ...], _: Way) -> Run:
        need(verb, args, not args, "takes no arguments")
        return steps.on_text(verb, change)

    return maker


def need(verb: str, args: tuple[Any, ...], good: bool, what: str) -> None:
    """Raise ValueError if arguments are not what the transform takes."""
    if not good:
        raise ValueError(f"{verb}{args if len(args) != 1 else f'({args[0]!r})'}: {verb} {what}")


def whole(args: tuple[Any, ...], least: int, most: int) -> bool:
    """Return whether the only argument is an integer in this range."""
    return len(args) == 1 and type(args[0]) is int and least <= args[0] <= most


def make_pad(args: tuple[Any, ...], _: Way) -> Run:
    """Return ``pad_zeros(18)``: zeros in front up to so many characters."""
    need("pad_zeros", args, whole(args, 1, 1000), "takes a width, as in pad_zeros(18)")
    width: int = args[0]
    return steps.on_text("pad_zeros", lambda text: text.rjust(width, "0"))


def make_round(args: tuple[Any, ...], _: Way) -> Run:
    """Return ``round(2)``."""
    need("round", args, whole(args, 0, MAX_DIGITS), "takes a number of places, as in round(2)")
    return partial(steps.round_half_up, args[0])


def make_text(args: tuple[Any, ...], _: Way) -> Run:
    """Return ``text``."""
    need("text", args, not args, "takes no arguments")
    return steps.as_text


def make_decimal(args: tuple[Any, ...], way: Way) -> Run:
    """Return ``decimal(",", ".")``: decimal mark and thousands mark."""
    good = len(args) <= 2 and len(set(args)) == len(args) and all(is_mark(arg) for arg in args)
    need("decimal", args, good, 'takes a decimal mark and a thousands mark, as in decimal(",", ".")')
    marks = args or (".",)
    if way == "write":
        return partial(steps.write_decimal, marks)
    point, groups = re.escape(marks[0]), "".join(re.escape(mark) for mark in marks[1:])
    grouped = f"|[0-9]{{1,3}}(?:{groups}[0-9]{{3}})+" if groups else ""
    return partial(steps.read_decimal, re.compile(f"-?(?:[0-9]+{grouped})(?:{point}[0-9]+)?"), marks)


def is_mark(arg: object) -> bool:
    """Return whether an argument can stand between digits."""
    return isinstance(arg, str) and len(arg) == 1 and not arg.isdigit() and arg != "-"


def make_date(args: tuple[Any, ...], way: Way) -> Run:
    """Return ``date("%d.%m.%Y")``; a format that loses year, month or day is refused."""
    good = len(args) == 1 and isinstance(args[0], str) and keeps_date(args[0])
    need("date", args, good, 'takes a format with year, month and day and no time, as in date("%Y%m%d")')
    return partial(steps.write_date if way == "write" else steps.read_date, args[0])


def keeps_date(form: str) -> bool:
    """Return whether a date survives this format."""
    if re.search(r"%[^YymdbBj%]", form):
        return False
    day = date(2031, 11, 28)
    try:
        return datetime.strptime(day.strftime(form), form).date() == day  # noqa: DTZ007 - a date has no zone
    except (ValueError, re.error):
        return False


def make_split(args: tuple[Any, ...], _: Way) -> Run:
    """Return ``split(";")``."""
    need("split", args, len(args) == 1 and isinstance(args[0], str) and args[0] != "", 'takes a mark, as in split(";")')
    return partial(steps.split, args[0])


def make_join(args: tuple[Any, ...], _: Way) -> Run:
    """Return ``join(";")``."""
    need("join", args, len(args) == 1 and isinstance(args[0], str) and args[0] != "", 'takes a mark, as in join(";")')
    return partial(steps.join, args[0])


def make_phone(verb: str) -> Callable[[tuple[Any, ...], Way], Run]:
    """Return the maker of ``e164(DE)`` or ``national(DE)``."""

    def maker(args: tuple[Any, ...], _: Way) -> Run:
        good = len(args) == 1 and isinstance(args[0], str) and phones.is_country(args[0])
        need(verb, args, good, f"takes a country of two letters, as in {verb}(DE)")
        change = phones.e164 if verb == "e164" else phones.national
        return steps.on_text(verb, partial(change, args[0]))

    return maker


def make_ref(args: tuple[Any, ...], _: Way) -> Run:
    """Return ``ref(brand)``: the type does the work (``core.references``), the step says that it is meant."""
    need("ref", args, len(args) == 1 and isinstance(args[0], str), "takes the name of an entity, as in ref(brand)")
    return lambda raw: raw


def make_portable(verb: str, change: Callable[[Native], Native]) -> Callable[[tuple[Any, ...], Way], Run]:
    """Return the maker of a step between HTML and portable text."""

    def maker(args: tuple[Any, ...], _: Way) -> Run:
        need(verb, args, not args, "takes no arguments")
        return change

    return maker


MAKERS: dict[str, Callable[[tuple[Any, ...], Way], Run]] = {
    "trim": plain_text("trim", str.strip),
    "lower": plain_text("lower", str.lower),
    "upper": plain_text("upper", str.upper),
    "strip_zeros": plain_text("strip_zeros", steps.strip_zeros),
    "pad_zeros": make_pad,
    "decimal": make_decimal,
    "round": make_round,
    "text": make_text,
    "date": make_date,
    "split": make_split,
    "join": make_join,
    "e164": make_phone("e164"),
    "national": make_phone("national"),
    "portable_text_to_html": make_portable("portable_text_to_html", portable_html.html_of),
    "html_to_portable_text": make_portable("html_to_portable_text", portable_text.blocks_of),
    "ref": make_ref,
}
NAMES = (*MAKERS, "table")  # for suggestions


def parse_table(spec: Mapping[Any, Any], way: Way) -> Step:
    """Return the step of ``{table: {...}}``; its keys are kept as they were written, for the way back."""
    table = spec.get("table")
    if set(spec) != {"table"} or not isinstance(table, Mapping) or not table:
        raise ValueError("a transform is a name, or {table: {...}} with at least one pair")
    return make_table(tuple(table.items()), way)


def make_table(pairs: tuple[tuple[Native, Native], ...], way: Way) -> Step:
    """Return a table of (from, to) pairs."""
    try:
        words = {text_form(key): value for key, value in pairs}
        for _, value in pairs:
            text_form("" if value is None else value)
    except Invalid as error:
        raise ValueError(f"table: {error}") from error
    if len(words) < len(pairs):
        raise ValueError("table: two keys have the same text")
    return Step("table", "table", pairs, way, partial(steps.look_up, words, way))


def opposite(step: Transform) -> Step | None:
    """Return the transform that undoes this one on the other way; None for normalisers and for what has none."""
    if not isinstance(step, Step):
        return None
    back: Way = "read" if step.way == "write" else "write"
    if step.back is not None:
        return Step(step.name, step.verb, (), back, step.back, step.run, step.digest)
    match step.verb:
        case "pad_zeros":
            return make("strip_zeros", (), back)
        case "decimal" | "date":
            return make(step.verb, step.args, back)
        case "split":
            return make("join", step.args, back)
        case "join":
            return make("split", step.args, back)
        case "portable_text_to_html":
            return make("html_to_portable_text", (), back)
        case "html_to_portable_text":
            return make("portable_text_to_html", (), back)
        case "table":
            return turned(step, back)
    return None


def turned(step: Step, back: Way) -> Step | None:
    """Return a table the other way round; None if two keys mean the same. Null needs no word."""
    pairs = tuple((value, key) for key, value in step.args if value is not None)
    unique = len({text_form(value) for value, _ in pairs}) == len(pairs)
    return make_table(pairs, back) if unique and pairs else None


def is_normaliser(step: Transform) -> bool:
    """Return whether going back through this step changes nothing; bare ``decimal`` only reads what types read anyway."""
    return isinstance(step, Step) and (step.verb in NORMALISERS or (step.verb == "decimal" and not step.args))


def write_of(read: Sequence[Transform]) -> tuple[Transform, ...] | None:
    """Return the write pipeline that a read pipeline implies; None if a step has no way back (E240)."""
    back: list[Transform] = []
    for step in reversed(read):
        if is_normaliser(step):
            continue
        undo = opposite(step)
        if undo is None or undo.verb in SPELT_OUT:
            return None
        back.append(undo)
    return tuple(back)


def round_trips(read: Sequence[Transform], write: Sequence[Transform]) -> bool:
    """Return whether each value that can be written is read back as itself, normalised at most."""
    open_steps = [step for step in write if not is_normaliser(step)]
    for step in read:
        if is_normaliser(step):
            continue
        if not open_steps or not undoes(open_steps.pop(), step):
            return False
    return not open_steps


def undoes(write: Transform, read: Transform) -> bool:
    """Return whether a read step gives back what a write step was given."""
    if not isinstance(write, Step) or not isinstance(read, Step):
        return False
    if {write.verb, read.verb} == SPELT_OUT:
        return True
    if {write.verb, read.verb} == {"strip_zeros", "pad_zeros"} or {write.verb, read.verb} == {"split", "join"}:
        return "zeros" in write.verb or write.args == read.args
    if write.verb == "table" and read.verb == "table":
        known = {text_form(key): value for key, value in read.args}
        said = ((key, known.get(text_form(value))) for key, value in write.args if value is not None)
        return all(back is not None and text_form(back) == text_form(key) for key, back in said)
    same = write.verb == read.verb and write.args == read.args
    return same and (write.verb in ("decimal", "date") or write.back is not None)
