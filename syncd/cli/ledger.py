"""The ledger as a command reads it: beside a running daemon, or alone with a word about its age."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from syncd.cli.answer import note
from syncd.cli.flags import Flags
from syncd.cli.folder import Folder, find, glance
from syncd.cli.socket import connect
from syncd.errors import SyncdError
from syncd.ledger import config_texts, meta
from syncd.ledger.lookup import find_record, now_called
from syncd.ledger.reading import read_only
from syncd.ledger.schema import Database
from syncd.reports import figures
from syncd.reports.envelope import Origin

REVISED = "revised"  # the fact that names the rules all records were last decided with


class Desk(NamedTuple):
    """What a reading command works with."""

    folder: Folder
    db: Database
    origin: Origin

    def record(self, entity: str, text: str) -> int:
        """Return the id of the record that a text names; raises SyncdError if the ledger has none, UsageError if it names a
        platform that the config does not have.
        """
        found = find_record(self.db, entity, text)
        if found is None:
            platform, colon, _ = text.partition(":")
            if colon:
                self.folder.platform(platform)
            raise SyncdError(f'no {entity} "{text}" in the ledger')
        called = now_called(self.db, entity, text, found)
        if called is not None:
            note(f"{entity} {text} is {called} now")
        return found


def loaded_sha(db: Database) -> str | None:
    """Return the sha of the config that was loaded last, None if none ever was."""
    return (meta.get(db, REVISED) or "").partition(" ")[0] or config_texts.newest(db)


def origin_of(folder: Folder) -> Origin:
    """Return what an answer of now rests on."""
    return Origin(time.time_ns() // 1000, folder.environment, folder.sha)


@contextmanager
def reading(flags: Flags, folder: Folder | None = None, *, quiet: bool = False) -> Iterator[Desk]:
    """Open the config folder and its ledger for reading; says so if no daemon keeps the ledger up to date."""
    folder = folder or glance(find(flags.config))
    with read_only(folder.ledger) as db:
        if not quiet and not is_running(folder):
            note(f"daemon is not running; showing the ledger as of {_age(folder.ledger, local=flags.local)}")
        yield Desk(folder, db, origin_of(folder))


def is_running(folder: Folder) -> bool:
    """Return whether a daemon answers at the folder's control socket."""
    line = connect(folder.control)
    if line is None:
        return False
    line.close()
    return True


def _age(ledger: Path, *, local: bool) -> str:
    """Return when the ledger was last written: the time, with the date if that was not today."""
    files = [path for path in (ledger, Path(f"{ledger}-wal")) if path.exists()]
    written = max((path.stat().st_mtime_ns for path in files), default=time.time_ns())
    text = figures.moment(figures.stamp(written // 1000), local=local)
    today = figures.moment(figures.stamp(time.time_ns() // 1000), local=local)[:10]
    return text[11:] if text[:10] == today else text
