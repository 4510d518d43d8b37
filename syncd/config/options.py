"""A connector's own options, checked with its own models; what pydantic finds is told like everything else, with its place.

A connector adds a platform without an edit here. Its validators may raise ``PydanticCustomError(type, message, context)``;
``code``, ``hint``, ``why`` and ``fix`` in the context are shown as they are.
"""

import json
import re
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, TypeVar, get_args

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from syncd.config import literals
from syncd.config.nodes import Block, Entry, Items, Node, Scalar, Span
from syncd.config.scalars import resolve
from syncd.config.section import missing_key, unknown_key
from syncd.config.source import Source
from syncd.config.suggest import near

Model = TypeVar("Model", bound=BaseModel)

_EXPECTED = {  # pydantic's error type -> what should stand there
    "int_type": "a whole number",
    "int_parsing": "a whole number",
    "int_from_float": "a whole number",
    "bool_type": "true or false",
    "bool_parsing": "true or false",
    "float_type": "a number",
    "float_parsing": "a number",
    "decimal_type": "a number",
    "list_type": "a list",
    "tuple_type": "a list",
    "set_type": "a list",
    "frozen_set_type": "a list",
    "dict_type": "a mapping",
    "model_type": "a mapping",
    "model_attributes_type": "a mapping",
    "dataclass_type": "a mapping",
    "duration": "a duration",
    "rate": "a rate, as 2/s",
    "size": "a size, as 1MB",
    "cron": "a duration or a cron expression",
}
_SAID = ("size", "cron")  # on a scalar the connector's own message says more
_BLOCK_ERRORS = {"missing", "extra_forbidden", "value_error"}
_LIST_ERRORS = {"too_short", "too_long", "value_error"}
_LATER_VALUES = {("format", "xlsx"), ("changes", "trigger"), ("payload", "xml")}


@dataclass(frozen=True, slots=True)
class _Spot:
    """Where an error is: the node, the name and place of its key, and the branch of a union that it is of."""

    node: Node
    key: str
    owner: Span
    branch: tuple[Span, str | int] | None = None  # of a union: where it stands, and which of its branches says so


def read_options(
    source: Source,
    block: Block,
    model: type[Model],
    owner: Span,
    *,
    quota: bool = False,
    told: Collection[tuple[str, ...]] = (),
) -> Model | None:
    """Return a block as an instance of a connector's model, or None after noting what is wrong.

    ``quota`` says that durations here cost the platform's quota, ``told`` has the missing keys that were noted already.
    """
    found, errors = _validated(block, model, frozenset())
    if found is None:
        doubtful = _doubtful(block, errors)
        if doubtful:
            found, errors = _validated(block, model, doubtful)
    misspelt = {name for error in errors if error["type"] == "extra_forbidden" for name in _meant(block, model, error)}
    teller = _Teller(model, set(), misspelt, quota)
    for error, spot in _chosen(_placed(block, owner, errors)):
        if error["type"] != "missing" or error["loc"] not in told:
            _tell(source, spot, error, teller)
    return found


def _placed(block: Block, owner: Span, errors: Iterable[ErrorDetails]) -> list[tuple[ErrorDetails, _Spot]]:
    return [(error, _spot(block, owner, error["loc"], missing=error["type"] == "missing")) for error in errors]


def _chosen(found: list[tuple[ErrorDetails, _Spot]]) -> list[tuple[ErrorDetails, _Spot]]:
    """Return the errors without those of the other branches of a union: each branch says why it is not the one.

    A branch that takes another kind of value than stands there is not meant; of the rest the one with the fewest errors is.
    """
    branches: dict[Span, dict[str | int, list[tuple[ErrorDetails, _Spot]]]] = {}
    kept: list[tuple[ErrorDetails, _Spot]] = []
    for error, spot in found:
        if spot.branch is None:
            kept.append((error, spot))
        else:
            where, tag = spot.branch
            branches.setdefault(where, {}).setdefault(tag, []).append((error, spot))
    for tags in branches.values():
        meant = [told for told in tags.values() if not any(_other_kind(error, spot) for error, spot in told)]
        likely: list[list[tuple[ErrorDetails, _Spot]]] = meant or list(tags.values())
        fewest = min(likely, key=len)
        kept += fewest
    return kept


def _other_kind(error: ErrorDetails, spot: _Spot) -> bool:
    """Return whether an error only says that its branch takes another kind of value than the one there."""
    if isinstance(spot.node, Block):
        return error["type"] not in _BLOCK_ERRORS and spot.branch is not None and spot.branch[0] == spot.node.span
    if isinstance(spot.node, Items):
        return error["type"] not in _LIST_ERRORS and spot.branch is not None and spot.branch[0] == spot.node.span
    return _EXPECTED.get(error["type"]) in ("a mapping", "a list")


def fits(data: Mapping[str, Any], model: type[BaseModel]) -> bool:
    """Return whether data is good for a model."""
    try:
        model.model_validate(data)
    except ValidationError:
        return False
    return True


def _validated(block: Block, model: type[Model], other: frozenset[Scalar]) -> tuple[Model | None, list[ErrorDetails]]:
    try:
        return model.model_validate_json(json.dumps(_data(block, other), default=float)), []
    except ValidationError as error:
        return None, error.errors(include_url=False)


def _data(node: Node, other: frozenset[Scalar]) -> Any:
    """Return a tree as JSON data; what a variable gave is read the other way (text or number) if it is in ``other``."""
    if isinstance(node, Items):
        return [_data(item, other) for item in node.nodes]
    if isinstance(node, Block):
        return {key: _data(entry.value, other) for key, entry in node.entries.items()}
    if node in other:
        return resolve(node.text) if isinstance(node.value, str) else node.text
    return node.value


def _doubtful(block: Block, errors: Iterable[ErrorDetails]) -> frozenset[Scalar]:
    """Return the values of variables that do not fit as they were read: the environment does not say what is a number."""
    nodes = [_spot(block, block.span, error["loc"]).node for error in errors]
    return frozenset(node for node in nodes if isinstance(node, Scalar) and node.filled)


def _spot(block: Block, owner: Span, loc: tuple[str | int, ...], *, missing: bool = False) -> _Spot:
    """Follow an error's path as far as the file goes; names of validators and union branches in it are skipped."""
    node: Node = block
    key = ""
    branch: tuple[Span, str | int] | None = None
    for n, part in enumerate(loc):
        if isinstance(node, Block) and str(part) in node.entries:
            entry = node.entries[str(part)]
            node, key, owner = entry.value, str(part), entry.key.span
        elif isinstance(node, Items) and isinstance(part, int) and part < len(node.nodes):
            node = node.nodes[part]
            owner = node.span
        elif branch is None and not (n == len(loc) - 1 and missing):
            branch = (node.span, part)
    return _Spot(node, key, owner, branch)


def allowed_keys(model: type[BaseModel]) -> list[str]:
    """Return the keys that a model takes, as they are written."""
    return [field.alias or name for name, field in model.model_fields.items()]


def _model_at(model: type[BaseModel], loc: Iterable[str | int]) -> type[BaseModel] | None:
    """Return the model that stands at a path below another."""
    found: type[BaseModel] | None = model
    for part in loc:
        if found is None or isinstance(part, int):
            continue
        fields = {field.alias or name: field for name, field in found.model_fields.items()}
        inner = _models_in(fields[part].annotation) if part in fields else []
        found = inner[0] if inner else (found if part not in fields else None)
    return found


def _models_in(annotation: Any) -> list[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [found for part in get_args(annotation) for found in _models_in(part)]


def _entry(block: Block, loc: tuple[str | int, ...]) -> Entry | None:
    """Return the entry at the end of a path."""
    above = _spot(block, block.span, loc[:-1]).node
    return above.entries.get(str(loc[-1])) if isinstance(above, Block) else None


def _meant(block: Block, model: type[BaseModel], error: ErrorDetails) -> list[str]:
    """Return the keys that an unknown one may mean, so that they are not told as missing too."""
    entry, owner = _entry(block, error["loc"]), _model_at(model, error["loc"][:-1])
    names = allowed_keys(owner) if owner else []
    return near(entry.key.text, names) if entry else []


@dataclass(frozen=True, slots=True)
class _Teller:
    """What telling one error needs to know of the others."""

    model: type[BaseModel]
    told: set[tuple[str, Span]]
    misspelt: set[str]
    quota: bool


def _tell(source: Source, spot: _Spot, error: ErrorDetails, teller: _Teller) -> None:
    kind, loc = error["type"], error["loc"]
    if (kind, spot.node.span) in teller.told and kind != "missing":
        return
    teller.told.add((kind, spot.node.span))
    if kind == "extra_forbidden":
        owner = _model_at(teller.model, loc[:-1])
        entry = Entry(Scalar(spot.owner, spot.key, spot.key, spot.key, plain=True), spot.node)
        unknown_key(source, entry, allowed_keys(owner) if owner else [])
    elif kind == "missing":
        if loc[-1] not in teller.misspelt:
            missing_key(source, spot.owner, str(loc[-1]))
    elif isinstance(spot.node, Scalar) and kind in _SCALAR_ERRORS:
        _SCALAR_ERRORS[kind](source, spot.node, spot.key, error, teller)
    elif kind in _EXPECTED and not (kind in _SAID and isinstance(spot.node, Scalar)):
        literals.wrong_type(source, spot.node, _EXPECTED[kind])
    elif kind == "string_type":
        literals.text(source, spot.node, spot.key)
    else:
        _other(source, spot, error)


def _text(source: Source, node: Scalar, key: str, error: ErrorDetails, teller: _Teller) -> None:  # noqa: ARG001
    if node.value is not None and not isinstance(node.value, str):
        literals.changed_text(source, node, key)
    else:
        literals.wrong_type(source, node, "text")


def _duration(source: Source, node: Scalar, key: str, error: ErrorDetails, teller: _Teller) -> None:  # noqa: ARG001
    literals.not_a_duration(source, node, key, quota=teller.quota)


def _rate(source: Source, node: Scalar, key: str, error: ErrorDetails, teller: _Teller) -> None:  # noqa: ARG001
    literals.not_a_rate(source, node, key)


def _words(source: Source, node: Scalar, key: str, error: ErrorDetails, teller: _Teller) -> None:  # noqa: ARG001
    if (key, node.text) in _LATER_VALUES:
        source.later(node, f'"{key}: {node.text}"')
        return
    expected = str(error.get("ctx", {}).get("expected", ""))
    words = [word.strip("'") for word in re.split(r", | or ", expected)]
    if isinstance(node.value, bool | int | Decimal) and node.raw in words:
        literals.changed_text(source, node, key)
    else:
        literals.not_one_of(source, node, words)


_SCALAR_ERRORS: dict[str, Callable[[Source, Scalar, str, ErrorDetails, _Teller], None]] = {
    "string_type": _text,
    "duration": _duration,
    "rate": _rate,
    "literal_error": _words,
    "enum": _words,
}


def _other(source: Source, spot: _Spot, error: ErrorDetails) -> None:
    """Note whatever else a model finds: bounds, patterns, and what its own validators say."""
    context = error.get("ctx", {})
    message = _plain(error["msg"])
    where: Node | Span = spot.node if isinstance(spot.node, Scalar | Items) else spot.owner
    if error["type"] == "later" or context.get("code") == "E190":
        source.later(where, message.removesuffix(" is not in this version"))
        return
    source.error(
        str(context.get("code", "E011")),
        where,
        message,
        hint=str(context.get("hint", "")),
        why=str(context.get("why", "the connector could not work with this value")),
        fix=str(context.get("fix", "")),
    )


_PLAINER = [
    (r"^Value error, ", ""),
    (r"^Input should be greater than or equal to (.*)$", r"must be at least \1"),
    (r"^Input should be less than or equal to (.*)$", r"must be at most \1"),
    (r"^Input should be greater than (.*)$", r"must be more than \1"),
    (r"^Input should be less than (.*)$", r"must be less than \1"),
    (r"^String should have at least 1 character$", "must not be empty"),
    (r"^String should match pattern '(.*)'$", r"must have the form \1"),
    (r"^(String|List|Tuple|Input) should ", "must "),
]


def _plain(message: str) -> str:
    for pattern, plainer in _PLAINER:
        message = re.sub(pattern, plainer, message)
    return message
