"""Applying a saved plan: exactly what it showed, or nothing.

The whole plan is made again, by the same code over the ledger of now. Only if every record comes out as shown, and no other
would change, the new rules are loaded; what follows goes the ordinary way, past modes, guards and breakers.
"""

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from syncd.config.load import load, load_texts
from syncd.config.model import Config, Kind
from syncd.daemon.foresee import foresee
from syncd.daemon.foretell import Foreseen
from syncd.daemon.revise import REVISED, begin, revise_outdated
from syncd.daemon.rule import Done
from syncd.daemon.runtime import Runtime
from syncd.daemon.write_plan import limited, record_of
from syncd.errors import ConfigError, SyncdError
from syncd.ledger import audit, config_texts, meta
from syncd.ledger.reading import read_only
from syncd.ledger.schema import Database
from syncd.reports.figures import exact, plain, plural

LISTED = 20  # records that a refusal names
SAME = ("stand", "writes", "conflicts")  # what must be as it was shown


class Moved(SyncdError):  # noqa: N818 - it says what happened, as the plan's reader sees it
    """The plan is no longer what would happen: nothing was applied."""


@dataclass(slots=True)
class Check:
    """A saved plan beside what would happen now: ``left`` are the shown records that did not turn up yet."""

    left: dict[int, Mapping[str, Any]]
    wrong: list[str] = field(default_factory=list)
    count: int = 0

    def take(self, one: Foreseen) -> None:
        """Compare one record with what was shown of it."""
        name = f"{one.entity} {plain(one.record)}"
        shown = self.left.pop(one.id, None)
        if shown is None:
            self.note(f"{name}: it would change too, and the plan does not show it")
            return
        now = json.loads(json.dumps(exact(record_of(one)), default=str))
        if now["stand"] != shown["stand"]:
            self.note(f"{name}: it was edited or written since")
        elif any(now[key] != shown[key] for key in SAME):
            self.note(f"{name}: it comes out otherwise now")

    def note(self, text: str) -> None:
        """Note a record that is not as shown."""
        self.count += 1
        if len(self.wrong) < LISTED:
            self.wrong.append(text)

    def missing(self) -> None:
        """Note what was shown and does not change any more."""
        for shown in self.left.values():
            self.note(f"{shown['entity']} {plain(str(shown['record']))}: it was edited or written since")


def read_plan(file: str) -> dict[str, Any]:
    """Return a saved plan; raises SyncdError if the file is none."""
    try:
        plan = json.loads(Path(file).read_text(encoding="utf-8"))
    except OSError as error:
        raise SyncdError(f"cannot read the plan {file}: {error.strerror}; syncd plan --out {file} makes one") from error
    except ValueError:
        plan = None
    if not isinstance(plan, dict) or not str(plan.get("schema")).startswith("syncd.plan/1.") or "records" not in plan:
        raise SyncdError(f"{file} is no saved plan; syncd plan --out {file} makes one")
    return plan


def verify(db: Database, plan: Mapping[str, Any], new: Config, kinds: Mapping[str, Kind], *, now: int) -> None:
    """Return if the plan is still exactly what loading ``new`` would do; raises Moved, with what differs, if not."""
    check_configs(db, plan, new)
    against = str(plan["against"]["sha"])
    texts = config_texts.get(db, against)
    loaded = load_texts(new.folder, texts or {}, kinds)
    if loaded.config is None:
        raise ConfigError(f"the config {against}, which the plan is compared with, has errors for this syncd", loaded.errors)
    check = Check({int(one["id"]): one for one in plan["records"]})
    rules = limited(db, loaded.config.rules), limited(db, new.rules)
    revised = (meta.get(db, REVISED) or "").partition(" ")[0]
    foresee(db, rules, now=now, take=check.take, stands=True, settled=revised == against, only=plan.get("entity"))
    check.missing()
    if check.count:
        more = [f"... {check.count - len(check.wrong):,} more"] if check.count > len(check.wrong) else []
        told = "\n".join(f"  {line}" for line in (*check.wrong, *more))
        head = f"nothing was applied: {plural(check.count, 'record')} moved since the plan was made"
        raise Moved(f"{head}\n{told}\nmake it again: syncd plan --out FILE")


def check_configs(db: Database, plan: Mapping[str, Any], new: Config) -> None:
    """Raise Moved if the config on disk, or the one last loaded, is not the plan's."""
    if plan["config_sha"] != new.sha:
        raise Moved(
            f"nothing was applied: the config on disk is {new.sha}, the plan was made for {plan['config_sha']};"
            " make it again: syncd plan --out FILE"
        )
    revised = (meta.get(db, REVISED) or "").partition(" ")[0] or config_texts.newest(db)
    if revised not in (plan["against"]["sha"], new.sha):
        raise Moved(
            f"nothing was applied: config {revised} was loaded since, the plan is compared with {plan['against']['sha']};"
            " make it again: syncd plan --out FILE"
        )
    if revised == new.sha and plan["records"] and plan["against"]["sha"] != new.sha:
        raise Moved(
            f"nothing was applied: the config {new.sha} is loaded already; what it has still to write goes out by itself"
            " while syncd runs: syncd status"
        )


async def carry_out(runtime: Runtime, request: Mapping[str, Any]) -> Done:
    """Load the plan's rules and have its records decided; returns them, to be delivered. Raises Moved if it does not hold."""
    plan = read_plan(str(request["plan"]))
    new = await asyncio.to_thread(config_of, runtime)
    await asyncio.to_thread(verify_file, runtime, plan, new)
    if runtime.reload is not None:
        await runtime.reload()
    else:
        await begin(runtime)
    await revise_outdated(runtime)
    by = str(request.get("by") or "")
    detail = {"config": new.sha, "summary": plan["summary"]}
    await runtime.store.write(audit.add, by, "apply", detail, now=runtime.now())
    written = [one for one in plan["records"] if one["writes"]]
    return Done({int(one["id"]) for one in written}, sum(len(one["writes"]) for one in written))


def config_of(runtime: Runtime) -> Config:
    """Return the config as it is on disk; raises ConfigError if it has errors."""
    loaded = load(runtime.config.folder, runtime.kinds, environ=None)
    if loaded.config is None:
        raise ConfigError(f"the config in {runtime.config.folder} has errors", loaded.errors)
    return loaded.config


def verify_file(runtime: Runtime, plan: Mapping[str, Any], new: Config) -> None:
    """Verify a plan on a connection of its own, so that the ledger's goes on working."""
    with read_only(runtime.store.path) as db:
        db.execute("BEGIN")  # as it stands at one moment; it ends with the connection
        verify(db, plan, new, runtime.kinds, now=runtime.now())
