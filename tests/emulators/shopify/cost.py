"""What a query costs, and the bucket that it is paid from.

A mutation costs 10, an object 1, a scalar nothing; a connection costs its page size times what one of its nodes costs. The
figures of the bucket are settings: a client has to learn them from the answers.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from graphql import GraphQLSchema
from graphql.language import (
    DirectiveNode,
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    InlineFragmentNode,
    OperationDefinitionNode,
    SelectionSetNode,
)
from graphql.type import get_named_type, is_composite_type, is_object_type
from graphql.utilities import value_from_ast_untyped

PARTS = {"nodes", "edges", "node", "pageInfo"}


@dataclass
class Bucket:
    """Points that come back with time. ``most`` is what one query may cost."""

    maximum: float = 2000
    restore: float = 100
    most: float = 1000
    clock: Callable[[], float] = time.monotonic
    level: float = field(default=-1)
    at: float = 0

    def available(self) -> float:
        """Return what is in it now."""
        now = self.clock()
        if self.level < 0:
            self.level = self.maximum
        else:
            self.level = min(self.maximum, self.level + (now - self.at) * self.restore)
        self.at = now
        return self.level

    def pay(self, points: float) -> None:
        """Take points out."""
        self.level = max(0, self.available() - points)

    def status(self) -> dict[str, Any]:
        """Return what the answers say of it."""
        left = int(self.available())
        return {"maximumAvailable": float(self.maximum), "currentlyAvailable": left, "restoreRate": float(self.restore)}


class Cost:
    """Counts one operation."""

    def __init__(self, schema: GraphQLSchema, document: DocumentNode, variables: dict[str, Any]) -> None:
        self._schema = schema
        self._variables = variables
        self._fragments = {one.name.value: one for one in document.definitions if isinstance(one, FragmentDefinitionNode)}

    def of(self, operation: OperationDefinitionNode) -> int:
        """Return what an operation costs before it runs."""
        if operation.operation.value == "mutation":
            roots = [one for one in operation.selection_set.selections if isinstance(one, FieldNode)]
            return 10 * len(roots)
        return max(1, self._selected(operation.selection_set, self._schema.query_type))

    def _selected(self, selections: SelectionSetNode, parent: Any) -> int:
        total = 0
        for one in selections.selections:
            if isinstance(one, FieldNode):
                total += self._field(one, parent)
                continue
            fragment: Any = one if isinstance(one, InlineFragmentNode) else self._fragments[one.name.value]
            assert isinstance(one, InlineFragmentNode | FragmentSpreadNode)
            named = fragment.type_condition
            inner = self._schema.type_map[named.name.value] if named is not None else parent
            total += self._selected(fragment.selection_set, inner)
        return total

    def _field(self, one: FieldNode, parent: Any) -> int:
        name = one.name.value
        if name.startswith("__") or one.selection_set is None:
            return 0
        field_of = parent.fields[name]
        kind = get_named_type(field_of.type)
        if not is_composite_type(kind):
            return 0
        inner = self._selected(one.selection_set, kind)
        if is_object_type(parent) and _is_connection(parent) and name in PARTS:
            return inner  # the connection counts it
        if is_object_type(kind) and _is_connection(kind):
            args = given_to(one, self._variables)
            size = args.get("first") or args.get("last")
            return (size if isinstance(size, int) else 1) * (1 + inner)
        if name == "nodes" and "ids" in field_of.args:
            return len(given_to(one, self._variables)["ids"]) * (1 + inner)
        return 1 + inner


def given_to(one: FieldNode | DirectiveNode, variables: dict[str, Any]) -> dict[str, Any]:
    """Return the arguments of a field or a directive, without the schema's defaults."""
    return {arg.name.value: value_from_ast_untyped(arg.value, variables) for arg in one.arguments or ()}


def with_defaults(operation: OperationDefinitionNode, given: dict[str, Any]) -> dict[str, Any]:
    """Return variables with the defaults that a document has for them."""
    known = {one.variable.name.value: one.default_value for one in operation.variable_definitions or ()}
    return {name: value_from_ast_untyped(value) for name, value in known.items() if value is not None} | given


def _is_connection(kind: Any) -> bool:
    return bool(kind.name.endswith(("Connection", "Edge")))


def paid(data: Any, requested: int) -> int:
    """Return what a query really cost: the objects that it showed."""
    return max(1, min(requested, _objects(data) - 1))


def _objects(data: Any) -> int:
    if isinstance(data, dict):
        counts = 0 if ("nodes" in data or "edges" in data or "pageInfo" in data or "hasNextPage" in data) else 1
        return counts + sum(_objects(value) for value in data.values() if isinstance(value, dict | list))
    return sum(_objects(value) for value in data if isinstance(value, dict | list)) if isinstance(data, list) else 0
