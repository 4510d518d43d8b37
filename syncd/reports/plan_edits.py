"""Which lines of the config differ between two sets of its texts, said in words: what a rule was, and what it is now."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from syncd.config.folder import SERVICE, shown
from syncd.config.nodes import Block, Items, Node, Scalar, plain
from syncd.config.source import Source
from syncd.config.yaml import parse

NOT_THERE = "(not there)"
RULES = ("owner", "priority", "newest", "merge", "expr", "const", "manual")
WHOLE = {"truth", "propose", "fields", "connection", "auth"}  # said as one, however deep


def edits_of(folder: str, old: Mapping[str, str], new: Mapping[str, str]) -> list[dict[str, Any]]:
    """Return what differs: ``{file, line, what, before, after}``, in file order. Rule tests decide nothing and are left out."""
    found = []
    for path in sorted({*old, *new}, key=lambda one: (one != SERVICE, one)):
        if old.get(path) != new.get(path) and not path.startswith("tests/"):
            before, after = (root_of(folder, path, texts) for texts in (old, new))
            for trail, was, now, line in differences(before, after, (), 1):
                words = {"before": said(was, trail), "after": said(now, trail)}
                found.append({"file": shown(folder, path), "line": line, "what": name_of(path, trail)} | words)
    return found


def root_of(folder: str, path: str, texts: Mapping[str, str]) -> Block | None:
    """Return a file's tree, None if it is not there or is no mapping."""
    if path not in texts:
        return None
    source = Source(shown(folder, path), path, texts[path])
    parse(source, {})
    return source.root


Trail = tuple[str, ...]
Difference = tuple[Trail, Node | None, Node | None, int]


def differences(old: Node | None, new: Node | None, trail: Trail, line: int) -> Iterator[Difference]:
    """Yield every smallest part that says something else, with the line where it stands now."""
    if plain(old) == plain(new) and (old is None) == (new is None):
        return
    if not (isinstance(old, Block) and isinstance(new, Block)) or (trail and trail[-1] in WHOLE - {"fields"}):
        yield trail, old, new, new.span.line if new is not None else line
        return
    for key in dict.fromkeys((*new.entries, *old.entries)):
        place = new.entries[key].key.span.line if key in new.entries else line
        yield from differences(old.get(key), new.get(key), (*trail, key), place)


def name_of(path: str, trail: Trail) -> str:
    """Return what a part of a file is about: ``product.tags``, ``product.tags map shop``, ``shop mode``."""
    stem = path.rpartition("/")[2].removesuffix(".yaml")
    owner = "" if path == SERVICE else stem
    rest = list(trail)
    if len(rest) > 1 and rest[0] in ("fields", "groups") and path.startswith("entities/"):
        owner, rest = f"{stem}.{rest[1]}", rest[2:]
    if rest == ["truth"]:
        rest = []
    return " ".join(one for one in (owner, *rest) if one) or stem


# ---- words


def said(node: Node | None, trail: Trail) -> str:
    """Return a part in words: a rule as people say it, anything else as it is written."""
    if node is None:
        return NOT_THERE
    if trail and trail[-1] in ("truth", "propose"):
        return rule(node)
    if len(trail) == 2 and trail[0] in ("fields", "groups") and isinstance(node, Block):
        truth = node.get("truth")
        return ", ".join(one for one in (words(node.get("type")), rule(truth) if truth else "") if one)
    return words(node)


def rule(node: Node) -> str:
    """Return a truth rule in words: ``owner sap``, ``merge union [shopify, sanity]``, ``when ...: owner a; else owner b``."""
    if isinstance(node, Scalar):
        return f"owner {node.text}"
    if isinstance(node, Items):
        return "; ".join(case(one) for one in node.nodes)
    kind = next((name for name in RULES if name in node.entries), "")
    parts = [strategy(node, kind)] if kind else []
    parts += [option(key, entry.value) for key, entry in node.entries.items() if key not in (kind, "from", "when")]
    return ", ".join(parts)


def case(node: Node) -> str:
    """Return one case of a rule."""
    condition = node.get("when") if isinstance(node, Block) else None
    return f"when {words(condition)}: {rule(node)}" if condition else f"else {rule(node)}"


def strategy(node: Block, kind: str) -> str:
    """Return the rule itself, without its options."""
    value = node.entries[kind].value
    if kind == "merge":
        return f"merge {words(value)} {words(node.get('from'))}".rstrip()
    return "manual" if kind == "manual" else f"{kind} {words(value)}"


def option(key: str, node: Node) -> str:
    """Return one option of a rule."""
    return f"propose {rule(node)}" if key == "propose" else f"{key} {words(node)}"


def words(node: Node | None) -> str:
    """Return a value as it can be said on one line."""
    if isinstance(node, Scalar):
        return node.text
    if isinstance(node, Items):
        return f"[{', '.join(words(one) for one in node.nodes)}]"
    if isinstance(node, Block):
        return ", ".join(f"{key} {words(entry.value)}" for key, entry in node.entries.items())
    return ""


# ---- where a limit stands


def limit_place(folder: str, texts: Mapping[str, str], entity: str, kind: str) -> tuple[str, int] | None:
    """Return file and line of a breaker's figures: the entity's own, else the service's; None where they are built in."""
    for path in (f"entities/{entity}.yaml", SERVICE):
        root = root_of(folder, path, texts)
        safety = root.get("safety") if root else None
        if isinstance(safety, Block) and kind in safety.entries:
            return shown(folder, path), safety.key(kind).span.line
    return None


def lines_in_words(edits: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return the edits for a log: ``config/entities/product.yaml:69 product.tags: merge union [a, b] -> owner a``."""
    return [f"{one['file']}:{one['line']} {one['what']}: {one['before']} -> {one['after']}" for one in edits]
