"""``tests/*.yaml``: rule tests. This version reads them for their form only; it has no command that runs them."""

from collections.abc import Sequence

from syncd.config import literals
from syncd.config.section import root_of
from syncd.config.source import Source
from syncd.config.suggest import did_you_mean

KEYS = ["entity", "tests"]


def read_tests(source: Source, entities: Sequence[str]) -> int | None:
    """Return how many tests a file has, None if it could not be read."""
    section = root_of(source)
    if section is None:
        return None
    section.known(KEYS)
    node = section.need("entity")
    name = literals.text(source, node, "entity") if node is not None else None
    if node is not None and name is not None and name not in entities:
        source.error(
            "E011",
            node,
            f'no entity called "{name}"',
            hint=did_you_mean(name, entities),
            why="these tests would test nothing",
            fix=f"use one of: {', '.join(entities)}" if entities else "add a file to entities/",
        )
    section.need("tests")
    return len(section.list("tests"))
