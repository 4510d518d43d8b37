"""One dataset: documents, and transactions that are applied whole or not at all. No network, no GROQ."""

import re
import secrets
from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any

from tests.emulators.sanity.patches import BadPathError, patched

Document = dict[str, Any]
ID = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,127}")
OWN = ("_rev", "_createdAt", "_updatedAt")  # what the service sets itself


class RefusedError(Exception):
    """A transaction was refused: the HTTP status and the error's own members."""

    def __init__(self, status: int, kind: str, description: str, *, index: int | None = 0, **more: Any) -> None:
        super().__init__(description)
        self.status = status
        self.kind = kind
        self.index = index
        self.more = more


@dataclass(frozen=True)
class Step:
    """What one mutation did to one document."""

    id: str
    operation: str  # create | update | delete | none
    before: Document | None
    after: Document | None


@dataclass(frozen=True)
class Transaction:
    """What happened at once."""

    id: str
    at: str
    author: str
    mutations: list[dict[str, Any]]
    steps: list[Step]

    @property
    def documents(self) -> dict[str, tuple[Document | None, Document | None]]:
        """Return before and after of each document that it touched."""
        found: dict[str, tuple[Document | None, Document | None]] = {}
        for step in self.steps:
            if step.operation != "none":
                before = found[step.id][0] if step.id in found else step.before
                found[step.id] = (before, step.after)
        return found


@dataclass
class Dataset:
    """The documents by id, and every transaction. ``now`` gives the service's time as text."""

    now: Callable[[], str]
    documents: dict[str, Document] = field(default_factory=dict)
    transactions: dict[str, Transaction] = field(default_factory=dict)

    def apply(
        self, mutations: list[dict[str, Any]], *, transaction: str | None = None, author: str = "", dry: bool = False
    ) -> Transaction:
        """Apply a transaction, whole or not at all; raises RefusedError."""
        number = transaction or secrets.token_hex(11)
        if number in self.transactions:
            text = f'Transaction with ID "{number}" already exists'
            raise RefusedError(409, "transactionAlreadyExistsError", text, index=None)
        at, draft = self.now(), dict(self.documents)
        steps = [self._mutate(draft, one, index, at, number) for index, one in enumerate(mutations)]
        self._check_references(draft, steps)
        done = Transaction(number, at, author, mutations, steps)
        if not dry:
            self.documents = draft
            self.transactions[number] = done
        return done

    def _mutate(self, draft: dict[str, Document], mutation: dict[str, Any], index: int, at: str, number: str) -> Step:
        [(verb, what)] = mutation.items()
        if verb == "delete":
            before = draft.pop(what["id"], None)
            return Step(what["id"], "delete" if before else "none", before, None)
        if verb == "patch":
            return self._patch(draft, what, index, at, number)
        if verb not in {"create", "createOrReplace", "createIfNotExists"}:
            raise RefusedError(400, "invalidMutation", f'Unknown mutation "{verb}"', index=index)
        return self._create(draft, verb, what, index, at, number)

    def _create(self, draft: dict[str, Document], verb: str, what: Document, index: int, at: str, number: str) -> Step:
        native = what.get("_id") or secrets.token_hex(11)
        native = native + secrets.token_hex(8) if native.endswith(".") else native
        if not ID.fullmatch(native):
            raise RefusedError(400, "malformedDocumentIDError", f'Malformed document ID: "{native}"', index=index)
        if not what.get("_type"):
            raise RefusedError(400, "validationError", "Document does not have a type", index=index)
        before = draft.get(native)
        if before is not None and verb == "create":
            text = f'Document by ID "{native}" already exists'
            raise RefusedError(409, "documentAlreadyExistsError", text, index=index, id=native)
        if before is not None and verb == "createIfNotExists":
            return Step(native, "none", before, before)
        made = {key: deepcopy(value) for key, value in what.items() if key not in OWN}
        created = before["_createdAt"] if before else what.get("_createdAt", at)
        draft[native] = made | {"_id": native, "_createdAt": created, "_updatedAt": at, "_rev": number}
        return Step(native, "update" if before else "create", before, draft[native])

    def _patch(self, draft: dict[str, Document], what: dict[str, Any], index: int, at: str, number: str) -> Step:
        native = what["id"]
        before = draft.get(native)
        if before is None:
            text = f'The document with the ID "{native}" was not found'
            raise RefusedError(404, "documentNotFoundError", text, index=index, id=native)
        expected = what.get("ifRevisionID")
        if expected is not None and expected != before["_rev"] and before["_rev"] != number:
            more = {"id": native, "expectedRevisionID": expected, "currentRevisionID": before["_rev"]}
            text = f'Document "{native}" has unexpected revision ID'
            raise RefusedError(409, "documentRevisionIDDoesNotMatchError", text, index=index, **more)
        try:
            made = patched(before, what)
        except (BadPathError, TypeError, ValueError) as error:
            raise RefusedError(400, "invalidPatchError", f"{error}", index=index) from error
        for name in ("_id", "_type", "_rev"):
            if made.get(name) != before[name]:
                text = f'Cannot modify immutable attribute "{name}"'
                raise RefusedError(400, "cannotModifyImmutableAttributeError", text, index=index, attribute=name)
        draft[native] = made | {"_updatedAt": at, "_rev": number}
        return Step(native, "update", before, draft[native])

    def _check_references(self, draft: dict[str, Document], steps: list[Step]) -> None:
        """Refuse strong references to what is not there: neither made nor left behind."""
        gone = {step.id for step in steps if step.id not in draft}
        for native, document in draft.items():
            if not gone and document is self.documents.get(native):
                continue
            for target in references(document):
                if target in draft or native.startswith("drafts."):
                    continue
                if target in gone:
                    text = f'Document "{target}" cannot be deleted as there are references to it from "{native}"'
                    raise RefusedError(409, "documentHasExistingReferencesError", text, id=target)
                text = f'Document "{native}" references non-existent document "{target}"'
                raise RefusedError(409, "documentReferencesNonExistentDocumentError", text, id=native)


def references(value: Any) -> list[str]:
    """Return what a value refers to strongly."""
    if isinstance(value, dict):
        own = [value["_ref"]] if "_ref" in value and not value.get("_weak") else []
        return own + [one for part in value.values() for one in references(part)]
    if isinstance(value, list):
        return [one for part in value for one in references(part)]
    return []
