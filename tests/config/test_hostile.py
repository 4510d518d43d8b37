"""Whatever stands in the files: loading ends, raises nothing, and every finding has a place that exists."""

import random
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from syncd.config.load import load_texts
from tests.config.folders import EXAMPLE, SMALL
from tests.config.kinds import KINDS

WORDS = [
    "truth",
    "map",
    "in",
    "~",
    "true",
    "1.10",
    "[",
    "]",
    "{",
    "}",
    ":",
    "- ",
    "\t",
    '"',
    "'",
    "|",
    "&a",
    "*a",
    "!t",
    "${X}",
    "#",
    "\n",
]
WORDS += ["secret:", "%", "\r\n", "\u2028", "é", "\x00", "? ", "<<: ", "--- \n", "0x", "10", "erp", "sku", ", "]


def texts_of(folder: Path) -> dict[str, str]:
    return {path.relative_to(folder).as_posix(): path.read_text(encoding="utf-8") for path in sorted(folder.rglob("*.yaml"))}


def check(texts: dict[str, str]) -> None:
    found = load_texts("config", texts, KINDS, environ={"HOME": "/h"})
    for one in found.diagnostics:
        path = one.file.removeprefix("config/")
        lines = texts[path].splitlines() or [""]
        assert 1 <= one.line <= max(len(lines) + 1, texts[path].count("\n") + 1, texts[path].count("\r") + 1)
        assert 1 <= one.col < one.end_col
        assert one.text().startswith(f"{one.file}:{one.line}:{one.col}: {one.severity} {one.code}: ")
        assert one.message
        assert "None" not in one.text()
    assert (found.config is None) == bool(found.errors)


@pytest.mark.parametrize("seed", range(60))
def test_small_damage_anywhere(seed: int) -> None:
    chance = random.Random(seed)
    texts = dict(SMALL) if seed % 3 else texts_of(EXAMPLE)
    for _ in range(chance.randint(1, 3)):
        path = chance.choice(sorted(texts))
        text = texts[path]
        at = chance.randrange(len(text) + 1)
        until = min(len(text), at + chance.choice([0, 0, 1, 2, 5, 30]))
        texts[path] = text[:at] + "".join(chance.choices(WORDS, k=chance.randint(0, 3))) + text[until:]
    check(texts)


@pytest.mark.parametrize("seed", range(60))
def test_any_value_in_any_place(seed: int) -> None:
    chance = random.Random(seed)
    texts = dict(SMALL) if seed % 2 else texts_of(EXAMPLE)
    path = chance.choice(sorted(texts))
    lines = texts[path].split("\n")
    places = [n for n, line in enumerate(lines) if ":" in line and not line.lstrip().startswith("#")]
    for n in chance.sample(places, k=min(2, len(places))):
        head = lines[n].partition(":")[0]
        values = [
            "",
            "~",
            "5",
            "1.10",
            "true",
            "[]",
            "{}",
            "[1]",
            "{a: 1}",
            "x",
            "'x'",
            "[[]]",
            "{a: {b: []}}",
            "secret:x",
            "{erp: ~}",
        ]
        lines[n] = f"{head}: {chance.choice(values)}"
    texts[path] = "\n".join(lines)
    check(texts)


@settings(max_examples=80, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(st.sampled_from(WORDS), max_size=12).map("".join), st.sampled_from(sorted(SMALL)))
def test_any_text_as_a_file(text: str, path: str) -> None:
    check(SMALL | {path: text})
