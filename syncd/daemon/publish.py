"""Drift reports at their time, and every whole report as files: written at once under their name, removed when they are old.

A time that was missed (syncd did not run, the clock was put forward) is made good once, however many there were.
"""

import asyncio
import os
import re
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path
from typing import Any

from syncd.config.model import Reports
from syncd.core.model import SECOND
from syncd.daemon.clock import nap
from syncd.daemon.events import Event, say
from syncd.daemon.kinship import with_keys
from syncd.daemon.runtime import Runtime
from syncd.daemon.schedule import next_cron
from syncd.daemon.secrecy import personal_of, values_in
from syncd.daemon.upkeep import renewals
from syncd.errors import LedgerLocked, SyncdError
from syncd.ledger import meta
from syncd.reports import machine
from syncd.reports.drift_page import page
from syncd.reports.masks import veiled
from syncd.reports.page import Look

DAY = 24 * 3600 * SECOND
AGAIN = 5.0  # seconds until a report is tried again while another one is made
NAME = re.compile(r"r-(\d{8}-\d{4})(-\d+)?\.(html|json|csv|md|xml)(\.part)?")
SUFFIX = {"html": "html", "json": "json", "csv": "csv", "markdown": "md", "junit": "xml"}
FACT = "reported"  # the ledger's note of the last time of the schedule that is done

Make = Callable[[], Awaitable[object]]


async def report_forever(runtime: Runtime, make: Make) -> None:
    """Make a report at each time of ``reconcile.schedule``, as it stands in the config of the moment."""
    with renewals(runtime) as renewed:
        while True:
            rule = rule_of(runtime)
            if rule is None:
                await renewed.wait()
                renewed.clear()
                continue
            done = await runtime.store.write(last_time, rule, runtime.now())
            due = next_cron(*rule, done)
            if due is None or due > runtime.now():
                await nap(renewed, due, at=runtime.now())
                continue
            await make_now(runtime, make)
            await runtime.store.write(note_time, rule, runtime.now())


def rule_of(runtime: Runtime) -> tuple[str, str] | None:
    """Return the cron expression of the reports and its time zone, None if there is none."""
    schedule = runtime.config.upkeep.schedule
    return None if schedule is None else (schedule, runtime.config.timezone)


def last_time(db: Any, rule: tuple[str, str], now: int) -> int:
    """Return up to when the times of a schedule are done; another schedule than before begins now."""
    at, _, text = (meta.get(db, FACT) or "0 ").partition(" ")
    if text == " ".join(rule) and int(at) < now + DAY:  # later than that: our clock was wrong then
        return int(at)
    note_time(db, rule, now)
    return now


def note_time(db: Any, rule: tuple[str, str], now: int) -> None:
    """Note that the times of a schedule are done up to now."""
    meta.put(db, FACT, f"{now} {' '.join(rule)}")


async def make_now(runtime: Runtime, make: Make) -> None:
    """Make one report, after the one that is being made; what goes wrong is told, and the next time is the next one."""
    while True:
        try:
            await make()
        except LedgerLocked:
            await asyncio.sleep(AGAIN)
            continue
        except SyncdError as error:
            runtime.troubles["report"] = f"the last scheduled report failed: {error}"
            say(Event.REPORT_FAILED, f"no drift report: {error}")
        return


# ---- files


async def publish(runtime: Runtime, document: Mapping[str, Any]) -> None:
    """Write a report into the folder of reports, if there is to be one, and remove what is old there. Failures are told."""
    wanted = runtime.config.upkeep.reports
    if wanted is None:
        return
    personal = personal_of(runtime.rules)
    shown = await runtime.store.read(with_keys, runtime.rules, document)
    if personal.fields:
        shown = veiled(shown, personal, await runtime.store.read(values_in, personal, document))
    try:
        await asyncio.to_thread(write_files, wanted, shown, runtime.now())
    except OSError as error:
        text = f"drift report {document['id']} is not in {wanted.folder}: {error.strerror or error}"
        runtime.troubles["report"] = text
        say(Event.REPORT_FAILED, text, report=document["id"])
        return
    runtime.troubles["report"] = ""


def write_files(wanted: Reports, document: Mapping[str, Any], now: int) -> None:
    """Write a report in each format, each file at once; remove the reports that are kept no longer. Raises OSError."""
    wanted.folder.mkdir(mode=0o750, parents=True, exist_ok=True)
    for kind in wanted.formats:
        path = wanted.folder / f"{document['id']}.{SUFFIX[kind]}"
        part = path.with_name(f"{path.name}.part")
        part.unlink(missing_ok=True)
        with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o640), "w", encoding="utf-8") as file:
            file.write(rendered(document, kind))
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    remove_old(wanted.folder, now - wanted.keep, str(document["id"]))


def rendered(document: Mapping[str, Any], kind: str) -> str:
    """Return a report in a format, as ``syncd reconcile --format`` gives it."""
    if kind == "json":
        return machine.to_json(document)
    if kind == "csv":
        return machine.to_csv(document)
    if kind == "junit":
        return str(import_module("syncd.reports.junit").render(document))
    return str(import_module(f"syncd.reports.{kind}").render(page(document, Look())))


def remove_old(folder: Path, before: int, but: str) -> None:
    """Remove the reports whose name tells an earlier time, and nothing that is not ours."""
    for path in folder.iterdir():
        found = NAME.fullmatch(path.name)
        if found is None or path.name.startswith(f"{but}.") or not path.is_file():
            continue
        made = int(datetime.strptime(found[1], "%Y%m%d-%H%M").replace(tzinfo=UTC).timestamp()) * SECOND
        if made + 60 * SECOND <= before:
            with suppress(FileNotFoundError):
                path.unlink()
