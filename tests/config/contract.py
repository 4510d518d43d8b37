"""The contract's own page: its example and its ten mistakes, read from the page and never copied."""

import os
import re
from collections.abc import Mapping
from pathlib import Path

import pytest

SHARED = os.environ.get("SYNCD_SHARED")
HERE = pytest.mark.skipif(not SHARED, reason="SYNCD_SHARED is not set: the contract's pages are not here")


def page(name: str = "config.md") -> str:
    """Return a page of the contract: that of the config language."""
    assert SHARED
    return Path(SHARED, name).read_text(encoding="utf-8")


def files() -> dict[str, str]:
    """Return the files of the complete example by their path in the folder."""
    example = page().partition("\n## 2.")[2].partition("\n## 3.")[0]
    return dict(re.findall(r"`config/([\w/.]+)`\n\n```yaml\n(.*?)```", example, re.DOTALL))


def mistakes() -> dict[int, str]:
    """Return the blocks that the mistakes must print, by number."""
    found = re.findall(r"\*\*Mistake ([0-9]+)\..*?```text\n(.*?)\n```", page(), re.DOTALL)
    return {int(number): block for number, block in found}


def put(folder: Path, edits: Mapping[str, Mapping[int, str]] | None = None) -> Path:
    """Write the example into a folder, with some of its lines replaced."""
    for path, text in files().items():
        lines = text.split("\n")
        for number, line in (edits or {}).get(path, {}).items():
            lines[number - 1] = line
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text("\n".join(lines), encoding="utf-8")
    return folder
