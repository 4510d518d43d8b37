"""``python -m tests.bench [records]``: where we stand, as ratios against something measured in the same run."""

import sys
import tempfile
from pathlib import Path

from tests.bench import inbox
from tests.bench.measure import fdatasync_p50, show

if __name__ == "__main__":
    records = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        print(f"{records:,} records; fdatasync p50 {fdatasync_p50(folder):.0f} us")
        show("P1 inbox to committed outcome : raw SQLite, same rows", *inbox.run(folder, records, min(records, 10_000), 5), goal=".40 / .60")
