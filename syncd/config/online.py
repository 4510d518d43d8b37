"""What platforms answered to ``check --online``, as findings at their places in the config."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from syncd.config.nodes import Block, Node, Scalar
from syncd.config.source import Source, start_of
from syncd.core.model import SECOND
from syncd.core.rules import Rules, Truth

SLOW_CLOCK = 60 * SECOND  # beyond what is measured this is somebody's mistake


@dataclass(frozen=True, slots=True)
class Asked:
    """One collection. ``listed``: it could be read; ``barred``: scopes are missing for that; ``unseen``: mapped paths in none
    of the things read.

    ``write`` None: it cannot be asked without writing; ``refused``: mapped paths that may not be written. ``has``, ``missing``
    and ``excess`` are scopes of the login, ``unheard`` topics of the webhook that nobody sends.
    """

    name: str
    entity: str
    listed: bool
    rows: int
    paths: tuple[str, ...]
    unseen: tuple[str, ...]
    writes: tuple[str, ...]
    write: bool | None
    refused: tuple[str, ...]
    seconds: float
    has: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    excess: tuple[str, ...] = ()
    unheard: tuple[str, ...] = ()
    barred: bool = False


@dataclass(slots=True)
class Found:
    """One platform. ``trouble``: why it was not reached, or with ``refused`` why the login was not accepted; ``schema``: what
    it does not have. ``clock``: (offset, uncertainty), microseconds.
    """

    platform: str
    mode: str
    collections: list[Asked] = field(default_factory=list)
    clock: tuple[int, int] = (0, 0)
    trouble: str = ""
    refused: bool = False
    schema: str = ""
    seconds: float = 0.0

    @property
    def reached(self) -> bool:
        """Whether the platform answered at all."""
        return not self.trouble or self.refused


def note(found: Sequence[Found], sources: Sequence[Source], rules: Rules) -> None:
    """Note each finding in its file: E310 to E315, W313 to W315. ``sources`` were parsed."""
    files = {source.path: source for source in sources}
    for one in found:
        source = files[f"platforms/{one.platform}.yaml"]
        _login(one, source)
        _schema(one, source)
        _rights(one, source)
        _scopes(one, source)
        _clock(one, source, rules)
        for asked in one.collections:
            _unseen(one, asked, files[f"entities/{asked.entity}.yaml"])


def _login(one: Found, source: Source) -> None:
    if one.refused:
        source.error(
            "E310",
            _at(source, "connection", "auth", "token", "oauth"),
            f"{one.platform} does not accept the login",
            hint=one.trouble,
            why="nothing can be read there, so nothing can be kept consistent",
            fix="correct the secret it names (syncd secrets list shows where each comes from), or the account's rights",
        )
    elif one.trouble:
        source.error(
            "E314",
            _at(source, "connection", "base_url", "dsn", "host", "dir"),
            f"{one.platform} was not reached",
            hint=one.trouble,
            why="what it is like could not be asked; the rest of this check is incomplete (exit 3)",
            fix="correct the address, or try again when it is up",
        )


def _schema(one: Found, source: Source) -> None:
    if one.schema:
        source.error(
            "E313",
            _at(source, "collections"),
            f"{one.platform} is not as the config says",
            hint=one.schema,
            why="what is not there can be neither read nor written",
            fix="correct the name, or add it there",
        )


def _rights(one: Found, source: Source) -> None:
    barred = [asked for asked in one.collections if asked.write is False]
    if not barred or one.mode == "observe":
        return
    if any(asked.missing or (asked.has and not asked.refused) for asked in barred):
        _barred(one, barred, source)
        return
    refused = [f"{asked.name}: {', '.join(asked.refused) or 'nothing'}" for asked in barred]
    source.error(
        "E311",
        _at(source, "mode"),
        f"mode {one.mode}, but {one.platform} lets us not write",
        hint=f"refused: {'; '.join(refused)}",
        why="every write would be refused and land in dead letters",
        fix="give the account the right to write them, map what is only read with  direction: in, or set  mode: observe",
    )


def _barred(one: Found, barred: Sequence[Asked], source: Source) -> None:
    """Note E311 where the login's scopes say it."""
    lacks = ", ".join(_all(asked.missing for asked in barred))
    source.error(
        "E311",
        _at(source, "mode"),
        f"mode {one.mode}, but the token cannot write {', '.join(asked.name for asked in barred)}",
        hint=f"the token has: {', '.join(_all(asked.has for asked in barred))}",
        why="every write would be refused and land in dead letters",
        fix=f"give the app the scope {lacks}, or set  mode: observe" if lacks else "set  mode: observe",
    )


def _scopes(one: Found, source: Source) -> None:
    """Note scopes that are missing for reading, scopes that nothing needs, and webhooks that nobody sends."""
    lacks = _all(asked.missing for asked in one.collections if asked.write is not False or one.mode == "observe")
    if lacks:
        source.error(
            "E315",
            _at(source, "connection", "token", "oauth", "auth"),
            f"the login of {one.platform} lacks the scope {', '.join(lacks)}",
            hint=f"the token has: {', '.join(_all(asked.has for asked in one.collections)) or 'none'}",
            why="what the config names there can not be read",
            fix=f"give the app the scope {', '.join(lacks)}",
        )
    excess = _all(asked.excess for asked in one.collections)
    if excess:
        source.warning(
            "W314",
            _at(source, "connection", "token", "oauth", "auth"),
            f"the login of {one.platform} may do more than the config needs",
            hint=f"not needed: {', '.join(excess)}",
            why="whoever gets hold of this login may do that too",
            fix="take these scopes from the app",
        )
    unheard = _all(asked.unheard for asked in one.collections)
    if unheard:
        source.warning(
            "W315",
            _at(source, "watch", "webhook"),
            f"{one.platform} sends no webhook for {', '.join(unheard)}",
            hint="no subscription points here",
            why="changes are seen only at the next poll or sweep",
            fix="subscribe to these topics there, or take them out of the config",
        )


def _all(parts: Iterable[tuple[str, ...]]) -> list[str]:
    return list(dict.fromkeys(name for part in parts for name in part))


def _clock(one: Found, source: Source, rules: Rules) -> None:
    """Note E312: a clock so far off that times prove nothing, where a rule compares times."""
    offset, unsure = one.clock
    if abs(offset) - unsure <= SLOW_CLOCK or not _compared(one.platform, rules):
        return
    ahead = "ahead of" if offset > 0 else "behind"
    source.error(
        "E312",
        _at(source, "connection"),
        f"the clock of {one.platform} is {abs(offset) / SECOND:.0f} s {ahead} ours",
        severity="warning",
        why="newest compares its times with others'; they are corrected by this offset as long as it stays",
        fix="have its clock set by NTP",
    )


def _compared(platform: str, rules: Rules) -> bool:
    """Return whether a rule compares a platform's times."""
    truths = [field.truth for entity in rules.entities.values() for field in entity.fields.values()]
    truths += [group.truth for entity in rules.entities.values() for group in entity.groups.values()]
    return any(platform in one.platforms for truth in truths if truth for one in _leaves(truth) if one.how == "newest")


def _leaves(truth: Truth) -> list[Truth]:
    return [leaf for branch in truth.branches for leaf in _leaves(branch.truth)] or [truth]


def _unseen(one: Found, asked: Asked, source: Source) -> None:
    """Warn of mapped paths that no thing has: perhaps a misspelling, perhaps a field that is rarely there."""
    for name, node in _maps(source, one.platform).items():
        path = node.text if isinstance(node, Scalar) else ""
        if path not in asked.unseen:
            continue
        source.warning(
            "W313",
            node,
            f"{one.platform} has shown no {path}",
            hint=f"in none of {asked.rows:,} {asked.name}",
            why=f"{name} would stay without a reading from {one.platform}",
            fix="correct the path, if it is not simply rare",
        )


def _maps(source: Source, platform: str) -> Mapping[str, Node]:
    """Return where each field's path on a platform stands."""
    fields = source.root.get("fields") if source.root else None
    found: dict[str, Node] = {}
    for name, entry in fields.entries.items() if isinstance(fields, Block) else ():
        places = entry.value.get("map") if isinstance(entry.value, Block) else None
        node = places.get(platform) if isinstance(places, Block) else None
        node = node.get("path") if isinstance(node, Block) else node
        if node is not None:
            found[name] = node
    return found


def _at(source: Source, *keys: str) -> Node:
    """Return the first of these keys that stands in the file (the later ones inside of the first), else its start."""
    root = source.root
    if root is not None and keys[0] in root.entries:
        inner = root.get(keys[0])
        deeper = next((key for key in keys[1:] if isinstance(inner, Block) and key in inner.entries), None)
        return inner.key(deeper) if isinstance(inner, Block) and deeper else root.key(keys[0])
    return Scalar(start_of(source), "", "", "", plain=True)
