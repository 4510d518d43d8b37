"""GraphQL documents as a config has them: one operation, read offline, so that a mistake is found before anything is asked.

Protocol: the GraphQL specification, sections 2 and 5, as far as no schema is needed: syntax, variables that are used and
declared, fragments that are there, and the shape of the answer. What the platform's own types say, only it can tell.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, cast

from syncd.connectors.graphql.tokens import DocumentError, Token, Tokens

Operation = Literal["query", "mutation", "subscription"]
DEEPEST = 64  # of selections and values


@dataclass(frozen=True, slots=True)
class Variable:
    """One declared variable. ``preset``: the document itself has a value for it."""

    name: str
    type: str
    preset: bool


Shape = Mapping[str, "Shape | None"]  # what the answer has under each key; None: a value, whatever it holds


class Document:
    """One operation, known by its text. ``shape`` is what its answer looks like below ``data``."""

    def __init__(self, text: str, operation: Operation, variables: tuple[Variable, ...], shape: Shape) -> None:
        self.text = text
        self.operation = operation
        self.variables = variables
        self.shape = shape

    def __eq__(self, other: object) -> bool:
        """Return whether it is the same document."""
        return isinstance(other, Document) and other.text == self.text

    def __hash__(self) -> int:
        """Return the hash of its text."""
        return hash(self.text)

    @property
    def names(self) -> frozenset[str]:
        """Return the names of its variables."""
        return frozenset(variable.name for variable in self.variables)

    def at(self, path: str) -> Shape | None:
        """Return what the answer has at a dotted path, None for a value; raises DocumentError where it asks for none."""
        return below(self.shape, path)


def below(shape: Shape, path: str) -> Shape | None:
    """Return what stands at a dotted path of a shape; a number goes into a list, which leaves the shape as it is."""
    found: Shape | None = shape
    for step in path.split(".") if path else ():
        if found is None:
            return None
        if step.isdecimal() and step not in found:
            continue
        if step not in found:
            raise DocumentError(f'it does not ask for "{path}": there is no {step} among {_list(found)}')
        found = found[step]
    return found


def parse(text: str, *, free: bool = False) -> Document:
    """Return a document; raises DocumentError, which says where and what. ``free``: its variables are declared elsewhere."""
    return _Reader(text).document(free=free)


@dataclass(slots=True)
class _Selection:
    """A selection before its fragments are known."""

    fields: dict[str, "_Selection | None"] = field(default_factory=dict)
    spreads: list[Token] = field(default_factory=list)


class _Reader:
    """Reads one document, once."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.tokens = Tokens(text)
        self.operations: list[tuple[str, list[Variable], _Selection, Token]] = []
        self.fragments: dict[str, _Selection] = {}
        self.used: dict[str, Token] = {}
        self.depth = 0

    def document(self, *, free: bool) -> Document:
        while not self.tokens.ended:
            self._definition()
        if not self.operations:
            raise DocumentError("there is no query or mutation in it")
        if len(self.operations) > 1:
            raise self.operations[1][3].wrong("a second operation: write one in each document")
        kind, variables, selection, _ = self.operations[0]
        if not free:
            self._check_variables(variables)
        shape = self._flat(selection, ())
        return Document(self.text, cast("Operation", kind), tuple(variables), shape)

    def _definition(self) -> None:
        start = self.tokens.peek
        if start.text == "{":
            self.operations.append(("query", [], self._selection(), start))
            return
        word = self.tokens.name("query, mutation or fragment")
        if word.text == "fragment":
            self._fragment()
            return
        if word.text not in {"query", "mutation", "subscription"}:
            raise word.wrong(f"{word.text} is neither query, mutation nor fragment")
        if self.tokens.peek.kind == "name":
            self.tokens.next()
        variables = self._variables() if self.tokens.skip("(") else []
        self._directives()
        self.operations.append((word.text, variables, self._selection(), start))

    def _fragment(self) -> None:
        name = self.tokens.name("a name")
        if name.text in self.fragments:
            raise name.wrong(f"a second fragment {name.text}")
        self.tokens.need("on")
        self.tokens.name("a type")
        self._directives()
        self.fragments[name.text] = self._selection()

    def _variables(self) -> list[Variable]:
        found: list[Variable] = []
        while not self.tokens.skip(")"):
            self.tokens.need("$")
            name = self.tokens.name("the name of a variable")
            if any(one.name == name.text for one in found):
                raise name.wrong(f"${name.text} is declared twice")
            self.tokens.need(":")
            kind = self._type()
            preset = self.tokens.skip("=")
            if preset:
                self._value()
            self._directives()
            found.append(Variable(name.text, kind, preset))
        return found

    def _type(self) -> str:
        if self.tokens.skip("["):
            self._deeper()
            inner = f"[{self._type()}]"
            self.depth -= 1
            self.tokens.need("]")
        else:
            inner = self.tokens.name("a type").text
        return f"{inner}!" if self.tokens.skip("!") else inner

    def _selection(self) -> _Selection:
        start = self.tokens.need("{")
        self._deeper()
        found = _Selection()
        while not self.tokens.skip("}"):
            if self.tokens.ended:
                raise start.wrong("this { is never closed")
            if self.tokens.skip("..."):
                self._spread(found)
            else:
                self._field(found)
        self.depth -= 1
        if not found.fields and not found.spreads:
            raise start.wrong("nothing is asked for between { and }")
        return found

    def _spread(self, into: _Selection) -> None:
        if self.tokens.peek.kind == "name" and self.tokens.peek.text != "on":
            into.spreads.append(self.tokens.next())
            self._directives()
            return
        if self.tokens.skip("on"):
            self.tokens.name("a type")
        self._directives()
        _merge(into, self._selection())

    def _field(self, into: _Selection) -> None:
        key = self.tokens.name("the name of a field")
        if self.tokens.skip(":"):
            self.tokens.name("the name of a field")
        if self.tokens.skip("("):
            self._arguments(")")
        self._directives()
        inner = self._selection() if self.tokens.peek.text == "{" else None
        _merge(into, _Selection({key.text: inner}))

    def _directives(self) -> None:
        while self.tokens.skip("@"):
            self.tokens.name("the name of a directive")
            if self.tokens.skip("("):
                self._arguments(")")

    def _arguments(self, end: str) -> None:
        self._deeper()
        while not self.tokens.skip(end):
            self.tokens.name("the name of an argument")
            self.tokens.need(":")
            self._value()
        self.depth -= 1

    def _value(self) -> None:
        token = self.tokens.next()
        if token.text == "$" and token.kind == "mark":
            name = self.tokens.name("the name of a variable")
            self.used.setdefault(name.text, name)
        elif token.text == "{" and token.kind == "mark":
            self._arguments("}")
        elif token.text == "[" and token.kind == "mark":
            self._deeper()
            while not self.tokens.skip("]"):
                self._value()
            self.depth -= 1
        elif token.kind == "mark":
            raise token.wrong(f"a value is expected, not {token.text}")

    def _deeper(self) -> None:
        self.depth += 1
        if self.depth > DEEPEST:
            raise self.tokens.peek.wrong(f"nested deeper than {DEEPEST}")

    def _check_variables(self, variables: list[Variable]) -> None:
        names = {variable.name for variable in variables}
        for name, token in self.used.items():
            if name not in names:
                raise token.wrong(f"${name} is used and not declared")
        unused = next((variable.name for variable in variables if variable.name not in self.used), None)
        if unused is not None:
            raise DocumentError(f"${unused} is declared and never used")

    def _flat(self, selection: _Selection, within: tuple[str, ...]) -> Shape:
        """Return a selection with its fragments in place."""
        whole = _Selection()
        _merge(whole, _Selection(selection.fields))
        for spread in selection.spreads:
            if spread.text not in self.fragments:
                raise spread.wrong(f"there is no fragment {spread.text}")
            if spread.text in within:
                raise spread.wrong(f"the fragment {spread.text} contains itself")
            inner = self._flat(self.fragments[spread.text], (*within, spread.text))
            _merge(whole, _unflat(inner))
        return {key: self._flat(one, within) if one is not None else None for key, one in whole.fields.items()}


def _merge(into: _Selection, other: _Selection) -> None:
    into.spreads += other.spreads
    for key, inner in other.fields.items():
        there = into.fields.get(key)
        if there is not None and inner is not None:
            _merge(there, inner)
        else:
            into.fields[key] = _copy(inner) if inner is not None else there


def _copy(selection: _Selection) -> _Selection:
    """Return a selection that may be merged into without changing the one of a fragment."""
    made = _Selection(spreads=list(selection.spreads))
    _merge(made, _Selection(selection.fields))
    return made


def _unflat(shape: Shape) -> _Selection:
    return _Selection({key: _unflat(inner) if inner is not None else None for key, inner in shape.items()})


def _list(shape: Shape) -> str:
    return ", ".join(shape)
