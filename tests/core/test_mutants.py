"""Small faults in the core are caught: a sample that moves with the seed; all of them by ``python -m tests.core.mutants``."""

import os
import subprocess
import sys

from tests.core.equivalent import EQUIVALENT
from tests.core.mutants import MODULES
from tests.core.mutations import ROOT, mutated, mutations

COUNT = 12
LEAST = 8  # of the sample; the whole score is far above, and reported by the script
PROGRAM = "import sys; from tests.core import mutants; mutants.hunt(80, int(sys.argv[1]), mutants.MODULES, {}, '40')"


def test_most_of_a_sample_of_mutants_are_killed():
    seed = os.environ.get("SYNCD_SEED", "20")
    command = [sys.executable, "-c", PROGRAM.format(COUNT), seed]
    said = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    sys.stdout.write(said)
    fates = [line for line in said.splitlines() if line.startswith(("killed", "SURVIVED"))]
    survived = [line for line in fates if line.startswith("SURVIVED")]
    assert fates
    assert len(survived) <= COUNT - LEAST, said


def test_what_is_called_equivalent_is_a_mutation_that_there_is():
    names = {one.name for module in MODULES for one in mutations(module)}
    assert EQUIVALENT.keys() <= names


def test_every_mutation_changes_its_module_and_can_be_compiled():
    for module in ("truth", "plan"):
        for one in mutations(module)[::7]:
            compile(mutated(one), module, "exec")
