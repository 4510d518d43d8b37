"""The files of a config folder: which there are, their texts, and the short name of that state."""

import hashlib
from collections.abc import Mapping
from pathlib import Path

from syncd.config.nodes import Span
from syncd.config.source import Source
from syncd.config.suggest import near

SERVICE = "syncd.yaml"
PARTS = ("platforms", "entities", "tests")
ONE_OF = {"platform": "platforms", "entity": "entities", "test": "tests"}  # folders that are surely meant


def read_folder(folder: str) -> list[Source]:
    """Return every file of the folder, in the order of reports. What cannot be read is noted in its source."""
    root = Path(folder)
    paths = [root / SERVICE] if (root / SERVICE).is_file() else []
    for part in PARTS:
        paths += sorted(path for path in (root / part).glob("*.yaml") if not path.name.startswith("."))
    plugins = [path for path in sorted((root / "plugins").glob("*.py")) if path.resolve().is_relative_to(root.resolve())]
    return [*(_source(folder, path) for path in (*paths, *plugins)), *_not_read(folder)]


def sources_of(folder: str, texts: Mapping[str, str]) -> list[Source]:
    """Return the files of a config kept elsewhere as texts by path, as if they stood in the folder."""
    rank = {part: n for n, part in enumerate((SERVICE, *PARTS))}
    ordered = sorted(texts, key=lambda path: (rank.get(path.split("/")[0], len(rank)), path))
    return [Source(shown(folder, path), path, texts[path]) for path in ordered]


def sha_of(texts: Mapping[str, str]) -> str:
    """Return the first seven hex digits of SHA-256 over the sorted (path, content) of the files."""
    digest = hashlib.sha256()
    for path in sorted(texts):
        digest.update(f"{path}\0{texts[path]}\0".encode("utf-8", "surrogateescape"))
    return digest.hexdigest()[:7]


def shown(folder: str, path: str) -> str:
    """Return a file as messages name it: the folder as it was given plus the path inside."""
    return f"{folder.rstrip('/')}/{path}"


def _source(folder: str, path: Path) -> Source:
    inside = path.relative_to(folder).as_posix()
    try:
        content = path.read_bytes()
    except OSError as error:
        source = Source(shown(folder, inside), inside, "")
        source.error("E001", Span(1, 1, 2), f"not read: {error.strerror}", fix="let the user that runs syncd read it")
        return source
    return _decoded(shown(folder, inside), inside, content)


def _decoded(file: str, inside: str, content: bytes) -> Source:
    try:
        return Source(file, inside, content.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        text = content.decode("utf-8", "surrogateescape")
        source = Source(file, inside, text)
        before = content[: error.start].decode("utf-8")
        line, col = before.count("\n") + 1, len(before) - (before.rfind("\n") + 1) + 1
        byte = content[error.start]
        source.error(
            "E001",
            Span(line, col, col + 1),
            f"not YAML: not UTF-8 (byte 0x{byte:02X})",
            why="letters beyond ASCII would come out as others",
            fix="save the file as UTF-8",
        )
        return source


def _not_read(folder: str) -> list[Source]:
    """Return the files that look like config but would be ignored, each with what to call it (E020)."""
    root = Path(folder)
    strays: list[tuple[Path, tuple[str, ...]]] = [(path, PARTS) for path in sorted(root.glob("*.y*ml")) if path.name != SERVICE]
    for part in PARTS:
        strays += [(path, (part,)) for path in sorted((root / part).glob("*.yml"))]
        strays += [(path, (part,)) for path in sorted((root / part).glob("*/*.y*ml"))]
    for sub in sorted(root.iterdir()) if root.is_dir() else ():
        meant = (ONE_OF[sub.name],) if sub.name in ONE_OF else tuple(near(sub.name, PARTS))
        if sub.is_dir() and sub.name not in PARTS and meant:
            strays += [(path, meant) for path in sorted(sub.glob("*.y*ml"))]
    return [_stray(folder, path, parts) for path, parts in strays]


def _stray(folder: str, path: Path, parts: tuple[str, ...]) -> Source:
    inside = path.relative_to(folder).as_posix()
    source = Source(shown(folder, inside), inside, "")
    name = SERVICE if path.stem == "syncd" else f"{' or '.join(f'{part}/' for part in parts)}{path.stem}.yaml"
    source.error(
        "E020",
        Span(1, 1, 2),
        "this file would not be read",
        why=f"syncd reads {SERVICE} and the .yaml files in platforms/, entities/ and tests/; the rest would be ignored",
        fix=f"call it {name}, or move it out of the folder",
    )
    return source
