"""The emulator itself: things by id, each with a revision. It counts what reaches it and misbehaves when it is told to."""

import base64
import itertools
from bisect import bisect_right
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from aiohttp import web
from graphql import GraphQLError, GraphQLSchema, graphql_sync

from syncd.connectors.body import decode, encode
from syncd.core.model import Item
from tests.emulators.graphql.schema import schema

Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]
Twist = Callable[[Item], Item]
BEFORE, AFTER = "before", "after"
PASSES = ("", None)  # among the faults: a request that is answered as it should be
NOWHERE: Item = {"thing": None, "deletedId": None}


@dataclass
class Things:
    """The API and what it holds.

    ``faults``: an answer to give instead, before or after doing what was asked; ``twists``: what is done to an answer that
    is otherwise right. Both are used up one a request.
    """

    things: dict[str, Item] = field(default_factory=dict)
    requests: list[Item] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    faults: list[tuple[str, Answer | None]] = field(default_factory=list)
    twists: list[Twist] = field(default_factory=list)
    keys: dict[str, Item] = field(default_factory=dict)
    silent_gone: bool = False  # a mutation of what is not there answers null, and no user error
    order: list[int] = field(default_factory=list)
    ids: Any = field(default_factory=lambda: itertools.count(1))
    moment: datetime = field(default_factory=lambda: datetime(2026, 1, 31, 10, tzinfo=UTC))
    schema: GraphQLSchema = field(default_factory=schema)

    @property
    def writes(self) -> int:
        """Return how many mutations arrived."""
        return sum("mutation" in str(one.get("query")).split("{")[0] for one in self.requests)

    def put(self, item: Item, native_id: str | None = None) -> str:
        """Make or edit a thing, as anybody may."""
        one = native_id or str(next(self.ids))
        self.moment += timedelta(milliseconds=1000)
        if one not in self.things:
            self.things[one] = {"id": one, "rev": 0}
            self.order.append(int(one))
        stamp = self.moment.isoformat().replace("+00:00", "Z")
        self.things[one] |= item | {"rev": self.things[one]["rev"] + 1, "updatedAt": stamp}
        return one

    def remove(self, native_id: str) -> None:
        """Delete a thing, as anybody may."""
        del self.things[native_id]
        self.order.remove(int(native_id))

    def app(self) -> web.Application:
        """Return the API, at ``/graphql``."""
        app = web.Application(client_max_size=64 * 1024 * 1024)
        app.router.add_post("/graphql", self._post)
        return app

    async def _post(self, request: web.Request) -> web.StreamResponse:
        asked = decode(await request.read())
        self.requests.append(asked)
        self.headers.append(dict(request.headers))
        when, fault = self.faults.pop(0) if self.faults else ("", None)
        if when == BEFORE and fault is not None:
            return await fault(request)
        said = self.execute(asked)
        said = self.twists.pop(0)(said) if self.twists else said
        return await fault(request) if fault is not None else _json(said)

    def execute(self, asked: Item) -> Item:
        """Return what GraphQL answers."""
        given = graphql_sync(
            self.schema, asked["query"], root_value=self.resolve(), variable_values=asked.get("variables"),
            operation_name=asked.get("operationName"),
        )  # fmt: skip
        errors_ = {"errors": [error.formatted for error in given.errors]} if given.errors else {}
        return errors_ | ({} if given.data is None and errors_ else {"data": given.data})

    def resolve(self) -> Item:
        """Return what the schema's fields are answered with."""
        named = ("all", "thing", "thingBySku", "thingCreate", "thingUpdate", "thingDelete")
        return {name: getattr(self, f"_{name}") for name in named} | {"things": self._connection}

    def _connection(self, _: Any, first: int | None = None, after: str | None = None, **wanted: Any) -> Item:
        text = wanted.get("query") or ""
        sku = wanted.get("sku") if not text else decode(text.partition("sku:")[2].replace("\\'", "'").encode())
        since = wanted.get("since") or ""
        return self._page(first, after, lambda one: one["updatedAt"] >= since and (sku is None or one.get("sku") == sku))

    def _all(self, _: Any, limit: int | None = None, offset: int = 0) -> list[Item]:
        found = list(self.things.values())[offset:]
        return found if limit is None else found[:limit]

    def _thing(self, _: Any, id: str) -> Item | None:  # noqa: A002 - the schema's word
        return self.things.get(id)

    def _thingBySku(self, _: Any, sku: str) -> Item | None:  # noqa: N802 - the schema's word
        return next((one for one in self.things.values() if one.get("sku") == sku), None)

    def _page(self, first: int | None, after: str | None, fits: Callable[[Item], bool]) -> Item:
        """Return one page of a connection."""
        place = bisect_right(self.order, _place(after)) if after else 0
        rest = (self.things[str(one)] for one in itertools.islice(self.order, place, None))
        found = list(itertools.islice(filter(fits, rest), None if first is None else first + 1))
        page = found if first is None else found[:first]
        return {
            "nodes": page,
            "edges": [{"cursor": _cursor(one), "node": one} for one in page],
            "pageInfo": {"hasNextPage": len(found) > len(page), "endCursor": _cursor(page[-1]) if page else None},
            "totalCount": lambda _: sum(map(fits, self.things.values())),
        }

    def _thingCreate(self, _: Any, input: Item, key: str = "") -> Item:  # noqa: A002, N802 - the schema's words
        if key and key in self.keys:
            return self.keys[key]
        if any(one.get("sku") == input.get("sku") for one in self.things.values()):
            return _refused("TAKEN", "sku has already been taken", "sku")
        if input.get("name") == "":
            return _refused("BLANK", "name can't be blank", "name")
        made: Item = {"thing": self.things[self.put(input)], "userErrors": []}
        self.keys |= {key: made} if key else {}
        return made

    def _thingUpdate(  # noqa: N802 - the schema's word
        self,
        _: Any,
        id: str,  # noqa: A002
        input: Item,  # noqa: A002
        rev: int | None = None,
        key: str = "",
    ) -> Item | None:
        if key and key in self.keys:
            return self.keys[key]
        if id not in self.things:
            return None if self.silent_gone else _refused("NOT_FOUND", "there is no such thing", "id")
        if rev is not None and rev != self.things[id]["rev"]:
            return _refused("CONFLICT", "edited since", "rev")
        if input.get("name") == "":
            return _refused("BLANK", "name can't be blank", "name")
        self.put({name: value for name, value in input.items() if name != "id"}, id)
        made: Item = {"thing": self.things[id], "userErrors": []}
        self.keys |= {key: made} if key else {}
        return made

    def _thingDelete(self, _: Any, id: str) -> Item:  # noqa: A002, N802 - the schema's words
        if id not in self.things:
            return _refused("NOT_FOUND", "there is no such thing", "id")
        self.remove(id)
        return {"deletedId": id, "userErrors": []}


def errors(
    *codes: str, status: int = 200, data: Any = None, path: list[Any] | None = None, headers: dict[str, str] | None = None
) -> Answer:
    """Return an answer with these codes under ``errors``, each at that path if there is one."""
    found = [
        {"message": f"because of {code or 'something'}"}
        | ({"extensions": {"code": code}} if code else {})
        | ({"path": path} if path else {})
        for code in codes
    ]
    body = {"errors": found} | ({"data": data} if data is not None else {})

    async def answer(_: web.Request) -> web.Response:
        return _json(body, status=status, headers=headers)

    return answer


def _refused(code: str, message: str, at: str) -> Item:
    return NOWHERE | {"userErrors": [{"code": code, "message": message, "field": ["input", at]}]}


def _cursor(item: Item) -> str:
    return base64.b64encode(f"thing:{item['id']}".encode()).decode()


def _place(cursor: str) -> int:
    try:
        return int(base64.b64decode(cursor, validate=True).decode().removeprefix("thing:"))
    except ValueError as error:
        raise GraphQLError("Invalid cursor for current pagination sort.", extensions={"code": "BAD_CURSOR"}) from error


def _json(value: Any, *, status: int = 200, headers: dict[str, str] | None = None) -> web.Response:
    return web.Response(body=encode(value), status=status, content_type="application/json", headers=headers)
