"""What an organisation says its objects are: their fields, types and what the user may do with them (``describe``)."""

import asyncio
import difflib
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from syncd.connectors.salesforce.org import Org
from syncd.connectors.salesforce.soql import name
from syncd.errors import PermanentError

KEPT = 3600.0  # seconds a description is kept: an administrator may add a field any day


@dataclass(frozen=True, slots=True)
class Column:
    """One field. ``relation``: the name by which a query reaches the parent, an object of ``parents``."""

    name: str
    type: str
    createable: bool
    updateable: bool
    unique: bool
    relation: str = ""
    parents: tuple[str, ...] = ()
    length: int = 0

    @property
    def is_id(self) -> bool:
        """Return whether its values are ids of records."""
        return self.type in {"id", "reference"}


@dataclass(frozen=True, slots=True)
class Described:
    """One object."""

    name: str
    createable: bool
    updateable: bool
    deletable: bool
    replicated: bool  # lists of deleted and updated ids can be had
    fields: dict[str, Column]
    relations: dict[str, Column] = field(default_factory=dict)

    def column(self, path: str) -> Column:
        """Return a field of the object itself; raises PermanentError, with what may be meant."""
        found = self.fields.get(path)
        if found is None:
            raise PermanentError(f'{self.name} has no field "{path}"{meant(path, self.fields)}')
        return found


class Schema:
    """The objects of one organisation, asked for once an hour, and anew when one does not fit."""

    def __init__(self, org: Org) -> None:
        self._org = org
        self._known: dict[str, tuple[float, Described]] = {}
        self._misfits = 0
        self._asking = asyncio.Lock()

    async def described(self, object_name: str) -> Described:
        """Return an object; raises PermanentError if there is none of that name that the user may see."""
        async with self._asking:
            if self._misfits != self._org.misfits:
                self._known.clear()
                self._misfits = self._org.misfits
            at, known = self._known.get(object_name, (0.0, None))
            if known is None or time.monotonic() - at > KEPT:
                known = await self._ask(object_name)
                self._known[object_name] = (time.monotonic(), known)
            return known

    async def check(self, collection: str, object_name: str, paths: Iterable[str]) -> Described:
        """Return the object; raises PermanentError (check --online: E313) if a path leads nowhere."""
        described = await self.described(object_name)
        for path in paths:
            try:
                await self.column(described, name(path))
            except PermanentError as error:
                self._known.clear()  # it may be there the next time
                raise PermanentError(f"{collection}: {error}") from error
        return described

    async def column(self, described: Described, path: str) -> Column:
        """Return the field that a path leads to, through parents; raises PermanentError."""
        first, _, rest = path.partition(".")
        if not rest:
            return described.column(first)
        relation = described.relations.get(first)
        if relation is None or not relation.parents:
            raise PermanentError(f'{described.name} has no parent "{first}"{meant(first, described.relations)}')
        return await self.column(await self.described(relation.parents[0]), rest)

    async def _ask(self, object_name: str) -> Described:
        try:
            parsed, reply = await self._org.get(f"sobjects/{name(object_name)}/describe")
        except PermanentError as error:
            if error.status == 404:
                raise PermanentError(f'there is no object "{object_name}" that this user may see', status=404) from error
            raise
        answer = parsed.value
        if not isinstance(answer, dict) or not isinstance(answer.get("fields"), list):
            raise PermanentError(f"{reply.place}: describes no object")
        columns = [_column(one) for one in answer["fields"] if isinstance(one, dict)]
        return Described(
            str(answer.get("name") or object_name),
            answer.get("createable") is True,
            answer.get("updateable") is True,
            answer.get("deletable") is True,
            answer.get("replicateable") is not False,
            {one.name: one for one in columns},
            {one.relation: one for one in columns if one.relation},
        )


def _column(described: dict[str, Any]) -> Column:
    length = described.get("length")
    return Column(
        str(described.get("name")),
        str(described.get("type")),
        described.get("createable") is True,
        described.get("updateable") is True,
        described.get("unique") is True,
        str(described.get("relationshipName") or ""),
        tuple(str(one) for one in described.get("referenceTo") or ()),
        length if isinstance(length, int) else 0,
    )


def meant(word: str, known: Iterable[str]) -> str:
    """Return what may be meant by a name that is not there, '' if nothing is near."""
    by_small = {one.lower(): one for one in known}
    near = difflib.get_close_matches(word.lower(), by_small, n=2, cutoff=0.75)
    quoted = " or ".join(f'"{by_small[one]}"' for one in near)
    return f"; did you mean {quoted}?" if near else ""
