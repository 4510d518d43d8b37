"""``platforms/NAME.yaml``: one platform, its connector's options and its collections."""

from collections.abc import Callable, Mapping
from importlib import import_module
from pathlib import PurePosixPath
from typing import Any

from syncd.config import literals
from syncd.config.drafts import CollectionDraft, PlatformDraft
from syncd.config.model import Kind, Limits, Retry, WritePolicy
from syncd.config.nodes import Block, Items, Scalar
from syncd.config.section import Section, missing_key, root_of
from syncd.config.service import MODES, STRAY
from syncd.config.source import Source, start_of
from syncd.config.suggest import did_you_mean

KEYS = [
    *("platform", "connector", "mode", "connection", "watch", "stale_after", "stray_edits", "timezone", "limits", "write"),
    "collections",
]
LATER_WATCH = ("changes",)
LATER_COLLECTION = ("field_times", "shape")
PROMISED = ("retain",)  # obeyed by commands that are not there yet
DRAFTS = ("never", "always")  # whether Sanity's drafts are written


def name_of(source: Source) -> str:
    """Return the name that a file's own name gives to what is in it."""
    return PurePosixPath(source.path).stem


def read_platform(source: Source, kinds: Mapping[str, Kind]) -> PlatformDraft:
    """Return a platform as its file says it; what is wrong is noted and left as built in."""
    section = root_of(source)
    draft = PlatformDraft(name_of(source), source, source.at(Scalar(start_of(source), "", "", "", plain=True)))
    if section is None:
        return draft
    section.known(KEYS)
    same_name(section, "platform")
    _connector(section, draft, kinds)
    mode = section.word("mode", MODES)
    if mode:
        draft.mode, draft.mode_at = mode, source.at(section.block.key("mode"))
    draft.stale_after = section.duration("stale_after")
    draft.stray_edits = section.word("stray_edits", STRAY)
    zone = section.node("timezone")
    draft.timezone = (literals.zone(source, zone, "timezone") if zone else None) or "UTC"
    draft.limits = _limits(section.section("limits"))
    draft.write = _write(section.section("write"), draft)
    _options(section, draft)
    return draft


def same_name(section: Section, key: str) -> None:
    """Note E020 if a file does not have the name of what is in it."""
    node, stem = section.need(key), name_of(section.source)
    name = literals.text(section.source, node, key) if node else None
    if node is None or name is None or name == stem:
        return
    section.source.error(
        "E020",
        node,
        f'file name and content differ: {stem}.yaml says {key} "{name}"',
        hint=f"{stem}?",
        why=f"rules name a {key} by one name only, and files are found by it",
        fix=f"write  {key}: {stem}     or rename the file to {name}.yaml",
    )


def _connector(section: Section, draft: PlatformDraft, kinds: Mapping[str, Kind]) -> None:
    node = section.need("connector")
    name = literals.text(section.source, node, "connector") if node else None
    if node is None or name is None:
        return
    draft.connector = name
    draft.kind = kinds.get(name)
    if draft.kind is None:
        section.source.error(
            "E103",
            node,
            f'unknown connector "{name}"',
            hint=did_you_mean(name, sorted(kinds)),
            why="no code here speaks to such a platform",
            fix=f"use one of: {', '.join(sorted(kinds))}",
        )


def _limits(section: Section | None) -> Limits:
    if section is None:
        return Limits()
    section.known(["rate", "burst", "concurrency", "daily"])
    concurrency = section.whole("concurrency", least=1)
    return Limits(
        section.rate("rate"),
        section.whole("burst", least=1),
        Limits().concurrency if concurrency is None else concurrency,
        section.whole("daily", least=1),
    )


def _write(section: Section | None, draft: PlatformDraft) -> WritePolicy:
    if section is None:
        return WritePolicy()
    own = ["drafts"] if draft.connector == "sanity" else []
    section.known(["guard", "retry", "batch", "quiet_hours", *own])
    draft.guard_node = section.node("guard")
    return WritePolicy(
        section.word("guard", ("version", "hash", "none")),
        _retry(section.section("retry")),
        section.whole("batch", least=1, most=1000) or 1,
        _quiet_hours(section),
        section.word("drafts", DRAFTS) or "never",
    )


def _retry(section: Section | None) -> Retry:
    if section is None:
        return Retry()
    section.known(["attempts", "first", "max"])
    built = Retry()
    attempts, first, most = section.whole("attempts", least=1), section.duration("first"), section.duration("max")
    return Retry(
        built.attempts if attempts is None else attempts,
        built.first if first is None else first,
        built.max if most is None else most,
    )


def _quiet_hours(section: Section) -> str | None:
    hours, node = section.text("quiet_hours"), section.node("quiet_hours")
    if hours is None or node is None or literals.is_hours(hours):
        return hours
    literals.bad_value(
        section.source,
        node,
        f'"{hours}" is not a time of day from and to',
        why="writes would be held at the wrong hours",
        fix='write  quiet_hours: "08:00-09:00"',
    )
    return None


def _options(section: Section, draft: PlatformDraft) -> None:
    """Read what belongs to the kind of platform: connection, watch and collections."""
    connection, watch = _block(section, "connection"), _block(section, "watch")
    draft.webhook = watch.block.get("webhook") is not None
    if not isinstance(section.need("collections"), Scalar | Items):
        for name, inner in section.sections("collections"):
            draft.collections[name] = CollectionDraft(name, inner.block, inner.owner)
    _verified(section.source, watch)
    if draft.kind is not None:
        _with_kind(section.source, draft, draft.kind, connection, watch)


def _block(section: Section, key: str) -> Section:
    empty = section.block.key(key).span if key in section.block.entries else section.owner
    return section.section(key) or Section(section.source, Block(empty), empty)


def _options_room() -> Any:
    """Return ``config.options``: pydantic is slow to import, and not wanted where no kind is asked for."""
    return import_module("syncd.config.options")


def _with_kind(source: Source, draft: PlatformDraft, kind: Kind, connection: Section, watch: Section) -> None:
    allowed_keys, read_options = _options_room().allowed_keys, _options_room().read_options
    draft.connection = _connection(source, connection, kind)
    watch_block = _without(source, watch.block, LATER_WATCH, allowed_keys(kind.watch))
    draft.watch = read_options(source, watch_block, kind.watch, watch.owner, quota=True, told=[("webhook", "verify")])
    for found in draft.collections.values():
        block = _without(source, found.block, LATER_COLLECTION, allowed_keys(kind.collection))
        block = _without(source, block, PROMISED, [], refuse=source.promised)
        composite = block.get("id")
        if isinstance(composite, Items):
            _several(source, composite, kind)
        else:
            found.options = read_options(source, block, kind.collection, found.owner)
        if None not in (draft.connection, draft.watch, found.options):
            found.abilities = kind.abilities(draft.connection, found.options, draft.watch, draft.write)


def _several(source: Source, composite: Items, kind: Kind) -> None:
    """Note an id that is a list: E011 where it is written as one text, E190 where there is no such thing yet."""
    if not getattr(kind.collection, "COMPOSITE", False):
        source.later(composite, "an id of several columns", fix="write  id: ONE_COLUMN")
        return
    names = ",".join(one.text for one in composite.nodes if isinstance(one, Scalar))
    why = "an id is one text, as reports and commands show it"
    source.error("E011", composite, "an id of several names is written as one text", why=why, fix=f"write  id: {names}")


def _connection(source: Source, section: Section, kind: Kind) -> Any:
    """Return the options of the connection; where there is no block at all, that one key is missing."""
    fits, read_options = _options_room().fits, _options_room().read_options
    if section.block.entries or fits({}, kind.connection):
        return read_options(source, section.block, kind.connection, section.owner)
    missing_key(source, section.owner, "connection")
    return None


def _without(
    source: Source,
    block: Block,
    later: tuple[str, ...],
    allowed: list[str],
    *,
    refuse: Callable[[Scalar, str], None] | None = None,
) -> Block:
    """Return a block without the keys of a later version, which are noted (E190)."""
    refused = [key for key in later if key in block.entries and key not in allowed]
    for key in refused:
        entry = block.entries[key]
        (refuse or source.later)(entry.key, f'"{key}"')
    return Block(block.span, block.flow, {key: entry for key, entry in block.entries.items() if key not in refused})


def _verified(source: Source, watch: Section) -> None:
    """Note E052: a webhook that anybody may call."""
    webhook = watch.section("webhook")
    if webhook is None or webhook.node("verify") is not None:
        return
    source.error(
        "E052",
        watch.block.key("webhook"),
        "webhook without verify",
        hint="add verify:",
        why="anyone who finds this path could write into every platform",
        fix="add  verify: {scheme: standard-webhooks, secret: secret:NAME}",
    )
