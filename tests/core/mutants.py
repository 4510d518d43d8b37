"""Mutants of the core: is every small fault in it caught by the tables, the timelines or the random programs?

``python -m tests.core.mutants [SECONDS [SEED [MODULE...]]]`` makes mutants in an order drawn from the seed until the time is
over and prints ``killed`` or ``SURVIVED`` with file, line and fault, and the score. Nothing is written into the tree: each
mutant is a process of its own, in which the import of one module gives the mutated one.
"""

import ast
import importlib.abc
import importlib.machinery
import os
import resource
import signal
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from random import Random
from types import CodeType, ModuleType
from typing import NamedTuple

import hypothesis  # noqa: F401 - so that no mutant needs to import it again
import pytest

from tests.core.equivalent import EQUIVALENT
from tests.core.mutations import ROOT, Mutation, mutated, mutations, source_of

TESTS = {  # the tests of a module first, as far as they are not called as it is
    "bounds": ("scope",),
    "case": ("truth", "cases"),
    "computed": ("formula", "cases"),
    "conclude": ("resolve", "decide"),
    "conditions": ("scope", "checks"),
    "depart": ("decide", "merged"),
    "dependencies": ("formula", "cases", "freeze"),
    "folds": ("absorb", "cases"),
    "force": ("freeze", "cases"),
    "held": ("plan", "freeze"),
    "inputs": ("rederive",),
    "life": ("decide", "scope"),
    "native": ("values", "mapping"),
    "news": ("decide", "absorb"),
    "operands": ("expression", "expression_edges", "formula"),
    "spelling": ("receipt",),
    "split": ("unite",),
    "subject": ("truth", "resolve"),
    "views": ("formula", "scope"),
}
NAMED_ALIKE = (
    *("absorb", "decide", "doubt", "drift", "identity", "merged", "plan", "receipt", "recency", "resolve", "truth", "unite"),
    *("equality", "checks", "mapping", "values"),
)
MODULES = (*TESTS, *NAMED_ALIKE)
TABLES = ("resolve", "truth", "plan", "decide", "absorb", "receipt", "cases", "freeze", "formula", "scope", "recency", "drift")
OPTIONS = ("-x", "-q", "-p", "no:cacheprovider", "-p", "no:xdist", "-W", "ignore::pytest.PytestAssertRewriteWarning")
PROGRAMS = "120"
CONTROL = "(nothing)"  # a mutant without a fault: it must survive
NO_TEST = "no test"  # it is not a test that failed: the hunt itself is broken
SECONDS = 90  # of processor time, more than which is a loop
MEMORY = 2 << 30


class Fate(NamedTuple):
    """What became of a mutant: ``by`` is the test that failed, '' if it survived."""

    mutation: Mutation
    by: str


# ---- one mutant


class Mutated(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Gives one module mutated."""

    def __init__(self, name: str, tree: ast.Module) -> None:
        self.name, self.tree = name, tree

    def find_spec(self, name: str, _path: object = None, _target: object = None) -> importlib.machinery.ModuleSpec | None:
        return importlib.machinery.ModuleSpec(name, self) if name == self.name else None

    def exec_module(self, module: ModuleType) -> None:
        code: CodeType = compile(self.tree, f"<mutant of {self.name}>", "exec")
        exec(code, module.__dict__)


class FirstFailure:
    """Remembers the first test that failed."""

    def __init__(self) -> None:
        self.name = ""

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.failed:
            self.name = self.name or report.nodeid

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        if report.failed:
            self.name = self.name or f"{report.nodeid} (cannot be imported)"


def rounds(module: str) -> Iterator[list[str]]:
    """Yield the files of tests, those first that are near to the module."""
    first = [name for name in TESTS.get(module, (module,)) if (ROOT / f"tests/core/test_{name}.py").exists()]
    yield first
    yield ["timelines", *(name for name in TABLES if name not in first)]
    yield ["laws_mixed", "laws", "rederive"]


def run(mutation: Mutation, programs: str) -> str:
    """Run the tests against a mutant in this process; return the one that failed, ''."""
    sys.dont_write_bytecode = True
    tree = mutated(mutation) if mutation.within != CONTROL else ast.parse(source_of(mutation.module))
    sys.meta_path.insert(0, Mutated(f"syncd.core.{mutation.module}", tree))
    os.environ.pop("PYTEST_ADDOPTS", None)  # what the outer run was given is not for this one
    os.environ |= {"SYNCD_PROGRAMS": programs, "SYNCD_SHRINK": "0", "HYPOTHESIS_STORAGE_DIRECTORY": tempfile.gettempdir()}
    for names in rounds(mutation.module):
        failure = FirstFailure()
        files = [f"tests/core/test_{name}.py" for name in names]
        code = pytest.main([*OPTIONS, *files], plugins=[failure])
        if code != pytest.ExitCode.OK:
            return failure.name or f"{code!r}"
    return ""


def fate_of(mutation: Mutation, programs: str = PROGRAMS) -> Fate:
    """Run the tests against a mutant in a process of its own."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reader)
        quiet = os.open(os.devnull, os.O_WRONLY)
        os.dup2(quiet, 1)
        os.dup2(quiet, 2)
        resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
        signal.signal(signal.SIGXCPU, signal.SIG_DFL)
        by = "an error"
        try:
            by = run(mutation, programs)
        except BaseException as error:  # whatever it is, it is told
            by = f"{NO_TEST}: {error!r}"
        finally:
            os.write(writer, by.encode()[:4000])
            os._exit(0)
    os.close(writer)
    with os.fdopen(reader) as pipe:
        said = pipe.read()
    _, status = os.waitpid(child, 0)
    return Fate(mutation, said if status == 0 else f"signal {os.WTERMSIG(status)}: out of time or memory")


# ---- many


def sample(seed: int, modules: Sequence[str] = MODULES) -> list[Mutation]:
    """Return all mutations in an order that the seed gives, but for those that change nothing."""
    found = [one for module in modules for one in mutations(module) if one.name not in EQUIVALENT]
    Random(seed).shuffle(found)
    return found


def hunt(seconds: float, seed: int, modules: Sequence[str], count: int | None = None, programs: str = PROGRAMS) -> list[Fate]:
    """Run mutants until the time is over, or so many; print each, and the score."""
    fates: list[Fate] = []
    until = time.monotonic() + seconds
    control = fate_of(Mutation(modules[0], 0, 0, 0, CONTROL, ""), programs)
    if control.by:
        raise RuntimeError(f"without a fault it fails too: {control.by}")
    for mutation in sample(seed, modules)[:count]:
        if time.monotonic() > until:
            break
        fate = fate_of(mutation, programs)
        fates.append(fate)
        if fate.by.startswith(NO_TEST):
            raise RuntimeError(f"{mutation}: {fate.by}")
        by = f"   by {Path(fate.by).name}" if fate.by else ""
        sys.stdout.write(f"{'killed  ' if by else 'SURVIVED'} {mutation}{by}\n")
        sys.stdout.flush()
    killed = sum(bool(fate.by) for fate in fates)
    sys.stdout.write(f"seed {seed}: {killed} of {len(fates)} mutants killed\n")
    return fates


def main(arguments: list[str]) -> None:
    """Obey the command line."""
    os.chdir(ROOT)
    seconds, seed, *modules = [*arguments, *("600", "1")[len(arguments) :]]
    hunt(float(seconds), int(seed), modules or MODULES)


if __name__ == "__main__":
    main(sys.argv[1:])
