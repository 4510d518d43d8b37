"""What rules, platforms and each other's options mean together: errors of meaning (E2xx) and warnings (W2xx)."""

from syncd.config.identity import Identity
from syncd.config.scene import Scene
from syncd.config.section import Section
from syncd.core.rules import Entity


def check_meaning(scene: Scene, entity: Entity | None, identity: Identity | None, section: Section) -> None:
    pass
