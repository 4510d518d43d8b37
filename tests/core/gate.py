"""The gate's counts: ``python -m tests.core.gate PROGRAMS SEED`` runs random programs over all cores and prints seed, commit,
counts and breaches. It ends with 1 if a law was broken. The seed of the commit is used if none is given.
"""

import subprocess
import sys
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from os import cpu_count

from tests.core.campaign import SHARES, campaign, report, tell

CHUNK = 250  # programs that one process runs at a time


def run_chunk(seed: int, kind: str, numbers: range) -> tuple[Counter[str], list[str]]:
    """Run some programs of a kind; return counts and the failures told."""
    counts, found = campaign(seed, numbers, [kind])
    return counts, [f"program {number}\n{report(kind, program, error)}" for kind, number, program, error in found]


def chunks(programs: int) -> list[tuple[str, range]]:
    """Return every kind's share in pieces."""
    shares = {kind: max(1, round(programs * share)) for kind, share in SHARES.items()}
    return [(kind, range(at, min(at + CHUNK, n))) for kind, n in shares.items() for at in range(0, n, CHUNK)]


def gate(programs: int, seed: int) -> Counter[str]:
    """Run so many programs and print what came of it; return the counts."""
    counts: Counter[str] = Counter()
    with ProcessPoolExecutor(cpu_count()) as pool:
        running = [pool.submit(run_chunk, seed, *chunk) for chunk in chunks(programs)]
        for one in running:
            more, stories = one.result()
            counts += more
            for story in stories:
                tell(story)
    ran = sum(counts[kind] for kind in SHARES)
    tell(f"seed {seed}, commit {commit()}: {ran} programs, {counts['breaches']} breaches  {dict(counts)}")
    return counts


def commit() -> str:
    """Return the commit's seven digits."""
    return subprocess.run(["git", "rev-parse", "--short=7", "HEAD"], capture_output=True, text=True, check=True).stdout.strip()


if __name__ == "__main__":
    wanted = int(sys.argv[1]) if len(sys.argv) > 1 else 200_000
    sys.exit(1 if gate(wanted, int(sys.argv[2]) if len(sys.argv) > 2 else int(commit(), 16))["breaches"] else 0)
