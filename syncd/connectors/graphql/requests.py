"""The requests of a collection as the config writes them: a document, what is filled into it, where things are in its answer.

Everything that can be known without asking the platform is checked when the config is loaded: syntax, variables, paths.
"""

from abc import abstractmethod
from collections.abc import Mapping
from typing import Annotated, Any, Never, Self

from pydantic import Field, PlainValidator, WithJsonSchema, model_validator
from pydantic_core import PydanticCustomError

from syncd.connectors.graphql.document import Document, Shape, below, parse
from syncd.connectors.graphql.filling import alone, names_in
from syncd.connectors.graphql.tokens import DocumentError
from syncd.connectors.options import Options
from syncd.core.model import Native

PAGED = frozenset({"size", "cursor", "offset", "page"})  # what is filled into the request of a list
OF_A_WRITE = frozenset({"id", "changes", "item", "version", "key"})
BY_NAME = {  # a variable's own name says what it means, where the config says nothing else
    "first": "{size}",
    "limit": "{size}",
    "after": "{cursor}",
    "offset": "{offset}",
    "page": "{page}",
    "since": "{since}",
    "id": "{id}",
    "input": "{changes}",
    "version": "{version}",
    "key": "{key}",
}
PAGE_INFO = "pageInfo { hasNextPage endCursor }"


def wrong(said: str, *, why: str, fix: str) -> Never:
    """Raise what is wrong with a request, in the words of a diagnostic."""
    raise PydanticCustomError("graphql", "{said}", {"said": said, "why": why, "fix": fix})


def _read(raw: Any, operation: str) -> Document:
    if isinstance(raw, Document):
        return raw
    if not isinstance(raw, str):
        raise PydanticCustomError("string_type", "must be text")
    try:
        document = parse(raw)
    except DocumentError as error:
        wrong(f"no document of GraphQL: {error}", why="the platform would refuse it", fix="correct it at that place")
    if document.operation != operation:
        why = "a read must not change anything, and a write is sent as a mutation"
        wrong(f"a {operation} is expected here, not a {document.operation}", why=why, fix=f"begin it with  {operation}")
    return document


_SCHEMA = WithJsonSchema({"type": "string", "description": "a document of GraphQL with one operation"})
QueryText = Annotated[Document, PlainValidator(lambda raw: _read(raw, "query")), _SCHEMA]
MutationText = Annotated[Document, PlainValidator(lambda raw: _read(raw, "mutation")), _SCHEMA]


class Asked(Options):
    """What every request has. ``variables``: what is filled into the document's variables; one whose name says what it means
    (``first``, ``after``, ``since``, ``id``, ``input``, ``version``, ``key``) needs no line.
    """

    variables: dict[str, Any] | None = None

    @property
    @abstractmethod
    def document(self) -> Document:
        """Return the document."""

    @property
    def sent(self) -> Mapping[str, Native]:
        """Return what each variable is filled with."""
        return self._by_name() | (self.variables or {})

    @property
    def names(self) -> frozenset[str]:
        """Return the names that are filled in."""
        return names_in(self.sent)

    def _by_name(self) -> dict[str, Native]:
        declared = self.document.variables
        return {one.name: BY_NAME[one.name] for one in declared if one.name in BY_NAME and not one.preset}

    @model_validator(mode="after")
    def _is_filled(self) -> Self:
        unknown = sorted(set(self.variables or {}) - self.document.names)
        if unknown:
            said = f"${unknown[0]} is not declared by the document"
            wrong(said, why="the platform would refuse or ignore it", fix=f"declare it, or remove {unknown[0]} from variables")
        empty = next((one for one in self.document.variables if not one.preset and one.name not in self.sent), None)
        if empty is not None:
            why = "the platform would get no value for it"
            wrong(f"nothing is filled in for ${empty.name}", why=why, fix=f"write  variables: {{{empty.name}: ...}}")
        return self

    def place(self, key: str, path: str) -> Shape | None:
        """Return what the answer has at a path; raises a validation error where the document does not ask for it."""
        try:
            return self.document.at(path)
        except DocumentError as error:
            why = "what the document does not ask for is not in the answer"
            wrong(f"{key}: {error}", why=why, fix=f"correct {key}, or ask for it in the document")

    def only(self, known: frozenset[str]) -> None:
        """Raise a validation error if something is to be filled in that has no value here."""
        unknown = sorted(self.names - known)
        if unknown:
            fix = f"use one of {', '.join(f'{{{name}}}' for name in sorted(known))}"
            wrong(f"nothing is filled in for {{{unknown[0]}}} here", why="the platform would get no value for it", fix=fix)


class ListQuery(Asked):
    """A query for many things. ``nodes``: where the list is, a connection or a plain list; ``total``: how many there are."""

    query: QueryText
    nodes: str
    size: int = Field(100, ge=1)
    total: str | None = None

    @property
    def document(self) -> Document:
        """Return the document."""
        return self.query

    @property
    def connected(self) -> bool:
        """Return whether the list is a connection of Relay."""
        found = self.query.at(self.nodes)
        return found is not None and bool({"nodes", "edges"} & set(found))

    @property
    def element(self) -> Shape | None:
        """Return what is asked of each thing, None where that cannot be told."""
        return _element(self.query.at(self.nodes))

    @property
    def after(self) -> str | None:
        """Return the variable that the cursor is filled into."""
        return next((name for name, template in self.sent.items() if alone(template) == "cursor"), None)

    @model_validator(mode="after")
    def _is_a_list(self) -> Self:
        found = self.place("nodes", self.nodes)
        if self.total is not None:
            self.place("total", self.total)
        _connection(found, self.nodes)
        if "cursor" in self.names and not self.connected:
            said = f'{{cursor}} is filled in, and "{self.nodes}" is no connection'
            fix = f"ask for  {self.nodes} {{ nodes {{ ... }} {PAGE_INFO} }}, or page by {{offset}}"
            wrong(said, why="nothing would say where the next page starts", fix=fix)
        if "cursor" in self.names and self.after is None:
            wrong("{cursor} is part of another value", why="the first page has none", fix="give it a variable of its own")
        return self


class ReadQuery(Asked):
    """A query for one thing by its id. ``item``: where it is in the answer; null there means that it is gone."""

    query: QueryText
    item: str

    @property
    def document(self) -> Document:
        """Return the document."""
        return self.query

    @property
    def element(self) -> Shape | None:
        """Return what is asked of the thing."""
        return self.query.at(self.item)

    @model_validator(mode="after")
    def _is_about_one(self) -> Self:
        self.only(frozenset({"id"}))
        self.place("item", self.item)
        if "id" not in self.names:
            why = "it would mean any thing and not one"
            wrong("read needs the id", why=why, fix='declare  $id: ID!, or write  variables: {NAME: "{id}"}')
        return self


class FindQuery(Asked):
    """A query for the things with some value, such as a match key: ``nodes`` for a list of them, ``item`` for one or null."""

    query: QueryText
    nodes: str | None = None
    item: str | None = None
    size: int = Field(100, ge=1)

    @property
    def document(self) -> Document:
        """Return the document."""
        return self.query

    @property
    def element(self) -> Shape | None:
        """Return what is asked of each thing."""
        return self.query.at(self.item) if self.item is not None else _element(self.query.at(self.nodes or ""))

    @property
    def after(self) -> str | None:
        """Return the variable that the cursor is filled into."""
        return next((name for name, template in self.sent.items() if alone(template) == "cursor"), None)

    def _by_name(self) -> dict[str, Native]:
        own = {one.name: f"{{{one.name}}}" for one in self.query.variables if not one.preset}
        return own | {name: template for name, template in super()._by_name().items() if names_in(template) <= PAGED}

    @model_validator(mode="after")
    def _looks_for_something(self) -> Self:
        if (self.nodes is None) == (self.item is None):
            why = "the answer holds a list, or one thing"
            wrong("write exactly one of nodes, item", why=why, fix="write where the things are")
        if self.nodes is not None:
            _connection(self.place("nodes", self.nodes), self.nodes)
        else:
            self.place("item", self.item or "")
        if not self.names - PAGED:
            fix = 'declare  $sku: String!, or write  variables: {NAME: "{sku}"}'
            wrong("find needs the name of what is looked for, such as {sku}", why="it would find everything", fix=fix)
        return self


class Mutation(Asked):
    """A write. ``item``: the thing in the answer; ``errors``: the refusals there, ``code`` within each of them."""

    mutation: MutationText
    item: str | None = None
    errors: str | None = None
    code: str = "code"

    @property
    def document(self) -> Document:
        """Return the document."""
        return self.mutation

    @property
    def element(self) -> Shape | None:
        """Return what is asked of the thing."""
        return self.mutation.at(self.item) if self.item is not None else None

    def _by_name(self) -> dict[str, Native]:
        own = {one.name: f"{{{one.name}}}" for one in self.mutation.variables if not one.preset}
        return own | {name: template for name, template in super()._by_name().items() if names_in(template) <= OF_A_WRITE}

    @model_validator(mode="after")
    def _has_places(self) -> Self:
        for key, path in (("item", self.item), ("errors", self.errors)):
            if path is not None:
                self.place(key, path)
        return self


def _element(found: Shape | None) -> Shape | None:
    if found is None:
        return None
    if "nodes" in found:
        return found["nodes"]
    return below(found, "edges.node") if "edges" in found else found


def _connection(found: Shape | None, at: str) -> None:
    """Raise a validation error for a connection that would never prove that it is whole."""
    if found is None or not {"nodes", "edges"} & set(found):
        return
    if "nodes" not in found and (found["edges"] is not None and "node" not in found["edges"]):
        wrong(f'"{at}.edges" has no node', why="the things stand there", fix="ask for  edges { node { ... } }")
    info = found.get("pageInfo") or {}
    if not {"hasNextPage", "endCursor"} <= set(info):
        why = "nothing would say whether the list is whole, and an unfinished list is no evidence"
        wrong(f'"{at}" is asked for without {PAGE_INFO}', why=why, fix=f"ask for  {PAGE_INFO}  beside its things")
