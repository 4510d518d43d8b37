"""``syncd.yaml``: settings of the whole service."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from syncd.config import literals, places
from syncd.config.model import Address, Upkeep
from syncd.config.nodes import Block, Items, Node, Scalar, scalars
from syncd.config.plugins import Plugins
from syncd.config.safety import read_safety
from syncd.config.section import Section, root_of
from syncd.config.source import Source
from syncd.config.upkeep import read_upkeep
from syncd.core.model import SECOND
from syncd.core.rules import At, Safety

MODES = ("observe", "propose", "enforce")
STRAY = ("revert", "keep", "review")
KEYS = [
    *("version", "environment", "timezone", "ledger", "listen", "console", "defaults", "safety", "reconcile"),
    *("secrets_dir", "notify", "watch_config", "allow_plugins", "python"),
]


@dataclass(frozen=True, slots=True)
class Defaults:
    """What platforms and fields get that say nothing. ``mode_at`` is where the mode stands, empty if built in."""

    mode: str = "propose"
    mode_at: At = At()  # noqa: RUF009 - immutable
    stale_after: int = 1800 * SECOND
    stray_edits: str = "revert"
    if_null: str = "keep"


@dataclass(frozen=True, slots=True)
class Service:
    """The settings of ``syncd.yaml``, or the built-in ones. ``told`` is true if anybody is told of what waits."""

    ledger_path: Path
    state_dir: Path
    control: Path | None
    environment: str = "production"
    timezone: str = "UTC"
    secrets_dir: Path | None = None
    hooks: Address | None = Address("127.0.0.1", 8687)  # noqa: RUF009 - immutable
    console: Address | None = Address("127.0.0.1", 8686)  # noqa: RUF009 - immutable
    console_auth: str = "none"
    defaults: Defaults = Defaults()
    safety: Safety = Safety()  # noqa: RUF009 - immutable
    settle: int = 30 * SECOND
    told: bool = False
    upkeep: Upkeep = Upkeep()  # noqa: RUF009 - immutable
    allow_plugins: bool = False
    plugins: Plugins = field(default_factory=Plugins)


def built_in(environ: Mapping[str, str]) -> Service:
    """Return the settings without a ``syncd.yaml``."""
    state = places.state_directory(environ)
    return Service(state / "ledger.db", state, places.runtime_directory(environ) / "control.sock")


def read_service(source: Source, folder: str, environ: Mapping[str, str]) -> Service:
    """Return the settings of ``syncd.yaml``; what is wrong is noted and left as built in."""
    service, section = built_in(environ), root_of(source)
    if section is None:
        return service
    section.known(KEYS)
    _version(section)
    safety = read_safety(section.section("safety"), service.safety)
    _warn_only(section, safety)
    service = _listeners(section, folder, service)
    ledger, reconcile = section.section("ledger"), section.section("reconcile")
    return replace(
        service,
        environment=section.text("environment") or service.environment,
        timezone=_zone(section) or service.timezone,
        ledger_path=_ledger(ledger, folder) or service.ledger_path,
        secrets_dir=_path(section, "secrets_dir", folder),
        defaults=_defaults(section.section("defaults"), service.defaults),
        safety=safety,
        settle=_settle(reconcile, service.settle),
        told=_tells(section, "conflict_new"),
        allow_plugins=bool(section.flag("allow_plugins")),
        upkeep=read_upkeep(section, ledger, reconcile, folder=folder, state=service.state_dir),
    )


def _tells(section: Section, what: str) -> bool:
    """Return whether ``notify:`` tells anybody of it."""
    notify = section.block.get("notify")
    entries = notify.nodes if isinstance(notify, Items) else []
    events = [one.get("when") for one in entries if isinstance(one, Block)]
    return any(node.text == what for when in events for _, node in scalars(when))


def _version(section: Section) -> None:
    node = section.need("version")
    if isinstance(node, Scalar) and (type(node.value) is not int or node.value != 1):
        section.source.error(
            "E014",
            node,
            f"unknown version {node.raw}",
            hint="this syncd reads version 1",
            why="a config for another version may mean something else",
            fix="write  version: 1",
        )
    elif node is not None and not isinstance(node, Scalar):
        literals.wrong_type(section.source, node, "the number 1", fix="write  version: 1")


def _zone(section: Section) -> str | None:
    node = section.node("timezone")
    return literals.zone(section.source, node, "timezone") if node else None


def _path(section: Section, key: str, folder: str) -> Path | None:
    written = section.text(key)
    return places.resolve_path(folder, written) if written else None


def _ledger(ledger: Section | None, folder: str) -> Path | None:
    if ledger is None:
        return None
    ledger.known(["path", "keep_history", "backup"])
    return _path(ledger, "path", folder)


def _defaults(section: Section | None, built: Defaults) -> Defaults:
    if section is None:
        return built
    section.known(["mode", "stale_after", "stray_edits", "blanks"])
    mode, stale = section.word("mode", MODES), section.duration("stale_after")
    blanks = section.section("blanks")
    if_null = None
    if blanks:
        blanks.known(["if_null"])
        if_null = blanks.word("if_null", ("keep", "clear", "next", "hold"))
    return Defaults(
        mode or built.mode,
        section.source.at(section.block.key("mode")) if mode else built.mode_at,
        built.stale_after if stale is None else stale,
        section.word("stray_edits", STRAY) or built.stray_edits,
        if_null or built.if_null,
    )


def _settle(section: Section | None, built: int) -> int:
    if section is None:
        return built
    section.known(["settle", "schedule", "report"])
    settle = section.duration("settle")
    return built if settle is None else settle


def _warn_only(section: Section, safety: Safety) -> None:
    """Warn of a breaker that only warns while nobody hears it (W212)."""
    block = section.section("safety")
    if block and safety.on_trip == "warn" and not _tells(section, "breaker"):
        section.source.warning(
            "W212",
            block.block.key("on_trip"),
            "a tripped breaker only warns, and nobody is told",
            hint="writes would go on",
            fix="write  on_trip: pause",
        )


def _listeners(section: Section, folder: str, service: Service) -> Service:
    listen, console = section.section("listen"), section.section("console")
    auth, auth_line = _auth(console)
    if listen is None:
        return replace(service, console_auth=auth)
    listen.known(["hooks", "console", "control"])
    control = listen.text("control")
    service = replace(
        service,
        console_auth=auth,
        hooks=_address(listen, "hooks", service.hooks),
        console=_address(listen, "console", service.console),
        control=None if control == "none" else _path(listen, "control", folder) or service.control,
    )
    _not_open(listen, service.console, auth, auth_line)
    _not_shared(listen, service)
    return service


def _auth(console: Section | None) -> tuple[str, int]:
    """Return how people log in, and the line that says so (0 if none does)."""
    if console is None:
        return "none", 0
    console.known(["auth", "users_file"])
    node = console.node("auth")
    auth = console.word("auth", ("none", "password", "proxy")) or "none"
    if node is not None and auth != "none":
        fix = "to run it, write  auth: none     and listen on 127.0.0.1 only"
        console.source.promised(node, f'"auth: {auth}"', fix=fix)
    return auth, node.span.line if node else 0


def _address(section: Section, key: str, built: Address | None) -> Address | None:
    node = section.node(key)
    if node is None:
        return built
    if isinstance(node, Scalar) and node.text == "none":
        return None
    return parse_address(section.source, node, key) or built


def parse_address(source: Source, node: Node, key: str) -> Address | None:
    """Return the address of a listener; notes E011. IPv6 hosts stand in brackets."""
    found = re.fullmatch(r"(\[[0-9A-Fa-f:.]+\]|[^:\s\[\]]+):([0-9]{1,5})", node.text) if isinstance(node, Scalar) else None
    if found and int(found[2]) < 65536:
        return Address(found[1].strip("[]"), int(found[2]), source.at(node))
    if not isinstance(node, Scalar):
        literals.wrong_type(source, node, "HOST:PORT, or none")
        return None
    port = node.text.lstrip(":")
    guess = port if port.isdigit() and int(port) < 65536 else "8686"
    literals.bad_value(
        source,
        node,
        f'"{node.text}" is not an address to listen on',
        why="a listener has a host and a port",
        fix=f"write  {key}: 127.0.0.1:{guess}     (none switches it off, port 0 takes a free one)",
    )
    return None


def is_loopback(host: str) -> bool:
    """Return whether only this machine can reach a host's listeners."""
    return host in places.HOSTS or re.fullmatch(r"127(\.[0-9]{1,3}){3}", host) is not None


def _not_open(listen: Section, console: Address | None, auth: str, auth_line: int) -> None:
    """Note E051: the console open to the network, without a login."""
    node = listen.node("console")
    if node is None or console is None or is_loopback(console.host) or auth != "none":
        return
    port = console.port
    where = f" (line {auth_line})" if auth_line else ""
    listen.source.error(
        "E051",
        node,
        "console open to the network, no login",
        why=f"auth is none{where}: anyone who reaches this port could read and approve writes",
        fix="console: {auth: password}  then  syncd users add NAME     or\n"
        "console: {auth: proxy}     behind your own single sign-on   or\n"
        f"listen on 127.0.0.1:{port}   and use  ssh -L {port}:127.0.0.1:{port} HOST",
    )


def _not_shared(listen: Section, service: Service) -> None:
    """Note one port for both listeners: the hooks' may stand behind a public proxy, the console's must not."""
    hooks, console, node = service.hooks, service.console, listen.node("console") or listen.node("hooks")
    if node is None or not hooks or not console or hooks.port == 0 or hooks.port != console.port:
        return
    literals.bad_value(
        listen.source,
        node,
        f"hooks and console share port {hooks.port}",
        why="whoever may send webhooks could then reach the console",
        fix=f"write  console: 127.0.0.1:{hooks.port - 1}",
    )
