"""What a reload cannot change: settings that are open files and sockets (E060)."""

from syncd.config.diagnostics import Diagnostic
from syncd.config.folder import SERVICE, shown
from syncd.config.model import Address, Config
from syncd.config.nodes import Block, Node
from syncd.config.source import Source, start_of
from syncd.config.yaml import parse


def needs_restart(old: Config, new: Config) -> list[Diagnostic]:
    """Return a finding for each setting that differs and is in force only after a restart; none means: reload is safe."""
    source = Source(shown(new.folder, SERVICE), SERVICE, new.texts.get(SERVICE, ""))
    parse(source, {})
    source.found = []  # told when it was loaded
    for path, before, after in _settings(old, new):
        if before != after:
            source.error(
                "E060",
                _node(source, path) or start_of(source),
                f"{'.'.join(path)} cannot change while syncd runs",
                hint=f"it is {before}",
                why="the file or socket is open: a change would leave half of syncd on the old one",
                fix=f"restart syncd, or write  {path[-1]}: {before}  again",
            )
    return source.found


def _settings(old: Config, new: Config) -> list[tuple[tuple[str, ...], str, str]]:
    return [
        (("ledger", "path"), str(old.ledger_path), str(new.ledger_path)),
        (("listen", "hooks"), _address(old.hooks), _address(new.hooks)),
        (("listen", "console"), _address(old.console), _address(new.console)),
        (("listen", "control"), str(old.control or "none"), str(new.control or "none")),
    ]


def _address(address: Address | None) -> str:
    return str(address) if address else "none"


def _node(source: Source, path: tuple[str, ...]) -> Node | None:
    node: Node | None = source.root
    for key in path:
        node = node.get(key) if isinstance(node, Block) else None
    return node
