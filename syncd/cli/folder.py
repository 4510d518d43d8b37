"""A quick look into the config folder: what commands that only read need, without checking the whole of it.

``syncd check`` and every command that works use the full loader. Here only the names, the places of the rules and three
settings are read, because ``status``, ``explain`` and ``history`` must start fast.
"""

import os
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from syncd.config import places
from syncd.config.folder import read_folder, sha_of, sources_of
from syncd.config.nodes import Block, Items, Node, Scalar, Span, scalars
from syncd.config.secrets import reference
from syncd.config.source import Source
from syncd.config.suggest import did_you_mean
from syncd.config.yaml import parse
from syncd.errors import ConfigError, UsageError
from syncd.reports.masks import Personal
from syncd.reports.outline import EntityLine, FieldLine, PlatformLine

if TYPE_CHECKING:
    from syncd.config.model import Config, Loaded
    from syncd.config.scene import Evidence

NOTHING = Block(Span(1, 1, 1))
RULES = ("owner", "priority", "newest", "merge", "const", "manual", "expr")
REFERENCE = re.compile(r"(?:ref|list)\((\w+)\)")
SYSTEM = ("/etc/syncd", "/var/lib/syncd", "/run/syncd")


class Folder(NamedTuple):
    """A config folder at a glance. ``name`` is as it was given."""

    name: str
    sha: str
    environment: str
    ledger: Path
    control: Path | None
    secrets_dir: Path | None
    platforms: dict[str, PlatformLine]
    entities: dict[str, EntityLine]
    secrets: dict[str, list[str]]  # named in the config, with the places
    texts: Mapping[str, str] = {}  # by path

    def entity(self, name: str) -> EntityLine:
        """Return an entity; raises UsageError with did-you-mean if there is none."""
        return self.entities[known("entity", name, self.entities)]

    def field(self, entity: str, name: str) -> FieldLine:
        """Return a field of an entity; raises UsageError with did-you-mean if there is none."""
        fields = self.entity(entity).fields
        return fields[known("field", name, fields, of=f"{entity} has")]

    @property
    def personal(self) -> Personal:
        """The fields whose values are shown as masks."""
        lines = {name: [line for line in entity.fields.values() if line.pii] for name, entity in self.entities.items()}
        paths = {path for found in lines.values() for line in found for path in line.paths if path}
        fields = {name: frozenset(line.name for line in found) for name, found in lines.items() if found}
        return Personal(fields, frozenset({*paths, *(path.rpartition(".")[2] for path in paths)}))

    @property
    def links(self) -> Mapping[str, Mapping[str, str]]:
        """The fields of each entity that are references, with the entity they lead to."""
        found = {}
        for name, entity in self.entities.items():
            leads = {line.name: REFERENCE.fullmatch(line.type) for line in entity.fields.values()}
            found[name] = {field: match[1] for field, match in leads.items() if match}
        return {name: fields for name, fields in found.items() if fields}

    def platform(self, name: str) -> PlatformLine:
        """Return a platform; raises UsageError with did-you-mean if there is none."""
        return self.platforms[known("platform", name, self.platforms)]

    def field_anywhere(self, name: str) -> str:
        """Return a field's name that some entity has; raises UsageError with did-you-mean if none has."""
        return known("field", name, dict.fromkeys(n for entity in self.entities.values() for n in entity.fields))


def known(what: str, name: str, names: Iterable[str], *, of: str = "the config has") -> str:
    """Return the name if it is one of the names; raises UsageError that says which there are."""
    names = list(names)
    if name in names:
        return name
    hint = did_you_mean(name, names) or f"{of}: {', '.join(names) or 'none'}"
    raise UsageError(f'no {what} called "{name}"; {hint}')


def find(given: str | None) -> str:
    """Return the config folder as given or found; raises ConfigError naming the places looked in.

    Beside a service installed under /etc/syncd its ledger and socket are used, as the unit's own folders say.
    """
    name = places.find_folder(given, os.environ)
    etc, state, run = SYSTEM
    if Path(name).resolve() == Path(etc) and Path(state).is_dir():
        os.environ.setdefault("STATE_DIRECTORY", state)
        os.environ.setdefault("RUNTIME_DIRECTORY", run)
    return name


def load(name: str, evidence: "Evidence | None" = None) -> "Loaded":
    """Return the whole config, checked as the daemon checks it. It imports every connector: only for commands that work.

    ``evidence`` is what the ledger knows, for findings that quote it.
    """
    from syncd.config.load import NOTHING_KNOWN
    from syncd.config.load import load as load_folder
    from syncd.connectors.registry import KINDS

    return load_folder(name, KINDS, evidence=evidence or NOTHING_KNOWN)


def checked_config(name: str) -> "Config":
    """Return the whole config; raises ConfigError with all that is wrong if there is an error."""
    loaded = load(name)
    if loaded.config is None:
        raise ConfigError(f"the config in {name} has errors; nothing was done", loaded.errors)
    return loaded.config


def runnable_config(name: str) -> "Config":
    """Return the whole config for a command that reaches platforms; raises ConfigError also for what this version does not
    obey yet (E190).
    """
    config = checked_config(name)
    if config.promised:
        refused = [replace(one, severity="error") for one in config.promised]
        raise ConfigError(f"the config in {name} asks for what is not in this version; nothing was started", refused)
    return config


def control_of(name: str) -> Path | None:
    """Return the control socket's path, also while other files of the folder are broken."""
    variables = places.variables(os.environ)
    sources = [source for source in read_folder(name) if source.path == "syncd.yaml"]
    for source in sources:
        parse(source, variables)
    return _control(name, next((source.root for source in sources if source.root), NOTHING), variables)


def _control(name: str, service: Block, variables: Mapping[str, str]) -> Path | None:
    path = _text(_block(service, "listen"), "control") or f"{variables['RUNTIME_DIRECTORY']}/control.sock"
    return None if path == "none" else places.resolve_path(name, path)


def parsed(name: str) -> list[Source]:
    """Return the files of a folder, parsed, with nothing noted but what keeps them from being read."""
    variables = places.variables(os.environ)
    sources = read_folder(name)
    for source in sources:
        if not source.failed:
            parse(source, variables)
    return sources


def glance(name: str) -> Folder:
    """Return a folder at a glance; raises ConfigError with all that is wrong if a file of it cannot be read."""
    variables = places.variables(os.environ)
    sources = [source for source in read_folder(name) if source.text or not source.found]
    for source in sources:
        if not source.path.startswith("tests/"):
            parse(source, variables)
    found = [one for source in sources if source.failed for one in source.found]
    if found:
        raise ConfigError(f"the config in {name} cannot be read", found)
    return _folder(name, sources, variables)


def _folder(name: str, sources: Sequence[Source], variables: Mapping[str, str]) -> Folder:
    roots = {source.path: source.root for source in sources if source.root}
    service = roots.get("syncd.yaml", NOTHING)
    mode = _text(_block(service, "defaults"), "mode") or "propose"
    ledger = _text(_block(service, "ledger"), "path") or f"{variables['STATE_DIRECTORY']}/ledger.db"
    secrets = _text(service, "secrets_dir")
    platforms = [_platform(root, mode) for path, root in roots.items() if path.startswith("platforms/")]
    entities = [_entity(source) for source in sources if source.path.startswith("entities/")]
    return Folder(
        name,
        sha_of({source.path: source.text for source in sources}),
        _text(service, "environment") or "production",
        places.resolve_path(name, ledger),
        _control(name, service, variables),
        places.resolve_path(name, secrets) if secrets else None,
        {one.name: one for one in platforms},
        {one.name: one for one in entities},
        _secrets(sources),
        {source.path: source.text for source in sources},
    )


def glance_at(name: str, texts: Mapping[str, str]) -> Folder:
    """Return a config kept as texts by path (the ledger's copy of an earlier one) at a glance."""
    variables = places.variables(os.environ)
    sources = sources_of(name, texts)
    for source in sources:
        parse(source, variables)
    return _folder(name, sources, variables)


def _secrets(sources: Sequence[Source]) -> dict[str, list[str]]:
    """Return every secret that is named, with the places."""
    used: dict[str, list[str]] = {}
    for source in sources:
        for _, node in scalars(source.root):
            if name := reference(node.text):
                used.setdefault(name, []).append(f"{source.file}:{node.span.line}")
    return used


def _platform(root: Block, mode: str) -> PlatformLine:
    return PlatformLine(_text(root, "platform") or "", _text(root, "mode") or mode, _text(root, "connector") or "")


def _entity(source: Source) -> EntityLine:
    root, file = source.root or NOTHING, source.file
    fields, groups = _block(root, "fields"), _block(root, "groups")
    found = [_field(file, name, entry.value, groups) for name, entry in fields.entries.items()]
    members = {name: _text(entry.value, "group") for name, entry in fields.entries.items()}
    return EntityLine(
        _text(root, "entity") or "",
        _text(_block(root, "identity"), "key") or "id",
        _text(root, "label") or "",
        tuple(_block(root, "in").entries),
        {line.name: line for line in found},
        {group: tuple(name for name, its in members.items() if its == group) for group in groups.entries},
    )


def _field(file: str, name: str, node: Node, groups: Block) -> FieldLine:
    body = node if isinstance(node, Block) else NOTHING
    truth = body.get("truth")
    group = _text(body, "group")
    if truth is None and group:
        truth = _block(groups, group).get("truth")
    maps = _block(body, "map")
    ways = {platform: _text(entry.value, "direction") or "both" for platform, entry in maps.entries.items()}
    strategy, platforms = _rule(truth)
    pii = _text(body, "pii") == "true"
    paths = tuple(
        entry.value.text if isinstance(entry.value, Scalar) else _text(entry.value, "path") or ""
        for entry in maps.entries.values()
    )
    return FieldLine(
        name, _type(body.get("type")), file, (truth or node).span.line, strategy, platforms, ways, group, pii, paths
    )


def _rule(truth: Node | None) -> tuple[str, tuple[str, ...]]:
    """Return the kind of a rule and its platforms, in order."""
    if isinstance(truth, Scalar):
        return "owner", (truth.text,)
    if isinstance(truth, Items):
        return "cases", ()
    if not isinstance(truth, Block):
        return "", ()
    kind = next((name for name in RULES if name in truth.entries), "")
    node = truth.get("from" if kind == "merge" else kind)
    platforms = node.nodes if isinstance(node, Items) else [node]
    name = f"merge {_text(truth, kind) or ''}".strip() if kind == "merge" else kind
    named = kind not in {"const", "manual", "expr"}
    return name, tuple(one.text for one in platforms if isinstance(one, Scalar)) if named else ()


def _type(node: Node | None) -> str:
    if isinstance(node, Scalar):
        return node.text
    return "enum" if isinstance(node, Block) and "enum" in node.entries else ""


def _block(node: Node | None, key: str) -> Block:
    found = node.get(key) if isinstance(node, Block) else None
    return found if isinstance(found, Block) else NOTHING


def _text(node: Node | None, key: str) -> str | None:
    found = node.get(key) if isinstance(node, Block) else None
    return found.text if isinstance(found, Scalar) and found.text else None
