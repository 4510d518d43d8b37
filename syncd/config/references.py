"""``secret:NAME`` in the config: is each one there, and where? (W031, W032)"""

from collections.abc import Sequence

from syncd.config.folder import SERVICE
from syncd.config.nodes import Scalar, scalars
from syncd.config.secrets import NAME, Secrets, reference
from syncd.config.source import Source


def check_references(sources: Sequence[Source], secrets: Secrets) -> None:
    """Warn of each secret of these files that is not there or comes from the environment, where it is first named."""
    told: set[str] = set()
    for source in sources:
        for _, node in scalars(source.root):
            name = reference(node.text)
            if name is not None and name not in told:
                told.add(name)
                _check(source, node, name, secrets)


def _check(source: Source, node: Scalar, name: str, secrets: Secrets) -> None:
    if not NAME.fullmatch(name):
        source.error(
            "E011",
            node,
            f'"{name}" is no name for a secret',
            why="a secret is a file of that name",
            fix='write  secret:NAME     (letters, digits, "-", "_" and ".")',
        )
        return
    found = secrets.find(name)
    if found.source == "none":
        source.warning(
            "W032",
            node,
            f"no secret {name}",
            hint=_reason(found.place),
            why=f"{'nobody is told' if source.path == SERVICE else 'this platform is down'} until the secret is there",
            fix=f"{'' if secrets.folder else 'add  secrets_dir: secrets  to syncd.yaml, then  '}syncd secrets set {name}",
        )
    elif found.source == "environment":
        source.warning(
            "W031",
            node,
            f"secret {name} comes from the environment",
            hint=found.place,
            why="every child process and a look at /proc can read it",
            fix=f"syncd secrets set {name}     or a systemd credential",
        )


def _reason(place: str) -> str:
    return place if place.startswith("/") else ""
