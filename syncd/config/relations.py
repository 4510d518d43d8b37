"""References between entities, seen from all of them: the entity is there (E229), and lives where its children are (E233)."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from syncd.config.drafts import PlatformDraft
from syncd.config.nodes import Block, Items, Node, Scalar
from syncd.config.scene import FieldDraft, Scene
from syncd.config.suggest import did_you_mean
from syncd.core.references import references
from syncd.core.reftypes import Ref
from syncd.core.rules import Entity, Member
from syncd.core.transforms import Step


def check_relations(scenes: Sequence[Scene]) -> None:
    """Note E229 for a reference to no entity, E233 for one that cannot be followed."""
    entities = {scene.name: scene for scene in scenes}
    for scene in scenes:
        for field in scene.fields.values():
            if isinstance(field.type, Ref):
                _target(scene, field, field.type, entities)
            _steps(scene, field)
        _keys(scene)


def _keys(scene: Scene) -> None:
    """Note E233 for a match key that is a reference: its parent may become a record only after the child is looked for."""
    identity = scene.source.root.get("identity") if scene.source.root else None
    match = identity.get("match") if isinstance(identity, Block) else None
    keys = [one.get("by") for one in match.nodes if isinstance(one, Block)] if isinstance(match, Items) else []
    keys += [identity.get("key")] if isinstance(identity, Block) else []
    for node in [each for key in keys for each in (key.nodes if isinstance(key, Items) else [key])]:
        field = scene.fields.get(node.text) if isinstance(node, Scalar) else None
        if field is None or not isinstance(field.type, Ref) or node is None:
            continue
        scene.source.error(
            "E233",
            node,
            f"{field.name} is a reference, and no record is known by one",
            hint=field.type.name,
            why=f"another {scene.name} would be looked for each time a {field.type.entity} becomes a record or is united",
            fix=f"use a field that the platforms themselves show, such as the {field.type.entity}'s own code as a string",
        )


def _target(scene: Scene, field: FieldDraft, kind: Ref, entities: Mapping[str, Scene]) -> None:
    target = entities.get(kind.entity)
    if target is None:
        scene.source.error(
            "E229",
            node_of(scene, field, "type") or field.key,
            f'no entity called "{kind.entity}"',
            hint=did_you_mean(kind.entity, entities),
            why=f"{field.name} would wait for ever for a {kind.entity} to become a record",
            fix=f"use one of: {', '.join(sorted(entities))}",
        )
        return
    for platform, place in field.maps.items():
        if platform not in target.parts and (place.direction != "out" or scene.mode(platform) != "observe"):
            scene.source.error(
                "E233",
                field.map_nodes[platform],
                f"{kind.entity} does not live on {platform}",
                hint=f"not in the in: of {kind.entity}",
                why=f"an id there could never be known as a {kind.entity}, nor be written",
                fix=f"add  {platform}: {{collection: NAME}}  to in: of {target.source.file}, or do not map {field.name} there",
            )


def _steps(scene: Scene, field: FieldDraft) -> None:
    """Note E233 for a step ``ref(X)`` in a field that is no reference to X."""
    for platform, place in field.maps.items():
        for step in (*place.read, *place.write):
            if not isinstance(step, Step) or step.verb != "ref":
                continue
            if not isinstance(field.type, Ref) or field.type.entity != step.args[0]:
                scene.source.error(
                    "E233",
                    field.map_nodes[platform],
                    f"{step.name} in a field that is no reference to {step.args[0]}",
                    why="the type of the field says what an id becomes: a record of that entity",
                    fix=f"write  type: {step.name}     or leave the step out",
                )


def node_of(scene: Scene, field: FieldDraft, key: str) -> Node | None:
    """Return the value of a field's key."""
    node: Node | None = scene.source.root
    for name in ("fields", field.name, key):
        node = node.get(name) if isinstance(node, Block) else None
    return node


def with_ids(entities: Mapping[str, Entity], drafts: Mapping[str, PlatformDraft]) -> dict[str, Entity]:
    """Return the entities; those that others refer to remember each thing's id as its platform shows it, to write it so."""
    wanted = {target for entity in entities.values() for target in references(entity).values()}
    return {name: identified(entity, drafts) if name in wanted else entity for name, entity in entities.items()}


def identified(entity: Entity, drafts: Mapping[str, PlatformDraft]) -> Entity:
    """Return an entity whose members know where a thing shows its own id; a topic shows none."""
    members = {}
    for name, member in entity.members.items():
        path = getattr(drafts[name].collections[member.collection].options, "id", None)
        members[name] = remembering(member, path) if isinstance(path, str) and path else member
    return replace(entity, members=members)


def remembering(member: Member, path: str) -> Member:
    """Return a member that keeps what stands at a path."""
    return replace(member, id_path=path, raws=tuple(dict.fromkeys([*member.raws, path])))
