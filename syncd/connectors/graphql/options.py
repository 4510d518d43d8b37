"""What the config may say of a GraphQL API, and what a collection can do by it without asking anyone."""

from typing import Any, Literal, Self

from pydantic import Field, model_validator

from syncd.connectors.graphql.document import below
from syncd.connectors.graphql.fragments import shared, split
from syncd.connectors.graphql.requests import PAGED, Asked, FindQuery, ListQuery, Mutation, ReadQuery, wrong
from syncd.connectors.graphql.tokens import DocumentError
from syncd.connectors.graphql_call import CODE, FAULTS, Fault
from syncd.connectors.http import HttpConnection
from syncd.connectors.options import CollectionOptions, Marker, Options, Poll, Watch
from syncd.connectors.signature import Webhook
from syncd.core.model import SECOND, Abilities

Codes = list[str]  # the options have a key of that name
READS = ("list", "changed", "read", "find")
SINCE = frozenset({"since"})


class GraphqlConnection(HttpConnection):
    """Where the API is and who we are. ``code``: where an error under ``errors`` has its code; ``faults``: what codes mean that
    are not known anyway, as ``{TOO_FAST: wait, NO_ACCESS: login, DATABASE_DOWN: trouble}``; any other is a refusal.
    """

    base_url: str
    path: str = Field("/graphql", pattern=r"^/[^\s?#]*$")
    code: str = CODE
    faults: dict[str, Literal["wait", "login", "trouble", "refused"]] = Field(default_factory=dict)

    @property
    def meanings(self) -> dict[str, Fault]:
        """Return what the codes of errors mean."""
        return dict(FAULTS) | {code: Fault(meaning) for code, meaning in self.faults.items()}


class GraphqlWatch(Watch):
    """How changes are noticed: polls, webhooks, sweeps."""

    poll: Poll | None = None
    webhook: Webhook | None = None


class GraphqlVersion(Options):
    """A version that is a field of the thing; an update sends it back where it has ``{version}``."""

    field: str


class GraphqlCollection(CollectionOptions):
    """The requests of one collection and the places in its answers. ``fragments``: those that its documents share.

    ``stale``, ``exists`` and ``gone`` are the codes of user errors, or of errors, that say so; any other is a refusal of the
    record.
    """

    id: str
    fragments: str | None = None
    list: ListQuery | None = None
    changed: ListQuery | None = None
    read: ReadQuery | None = None
    find: FindQuery | None = None
    create: Mutation | None = None
    update: Mutation | None = None
    delete: Mutation | None = None
    changed_at: str | None = None
    version: GraphqlVersion | None = None
    deleted: Marker | None = None
    since: Literal["rfc3339", "epoch", "epoch_ms"] = "rfc3339"
    stale: Codes = Field(default_factory=Codes)
    exists: Codes = Field(default_factory=Codes)
    gone: Codes = Field(default_factory=Codes)
    answers: bool = True

    @property
    def codes(self) -> frozenset[str]:
        """Return the codes that are no refusals."""
        return frozenset((*self.stale, *self.exists, *self.gone))

    @model_validator(mode="before")
    @classmethod
    def _shares_fragments(cls, data: Any) -> Any:
        text = data.get("fragments") if isinstance(data, dict) else None
        if not isinstance(text, str):
            return data
        try:
            return shared(data, split(text))
        except DocumentError as error:
            why = "the platform would refuse every document that uses them"
            wrong(f"fragments: {error}", why=why, fix="write  fragment NAME on TYPE { ... }")

    @model_validator(mode="after")
    def _lists(self) -> Self:
        for query in (self.list, self.changed):
            if query is not None:
                query.only(PAGED | SINCE)
        if self.changed is not None and "since" not in self.changed.names:
            fix = 'declare  $since: DateTime, or write  variables: {NAME: "{since}"}'
            wrong("changed needs {since}", why="it would list everything at each poll", fix=fix)
        return self

    @model_validator(mode="after")
    def _writes(self) -> Self:
        if self.create is not None and self.create.item is None:
            why = "the answer names the new thing's id"
            wrong("create needs item, the place of the thing in the answer", why=why, fix="write  item: thingCreate.thing")
        for name, mutation in (("update", self.update), ("delete", self.delete)):
            if mutation is not None and "id" not in mutation.names:
                why = "it would mean all things and not one"
                wrong(f"{name} needs the id", why=why, fix='write  variables: {id: "{id}"}')
        for name, mutation in (("create", self.create), ("update", self.update)):
            if mutation is not None and not mutation.names - {"id", "version", "key"}:
                fix = 'write  variables: {input: "{changes}"}'
                wrong(f"{name} sends no values", why="nothing would be written", fix=fix)
        self._sends_the_version()
        return self

    def _sends_the_version(self) -> None:
        """Raise a validation error where the version goes nowhere because it is named as the field and not as what it is."""
        field = self.version.field if self.version else None
        if self.update is not None and field in self.update.names and "version" not in self.update.names:
            why = "it would never be filled in: no rule writes the version"
            wrong(f"update has {{{field}}}, which is the version", why=why, fix=f'write  variables: {{{field}: "{{version}}"}}')

    @model_validator(mode="after")
    def _places(self) -> Self:
        wanted = {"id": self.id}
        own = {"changed_at": self.changed_at, "version": self.version and self.version.field}
        more = {key: path for key, path in own.items() if path} | ({"deleted": self.deleted.field} if self.deleted else {})
        for name in READS:
            self._asks_for(name, getattr(self, name), wanted | more)
        for name in ("create", "update"):
            self._asks_for(name, getattr(self, name), wanted)
        return self

    def _asks_for(self, name: str, asked: Any, paths: dict[str, str]) -> None:
        for key, path in paths.items():
            if asked is None or asked.element is None:
                return
            try:
                below(asked.element, path)
            except DocumentError as error:
                why = "what the document does not ask for is not in the answer"
                wrong(f"{name}: {key}: {error}", why=why, fix=f"ask for {path} there, or correct {key}")


def is_guarded(options: GraphqlCollection, write: Any) -> bool:
    """Return whether updates carry the version they were planned on."""
    sends = options.update is not None and "version" in options.update.names
    return options.version is not None and sends and write.guard in {None, "version"}


def abilities_of(options: GraphqlCollection, *, timeout: int, guarded: bool) -> Abilities:
    """Return what a collection can do: what it has requests for."""
    return Abilities(
        list=options.list is not None,
        read=options.read is not None,
        find=options.find is not None,
        create=options.create is not None,
        update=options.update is not None,
        delete=options.delete is not None,
        guard=guarded,
        ordered=options.version is not None,
        keyed=_all_send(options, "key"),
        whole=options.update is not None and "item" in options.update.names,
        answers=options.answers,
        timed=options.changed_at is not None,
        tick=SECOND,  # most write whole seconds, and nothing says so beforehand
        lifetime=2 * timeout,
    )


def _all_send(options: GraphqlCollection, name: str) -> bool:
    """Return whether every write has a place for something."""
    found: tuple[Asked | None, ...] = (options.create, options.update)
    return any(found) and all(name in one.names for one in found if one is not None)
