"""Random rule graphs: what `check` accepts always comes to rest, and what was spoilt on purpose is refused.

`python -m tests.daemon.test_fixed_point SEED SECONDS` runs for long; the suite takes SYNCD_SEED and a share of SYNCD_PROGRAMS.
"""

import os
import sys
import time
from dataclasses import dataclass, field
from random import Random

import pytest

from syncd.config import meaning
from syncd.config.load import load_texts
from syncd.config.model import Loaded
from syncd.config.ruletest import Expect, Given, RuleTest
from syncd.connectors.registry import KINDS
from syncd.core.model import Native
from syncd.core.rules import At, Rules
from syncd.daemon.enact import Stage

SEED = int(os.environ.get("SYNCD_SEED", "1"))
COUNT = max(int(os.environ.get("SYNCD_PROGRAMS", "2000")) // 20, 100)
PLATFORMS = ("a", "b", "c")
MOST = 4  # rounds of writing and looking again until nothing is left to say
NOW = 1_790_000_000_000_000
HOUR = 3_600_000_000
PLATFORM = "platform: {}\nconnector: memory\nmode: {}\ncollections: {{items: {{id: id}}}}\n"
VALUES: dict[str, tuple[Native, ...]] = {
    "integer": (0, 1, 2, 7, 40, -3, None, "x", 2.5),
    "decimal(2)": ("0.01", "1.50", "7", "12.34", None, "abc", "1.234"),
    "string": ("Blue", "blue", " blue ", "x", "y", "", None, 5),
    "boolean": (True, False, None, "maybe"),
    "set(string)": (["r"], ["r", "s"], [], ["s", "t"], None),
    "date": ("2026-01-31", "2026-02-01", None, "soon"),
}
MERGES = {
    "integer": ("max", "min", "delta"),
    "decimal(2)": ("max", "min"),
    "string": ("longest",),
    "boolean": ("any", "all"),
    "set(string)": ("union", "intersection"),
    "date": ("earliest", "latest"),
}
CONSTANTS = {
    "integer": "3",
    "decimal(2)": '"1.00"',
    "string": "z",
    "boolean": "true",
    "set(string)": "[q]",
    "date": "2026-03-01",
}
GROWS = {"integer": "{} + 1", "decimal(2)": "round({} * 1.1, 2)", "string": '{} + "x"', "boolean": "not {}"}


@dataclass
class Made:
    """A field as made: its type and the platforms it is read from and written to."""

    name: str
    kind: str
    maps: dict[str, str] = field(default_factory=dict)  # platform -> direction


class Graph:
    """A random entity as text."""

    def __init__(self, random: Random) -> None:
        self.random = random
        names = [f"f{n}" for n in range(random.randint(1, 5))]
        self.fields = [Made(name, random.choice(list(VALUES)), self._maps()) for name in names]
        self.modes = {name: random.choice(("enforce", "enforce", "enforce", "propose", "observe")) for name in PLATFORMS}
        self.lines = [self._field(one) for one in self.fields]

    def _maps(self) -> dict[str, str]:
        chosen = self.random.sample(PLATFORMS, self.random.randint(1, 3))
        return {name: self.random.choice(("both", "both", "both", "in", "out")) for name in chosen}

    def _field(self, one: Made) -> str:
        maps = ", ".join(f"{name}: {{path: {one.name}, direction: {way}}}" for name, way in one.maps.items())
        extra = self.random.choice(("", "", "", ", stray_edits: keep", ", stray_edits: review", ", equal: casefold"))
        if "casefold" in extra and one.kind != "string":
            extra = ""
        return f"  {one.name}: {{type: {one.kind}, truth: {self._truth(one, 2)}, map: {{{maps}}}{extra}}}"

    def _truth(self, one: Made, depth: int) -> str:
        if depth == 2 and self.random.random() < 0.25:
            cases = [f"{{when: '{self._condition(one)}', {self._rule(one)}}}" for _ in range(self.random.randint(1, 2))]
            return f"[{', '.join([*cases, '{' + self._rule(one) + '}'])}]"
        return "{" + self._rule(one) + "}"

    def _rule(self, one: Made) -> str:
        heard = [name for name, way in one.maps.items() if way != "out"] or list(one.maps)
        some = self.random.sample(heard, self.random.randint(1, len(heard)))
        listed = ", ".join(some)
        rules = [f"owner: {some[0]}", f"owner: {some[0]}", f"priority: [{listed}]", f"newest: [{listed}], tie: [{listed}]"]
        rules += [f"merge: {self.random.choice(MERGES[one.kind])}, from: [{listed}]", f"const: {CONSTANTS[one.kind]}"]
        rules += [f"expr: '{self._formula(one)}'"] * 2
        rule = self.random.choice(rules)
        return rule + (self._options() if rule.split(":")[0] in ("owner", "priority", "newest") else "")

    def _options(self) -> str:
        words = ("if_null: clear", "if_null: next", "if_null: hold", "if_invalid: keep", "if_invalid: next", "if_stale: next")
        options = [f", {word}" for word in (*words, "freeze: {after_first: true}")]
        return self.random.choice(["", "", "", *options])

    def _name(self, one: Made) -> str:
        other = self.random.choice([made for made in self.fields if made.kind == one.kind])
        readable = [name for name, way in other.maps.items() if way != "out"]
        ways = [f"golden.{other.name}", f"{self.random.choice(list(other.maps))}.raw.{other.name}", f"{one.name[0]}.raw.x"]
        ways += [f"{name}.{other.name}" for name in readable]
        return self.random.choice(ways).replace("f.raw.x", f"{self.random.choice(PLATFORMS)}.raw.x")

    def _formula(self, one: Made) -> str:
        first, second = self._name(one), self._name(one)
        formulas = [f"coalesce({first}, {second})", first, f"{first} if {self._condition(one)} else {second}"]
        return self.random.choice([*formulas, GROWS.get(one.kind, "{}").format(first)])

    def _condition(self, one: Made) -> str:
        first, second = self._name(one), self._name(one)
        return self.random.choice((f"{first} != null", f"{first} == {second}", f"{first} == null"))

    def text(self) -> dict[str, str]:
        """Return the config folder."""
        head = f"entity: thing\nin: {{{', '.join(f'{name}: {{collection: items}}' for name in PLATFORMS)}}}\n"
        key = "  key: {type: string, truth: a, map: {a: key, b: key, c: key}}"
        body = f"{head}identity: {{key: key, match: [{{by: key}}]}}\nfields:\n" + "\n".join([key, *self.lines]) + "\n"
        files = {f"platforms/{name}.yaml": PLATFORM.format(name, mode) for name, mode in self.modes.items()}
        return {"syncd.yaml": "version: 1\n", "entities/thing.yaml": body, **files}


def read(text: dict[str, str]) -> Loaded:
    return load_texts("config", text, KINDS, environ={"HOME": "/h"})


def given_of(graph: Graph) -> tuple[Given, ...]:
    """Return what each platform says, some of them twice."""
    random, said = graph.random, []
    for name in [*PLATFORMS, *random.sample(PLATFORMS, 2)]:
        here = [one for one in graph.fields if name in one.maps and random.random() < 0.8]
        values = {one.name: random.choice(VALUES[one.kind]) for one in here}
        extra = {"x": random.choice((1, "x", None, True))} if random.random() < 0.5 else {}
        said.append(Given(name, {"key": "K", **values, **extra}, at=NOW - random.randint(1, 48) * HOUR))
    return tuple(said)


def rests(rules: Rules, graph: Graph) -> str | None:
    """Return what is still to be said after some rounds of writing and looking, None if nothing is."""
    stage = Stage(rules, RuleTest("random", "thing", At(), 0, given_of(graph), Expect(), now=NOW))
    stage.play(stage.test.given)
    left: list[str] = []
    for _ in range(MOST):
        told = [one for one in stage.told() if one.plan.write is not None]
        left = [f"{one.platform} {one.values}" for one in told]
        if not told:
            return None
        stage.deliver(told)
        for name in PLATFORMS:
            if stage.items[name] is not None:
                stage.look(name, NOW)
    return "; ".join(left)


def attempt(seed: str) -> tuple[bool, str | None, Graph]:
    """Return whether a random graph is accepted, and what of it does not come to rest."""
    graph = Graph(Random(seed))
    loaded = read(graph.text())
    if loaded.config is None:
        return False, None, graph
    return True, rests(loaded.config.rules, graph), graph


def test_what_is_accepted_comes_to_rest() -> None:
    accepted = 0
    for number in range(COUNT):
        good, left, graph = attempt(f"{SEED} {number}")
        accepted += good
        assert left is None, f"seed {SEED} {number}: {left}\n{graph.text()['entities/thing.yaml']}"
    assert accepted >= COUNT // 10, "too few random graphs are good: the test says little"


def test_without_the_look_at_the_whole_graph_some_never_rest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(meaning, "note_flips", lambda *_: None)
    assert any(attempt(f"control {number}")[1] is not None for number in range(2000))


# ---- spoilt on purpose

SPOILT = {
    "E224": "  s1: {type: integer, truth: {expr: golden.s2}}\n  s2: {type: integer, truth: {expr: golden.s1}}\n",
    "E227": "  s1: {type: integer, truth: {expr: b.raw.s + 1}, map: {b: s}}\n",
    "E208": "  s1: {type: integer, truth: a, map: {a: s, b: t}}\n  s2: {type: integer, truth: a, map: {a: u, b: t}}\n",
    "E221": "  s1: {type: integer, truth: [{when: a.raw.x == 1, owner: a}], map: {a: s, b: s}}\n",
    "E222": "  s1: {type: integer, truth: [{owner: a}, {owner: b}], map: {a: s, b: s}}\n",
    "E203": "  s1: {type: integer, truth: a, map: {b: s}}\n",
    "E225": "  s1: {type: integer, truth: {manual: true}, map: {b: {path: s, direction: out}}}\n",
    "E240": "  s1: {type: string, truth: a, map: {a: s, b: {path: s, read: [strip_zeros]}}}\n",
    "E232": "  s1: {type: integer, truth: {merge: union, from: [a, b]}, map: {a: s, b: s}}\n",
    "E210": "  s1: {type: integer, truth: {expr: a.nowhere}, map: {b: s}}\n",
}


@pytest.mark.parametrize("code", SPOILT)
def test_what_is_spoilt_is_refused(code: str) -> None:
    tried = 0
    for number in range(COUNT):
        graph = Graph(Random(f"{SEED} {code} {number}"))
        graph.modes = dict.fromkeys(PLATFORMS, "enforce")
        text = graph.text()
        if tried == 5 or read(text).config is None:
            continue
        tried += 1
        text["entities/thing.yaml"] += SPOILT[code]
        assert code in {one.code for one in read(text).errors}, text["entities/thing.yaml"]
    assert tried


def main() -> None:
    """Run random graphs for a while; print what does not come to rest."""
    seed, seconds = sys.argv[1], float(sys.argv[2])
    end, number, accepted = time.monotonic() + seconds, 0, 0
    while time.monotonic() < end:
        number += 1
        good, left, graph = attempt(f"{seed} {number}")
        accepted += good
        if left is not None:
            sys.stdout.write(f"seed {seed} {number}: {left}\n{graph.text()['entities/thing.yaml']}\n")
            break
    sys.stdout.write(f"{number} graphs, {accepted} accepted\n")


if __name__ == "__main__":
    main()
