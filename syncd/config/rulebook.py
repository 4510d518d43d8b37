"""The rules of one entity out of texts, without any connector: what explaining a record needs, and quick to start.

Abilities of platforms are those built in. An entity whose file has errors has no rules here; ``check`` tells what is wrong.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from syncd.config import places
from syncd.config.drafts import PlatformDraft
from syncd.config.entity import read_entity
from syncd.config.folder import SERVICE, sources_of
from syncd.config.nodes import Block, Node
from syncd.config.platform import name_of, read_platform
from syncd.config.scene import Evidence
from syncd.config.service import built_in, read_service
from syncd.config.source import Source
from syncd.config.yaml import parse
from syncd.core.rules import Entity
from syncd.errors import ConfigError, UsageError


def read_rules(folder: str, texts: Mapping[str, str], name: str, environ: Mapping[str, str]) -> Entity | None:
    """Return an entity with its rules from the texts of a config by path; None if its file has errors, or is not there."""
    sources, source = _parsed(folder, texts, name, environ)
    return None if source is None else _entity(folder, sources, source, environ)


def read_other(folder: str, texts: Mapping[str, str], name: str, field: str, rule: str, environ: Mapping[str, str]) -> Entity:
    """Return an entity in which a field (or its group) has another rule, as written in one line: ``sap``, ``{newest: [a, b]}``.

    Raises UsageError for a rule that does not fit, with what is wrong; ConfigError if the config itself has errors.
    """
    if read_rules(folder, texts, name, environ) is None:
        raise ConfigError(f"the rules of {name} have errors: syncd check")
    sources, source = _parsed(folder, texts, name, environ)
    assert source is not None
    assert source.root is not None
    body = _body(source.root, field)
    entry = body.entries["truth"]
    body.entries["truth"] = replace(entry, value=_written(rule, environ))
    found = _entity(folder, sources, source, environ)
    if found is None:
        wrong = next(one for one in source.found if one.severity == "error")
        raise UsageError("\n".join(filter(None, (f"--what-if {rule}: {wrong.message}", wrong.hint, wrong.why, wrong.fix))))
    return found


def _parsed(
    folder: str, texts: Mapping[str, str], name: str, environ: Mapping[str, str]
) -> tuple[Sequence[Source], Source | None]:
    """Return the parsed files that one entity depends on, and its own."""
    path, variables = f"entities/{name}.yaml", places.variables(environ)
    wanted = {one: text for one, text in texts.items() if one in (SERVICE, path) or one.startswith("platforms/")}
    sources = sources_of(folder, wanted)
    for source in sources:
        parse(source, variables)
    return sources, next((source for source in sources if source.path == path), None)


def _entity(folder: str, sources: Sequence[Source], source: Source, environ: Mapping[str, str]) -> Entity | None:
    service = next((one for one in sources if one.path == SERVICE), None)
    settings = read_service(service, folder, environ) if service else built_in(environ)
    drafts: dict[str, PlatformDraft] = {
        name_of(one): read_platform(one, {}) for one in sources if one.path.startswith("platforms/")
    }
    return None if source.failed else read_entity(source, settings, drafts, Evidence())[1]


def _body(root: Block, field: str) -> Block:
    """Return the block that has the field's rule: its own, or its group's."""
    fields, groups = root.get("fields"), root.get("groups")
    body = fields.get(field) if isinstance(fields, Block) else None
    assert isinstance(body, Block)
    group = body.get("group")
    if "truth" not in body.entries and isinstance(groups, Block) and group is not None:
        found = groups.get(getattr(group, "text", ""))
        assert isinstance(found, Block)
        return found
    return body


def _written(rule: str, environ: Mapping[str, str]) -> Node:
    """Return a rule written in one line as the node it is; raises UsageError if it is no YAML."""
    source = Source("--what-if", "what-if", f"truth: {rule}\n")
    parse(source, places.variables(environ))
    node = source.root.get("truth") if source.root else None
    if source.failed or node is None:
        said = source.found[0].message if source.found else "it is empty"
        raise UsageError(f"--what-if {rule}: {said}\nwrite a rule as in truth: of the config, such as  {{newest: [sap, shop]}}")
    return node
