"""Personal fields on their way to a person: masked, or revealed to an operator, whose act the audit log keeps.

At the shell an operator is who may write the ledger: who may only read it sees masks.
"""

import os
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from syncd.cli import socket
from syncd.cli.command import user
from syncd.cli.exits import Refused
from syncd.cli.flags import Flags
from syncd.cli.folder import Folder, find, glance
from syncd.errors import ConfigError, LedgerError
from syncd.ledger.reading import read_only
from syncd.reports import parents
from syncd.reports.masks import records_in, veiled, worth

QUIET = ("syncd.check", "syncd.version", "syncd.secrets", "syncd.test", "syncd.rules")  # they hold no value of any record


def shield(flags: Flags, document: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return a document as it may be shown; raises Refused if somebody who is no operator asks for more."""
    if str(document.get("schema")).startswith(QUIET):
        return document
    try:
        folder = glance(find(flags.config))
    except ConfigError:
        return document  # there is no config that names a personal field
    document = with_parents(folder, document)
    if not folder.personal.fields:
        return document
    if flags.reveal:
        note_reveal(folder, document)
        return document
    return veiled(document, folder.personal, known_values(folder, document))


def with_parents(folder: Folder, document: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return a document in which references are the keys of parents; as it is where the ledger cannot be asked."""
    links = folder.links
    numbers = parents.numbers_in(document, links) if links else set()
    if not numbers:
        return document
    from syncd.ledger import history

    try:
        with read_only(folder.ledger) as db:
            return parents.named(document, links, history.names_of(db, numbers))
    except LedgerError:
        return document


def known_values(folder: Folder, document: Mapping[str, Any]) -> set[str]:
    """Return the personal values of every record that a document names, as texts."""
    named = [(entity, key) for entity, key in records_in(document) if entity in folder.personal.fields]
    if not named:
        return set()
    from syncd.ledger import personal

    try:
        with read_only(folder.ledger) as db:
            found = [personal.values_of(db, entity, key, folder.personal.fields[entity]) for entity, key in named]
            return {text for values in found for value in values for text in worth(value)}
    except LedgerError:
        return set()


def note_reveal(folder: Folder, document: Mapping[str, Any]) -> None:
    """Write into the audit log that personal fields are shown, to whom, and of what; raises Refused for who is no operator."""
    if not os.access(folder.ledger, os.W_OK):
        raise Refused(
            f"--reveal needs the operator role: {user()} may not write {folder.ledger}; leave --reveal out to see masks"
        )
    what = {"schema": document["schema"], "records": sorted(" ".join(one) for one in records_in(document))[:100]}
    answer = socket.ask(folder.control, {"do": "reveal", "by": user(), **what})
    if answer is not None and answer.get("ok"):
        return
    if answer is not None:
        raise Refused(f"the daemon could not write the audit log, so nothing is shown: {answer.get('error')}")
    from syncd.ledger import audit, opening
    from syncd.ledger.lock import locked

    with locked(Path(folder.ledger)):
        db = opening.connect(Path(folder.ledger))
        try:
            audit.add(db, user(), "reveal", what, now=time.time_ns() // 1000)
        finally:
            db.close()
