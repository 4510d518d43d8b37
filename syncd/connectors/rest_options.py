"""What the config says about one collection of a JSON API, and what follows from it without asking anyone."""

from typing import Any, Literal

from pydantic import ValidationInfo, field_validator

from syncd.connectors.options import CollectionOptions, Marker, Options, Poll, Watch
from syncd.connectors.pages import Pages
from syncd.connectors.signature import Webhook
from syncd.connectors.template import Request, Template
from syncd.core.model import SECOND, Abilities

LIST_NAMES = frozenset({"page", "offset", "size", "cursor", "since"})  # what is filled into the request of a list
METHODS = {
    "list": {"GET"},
    "changed": {"GET"},
    "read": {"GET"},
    "find": {"GET"},
    "create": {"POST", "PUT"},
    "update": {"PATCH", "PUT", "POST"},
    "delete": {"DELETE", "POST"},
}


class RestVersion(Options):
    """A version that is a field of the thing, sent back in the body of a write."""

    field: str


class RestWatch(Watch):
    """How changes are noticed: polls, webhooks, sweeps."""

    poll: Poll | None = None
    webhook: Webhook | None = None


class RestCollection(CollectionOptions):
    """The requests of one collection and the places in its answers."""

    id: str
    list: Request | None = None
    changed: Request | None = None
    read: Request | None = None
    find: Request | None = None
    create: Request | None = None
    update: Request | None = None
    delete: Request | None = None
    pages: Pages | None = None
    items: str = ""
    total: str | None = None  # where a list says how many things there are
    item: str = ""
    send: str = ""
    changed_at: str | None = None
    version: Literal["etag"] | RestVersion | None = None
    deleted: Marker | None = None
    since: Literal["rfc3339", "epoch", "epoch_ms"] = "rfc3339"
    idempotency: str | None = None
    answers: bool = True

    @field_validator(*METHODS)
    @classmethod
    def _can_be_asked(cls, request: Template | None, info: ValidationInfo) -> Template | None:
        name = str(info.field_name)
        if request is None:
            return None
        if request.method not in METHODS[name]:
            raise ValueError(f"{name} is asked with {' or '.join(sorted(METHODS[name]))}, not {request.method}")
        unknown = sorted(request.names - LIST_NAMES)
        if name in {"list", "changed"} and unknown:
            raise ValueError(f"nothing is filled in for {{{unknown[0]}}} here")
        if name in {"read", "update", "delete"} and "id" not in request.names:
            raise ValueError(f"{name} needs {{id}}: it would mean all things and not one")
        if name == "find" and not unknown:
            raise ValueError("find needs the name of what is looked for, such as {sku}")
        return request


def is_guarded(options: RestCollection, write: Any) -> bool:
    """Return whether writes carry the version they were planned on."""
    return options.version is not None and write.guard in {None, "version"}


def abilities_of(options: RestCollection, *, timeout: int, guarded: bool) -> Abilities:
    """Return what a collection can do: what it has requests for."""
    return Abilities(
        list=options.list is not None,
        read=options.read is not None,
        find=options.find is not None,
        create=options.create is not None,
        update=options.update is not None,
        delete=options.delete is not None,
        guard=guarded,
        ordered=isinstance(options.version, RestVersion),
        keyed=options.idempotency is not None,
        whole=options.update is not None and options.update.method == "PUT",
        answers=options.answers,
        timed=options.changed_at is not None,
        tick=SECOND,  # most write whole seconds, and nothing says so beforehand
        lifetime=2 * timeout,
    )
