"""A process that writes to a ledger and says on stdout what was acknowledged. Run by the tests of crashes and full disks.

``python -m tests.ledger.writer PATH [LIMIT]``: LIMIT is the largest file size in bytes the process may write.
"""

import asyncio
import resource
import sys

from syncd.errors import LedgerError
from syncd.ledger import store
from syncd.ledger.schema import Database
from syncd.ledger.store import Store

NOW = 1_763_682_330_000_000
BODY = "x" * 3000


def insert(db: Database, name: str) -> str:
    db.execute("INSERT INTO meta VALUES (?, ?)", (name, BODY))
    return name


async def client(ledger: Store, number: int, rounds: int) -> None:
    """Write one after the other and say each acknowledgement at once."""
    for turn in range(rounds):
        name = f"t-{number}-{turn}"
        try:
            await ledger.write(insert, name)
        except LedgerError as error:
            sys.stdout.write(f"refused {name} {str(error)[-60:]}\n")
        else:
            sys.stdout.write(f"ok {name}\n")
        sys.stdout.flush()


async def main(path: str, limit: int | None) -> None:
    async with store.open(path, now=NOW) as ledger:
        if limit is not None:
            resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
        sys.stdout.write("ready\n")
        sys.stdout.flush()
        async with asyncio.TaskGroup() as group:
            for number in range(8):
                group.create_task(client(ledger, number, 100_000 if limit is None else 60))
        sys.stdout.write(f"broken {ledger.broken}\n")


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else None))
