"""Did you mean: the names that are two slips of the finger away, or have the same letters."""

from collections.abc import Iterable

MOST = 2  # suggestions


def distance(one: str, other: str) -> int:
    """Return the edit distance of two words: letters added, left out or changed."""
    row = list(range(len(other) + 1))
    for i, a in enumerate(one, 1):
        before, row[0] = row[0], i
        for j, b in enumerate(other, 1):
            before, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, before + (a != b))
    return row[-1]


def near(word: str, names: Iterable[str]) -> list[str]:
    """Return the names that a misspelt word may mean, the nearest first, at most two."""
    ranked: list[tuple[int, int, str]] = []
    for n, name in enumerate(dict.fromkeys(names)):
        one, other = word.casefold(), name.casefold()
        if abs(len(one) - len(other)) > 2:
            continue
        away = distance(one, other)
        same_letters = sorted(one) == sorted(other)
        if same_letters or (away <= 2 and away < max(len(one), len(other))):
            ranked.append((away, n, name))
    return [name for _, _, name in sorted(ranked)[:MOST]]


def did_you_mean(word: str, names: Iterable[str]) -> str:
    """Return ``did you mean "a"?``, or ``did you mean "a" or "b"?``, or nothing."""
    found = " or ".join(f'"{name}"' for name in near(word, names))
    return f"did you mean {found}?" if found else ""
