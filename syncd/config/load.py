"""Load a config folder: every file read, everything checked, all findings at once.

``check`` and ``run`` share this: what one accepts the other starts with. Nothing here connects to anything.
"""

import hashlib
import json
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from syncd.config import literals, places
from syncd.config.cautions import warn_of_platform, warn_of_rules
from syncd.config.diagnostics import Diagnostic, in_file_order
from syncd.config.drafts import PlatformDraft
from syncd.config.entity import read_entity
from syncd.config.folder import SERVICE, read_folder, sha_of, shown, sources_of
from syncd.config.leaks import refuse_leaks
from syncd.config.model import Collection, Config, FileSummary, Kind, Loaded, Platform
from syncd.config.nodes import Block, Items, Scalar, Span, is_blank, plain, scalars
from syncd.config.platform import name_of, read_platform
from syncd.config.plugins import Plugins, is_plugin
from syncd.config.proof import prove_maps
from syncd.config.references import check_references
from syncd.config.relations import check_relations, with_ids
from syncd.config.ruletests import count_tests, read_tests
from syncd.config.scene import Evidence, Scene, careful
from syncd.config.secrets import Secrets, reference
from syncd.config.service import Service, built_in, read_service
from syncd.config.source import Source
from syncd.config.yaml import parse
from syncd.core.rules import At, Rules

NOTHING_KNOWN = Evidence()
JUDGES = (prove_maps, warn_of_rules)


def load(
    folder: str | Path,
    kinds: Mapping[str, Kind],
    *,
    environ: Mapping[str, str] | None = None,
    evidence: Evidence = NOTHING_KNOWN,
) -> Loaded:
    """Return the config of a folder, or its errors; never raises for what stands in the files.

    ``kinds`` are the connectors there are. ``environ`` is the process's own if not given. ``evidence`` is what the ledger
    or a probe knows, for messages that quote it.
    """
    name = str(folder)
    sources = read_folder(name)
    if not sources:
        sources = [Source(shown(name, SERVICE), SERVICE, "")]
        fix = "name another folder with --config, or write syncd.yaml and platforms/NAME.yaml"
        sources[0].error("E001", Span(1, 1, 2), "no config here: the folder has no .yaml files", fix=fix)
    return _load(name, sources, kinds, os.environ if environ is None else environ, evidence, plugins_in(sources))


def load_texts(
    folder: str | Path,
    texts: Mapping[str, str],
    kinds: Mapping[str, Kind],
    *,
    environ: Mapping[str, str] | None = None,
) -> Loaded:
    """Return a config kept as texts by path (the ledger's copy of an earlier one), as if it stood in the folder."""
    env = os.environ if environ is None else environ
    trusted = plugins_now(str(folder), env) if any(map(is_plugin, texts)) else {}
    return _load(str(folder), sources_of(str(folder), texts), kinds, env, NOTHING_KNOWN, trusted)


def plugins_in(sources: Iterable[Source]) -> dict[str, str]:
    """Return the texts of plugins by path."""
    return {source.path: source.text for source in sources if is_plugin(source.path)}


def plugins_now(folder: str, environ: Mapping[str, str]) -> dict[str, str]:
    """Return the texts of the plugins that stand in a config folder and may be run, by path."""
    sources = read_folder(folder)
    service = next((source for source in sources if source.path == SERVICE), None)
    if service is None:
        return {}
    parse(service, places.variables(environ))
    return plugins_in(sources) if read_service(service, folder, environ).allow_plugins else {}


def _load(
    folder: str,
    sources: list[Source],
    kinds: Mapping[str, Kind],
    environ: Mapping[str, str],
    evidence: Evidence,
    trusted: Mapping[str, str],
) -> Loaded:
    variables = places.variables(environ)
    for source in sources:
        if not source.failed:
            parse(source, variables)
        refuse_leaks(source, source.root, name_of(source) if source.path.startswith("platforms/") else "")
    service = _service(sources, folder, environ, trusted)
    drafts = {name_of(source): read_platform(source, kinds) for source in _of(sources, "platforms/")}
    named = [*_of(sources, SERVICE), *(one.source for one in drafts.values())]
    check_references(named, Secrets(environ, service.secrets_dir))
    scenes = [(source, *read_entity(source, service, drafts, evidence, JUDGES)) for source in _of(sources, "entities/")]
    _one_entity_each([scene for _, scene, _ in scenes])
    check_relations([scene for _, scene, _ in scenes])
    _one_hook_each(list(drafts.values()))
    for draft in drafts.values():
        warn_of_platform(draft, [scene for _, scene, _ in scenes])
    known = {scene.name: entity for _, scene, entity in scenes}
    tests = {source.path: read_tests(source, known) for source in _of(sources, "tests/")}
    texts = {source.path: source.text for source in sources}
    sha = sha_of(texts)
    found = in_file_order(_findings(sources), [source.file for source in sources])
    config = None
    if not any(one.severity == "error" for one in found):
        entities = with_ids({entity.name: entity for _, _, entity in scenes if entity is not None}, drafts)
        config = _config(folder, sha, service, drafts, Rules(sha, entities), texts)
        config = replace(config, promised=tuple(one for one in found if one.code == "E190"))
    by_path = {source.path: scene for source, scene, _ in scenes}
    counts = {source.path: count_tests(source) for source in _of(sources, "tests/")}
    files = [_summary(source, by_path, counts) for source in sources]
    return Loaded(config, found, files, sha, texts, service.environment, tests)


def _service(sources: Sequence[Source], folder: str, environ: Mapping[str, str], trusted: Mapping[str, str]) -> Service:
    source = next((one for one in sources if one.path == SERVICE), None)
    service = read_service(source, folder, environ) if source else built_in(environ)
    plugins = Plugins(sources, trusted, service.allow_plugins)
    return replace(service, plugins=plugins.named_in(source) if source else plugins)


def _of(sources: Sequence[Source], part: str) -> list[Source]:
    return [source for source in sources if source.path.startswith(part) and source.path.endswith(".yaml")]


def _findings(sources: Sequence[Source]) -> list[Diagnostic]:
    """Return all findings; where a secret was found nothing else is said, since it might quote it."""
    found: list[Diagnostic] = []
    for source in sources:
        leaks = {(one.line, one.col) for one in source.found if one.code == "E031"}
        found += [one for one in source.found if one.code == "E031" or (one.line, one.col) not in leaks]
    return found


def _one_entity_each(scenes: Sequence[Scene]) -> None:
    """Note E206 where two entities live in one collection: a change there could not say whose it is."""
    first: dict[tuple[str, str], Scene] = {}
    for scene in scenes:
        for name, part in scene.parts.items():
            if part.collection is None:
                continue
            other = first.setdefault((name, part.collection.name), scene)
            if other is not scene:
                scene.source.error(
                    "E206",
                    part.key,
                    f"{name}'s {part.collection.name} is the home of {other.name} already",
                    why="a thing that changes there could not say of which entity it is",
                    fix=f"give {scene.name} another collection     ({other.source.file}:{other.parts[name].key.span.line})",
                )


def _one_hook_each(drafts: Sequence[PlatformDraft]) -> None:
    """Note E011 where two platforms have one webhook path: what comes there could not be verified for both."""
    first: dict[str, str] = {}
    for draft in drafts:
        watch = draft.source.root.get("watch") if draft.source.root else None
        webhook = watch.get("webhook") if isinstance(watch, Block) else None
        path = webhook.get("path") if isinstance(webhook, Block) else None
        if isinstance(path, Scalar) and first.setdefault(path.text, draft.name) != draft.name:
            literals.bad_value(
                draft.source,
                path,
                f"{path.text} is the webhook of {first[path.text]} already",
                why="what comes there could not say from which platform it is",
                fix=f"write  path: /hooks/{draft.name}",
            )


def _config(
    folder: str, sha: str, service: Service, drafts: Mapping[str, PlatformDraft], rules: Rules, texts: Mapping[str, str]
) -> Config:
    return Config(
        folder=folder,
        sha=sha,
        environment=service.environment,
        timezone=service.timezone,
        ledger_path=service.ledger_path,
        state_dir=service.state_dir,
        secrets_dir=service.secrets_dir,
        hooks=service.hooks,
        console=service.console,
        control=service.control,
        console_auth=service.console_auth,
        mode=service.defaults.mode,
        stale_after=service.defaults.stale_after,
        settle=service.settle,
        safety=service.safety,
        upkeep=service.upkeep,
        platforms={name: _platform(draft, service, rules) for name, draft in drafts.items()},
        rules=rules,
        texts=texts,
    )


def _platform(draft: PlatformDraft, service: Service, rules: Rules) -> Platform:
    mode, mode_at = careful(draft, service, None, At())
    secrets = {reference(node.text) for _, node in scalars(draft.source.root)} - {None}
    stale = draft.stale_after
    collections = {name: _collection(draft, name, rules) for name in draft.collections}
    return Platform(
        name=draft.name,
        connector=draft.connector,
        mode=mode,
        mode_at=mode_at,
        stale_after=service.defaults.stale_after if stale is None else stale,
        timezone=draft.timezone,
        connection=draft.connection,
        watch=draft.watch,
        limits=draft.limits,
        write=draft.write,
        collections=collections,
        webhook=draft.webhook,
        secrets=tuple(sorted(str(name) for name in secrets)),
        digest=_digest(draft, collections),
        at=draft.at,
    )


def _digest(draft: PlatformDraft, collections: Mapping[str, Collection]) -> str:
    """Return a text that changes with anything a connector is made from: its options and the paths that are mapped."""
    root = draft.source.root
    data = plain(root) if root else {}
    assert isinstance(data, dict)
    kept = {key: value for key, value in data.items() if key not in ("mode", "stale_after", "stray_edits")}
    mapped = {name: [one.fields, one.writes, one.keys] for name, one in collections.items()}
    return hashlib.sha256(json.dumps([kept, mapped], default=str, sort_keys=True).encode()).hexdigest()[:16]


def _collection(draft: PlatformDraft, name: str, rules: Rules) -> Collection:
    found = draft.collections[name]
    at = At(draft.source.file, found.owner.line, found.owner.col)
    entity = rules.entity_of(draft.name, name)
    if entity is None:
        return Collection(name, found.options, at=at)
    maps = [(field, field.maps[draft.name]) for field in entity.fields.values() if draft.name in field.maps]
    keys = {one for match in entity.matches for one in match.by}
    return Collection(
        name,
        found.options,
        entity.name,
        fields=_unique([*(place.path for _, place in maps), *entity.members[draft.name].raws]),
        writes=_unique(place.path for _, place in maps if place.direction != "in"),
        keys=_unique(place.path for field, place in maps if field.name in keys),
        at=at,
    )


def _unique(paths: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(paths))


def _summary(source: Source, scenes: Mapping[str, Scene], tests: Mapping[str, int | None]) -> FileSummary:
    state = "error" if source.failed else "warn" if source.found else "ok"
    part = {"platforms": "platform", "entities": "entity", "tests": "tests"}.get(source.path.split("/")[0], "other")
    if source.path == SERVICE:
        part = "service"
    scene = scenes.get(source.path)
    if scene is None:
        return FileSummary(source.file, part, name_of(source), state, tests=tests.get(source.path))
    rules, cases = _rules(source)
    return FileSummary(source.file, part, scene.name, state, len(scene.fields), rules, cases)


def _rules(source: Source) -> tuple[int, int]:
    """Return how many rules an entity's file has, and how many of them are cases."""
    root = source.root or Block(Span(1, 1, 2))
    blocks = [root.get("fields"), root.get("groups")]
    owners = [entry.value for block in blocks if isinstance(block, Block) for entry in block.entries.values()]
    truths = [owner.get("truth") for owner in owners if isinstance(owner, Block) and not is_blank(owner.get("truth"))]
    return len(truths), sum(isinstance(truth, Items) for truth in truths)
