"""Which secrets the config names and where they are. Values are not here. Format ``syncd.secrets/1.0``."""

from collections.abc import Mapping
from typing import Any

from syncd.config.secrets import Secrets
from syncd.reports import figures
from syncd.reports.envelope import Origin, envelope
from syncd.reports.page import Cell, Column, Look, Page, Section, Tone

SCHEMA = "syncd.secrets/1.0"


def collect(secrets: Secrets, used: Mapping[str, list[str]], origin: Origin) -> dict[str, Any]:
    """Return every secret that is named or there; ``used`` has the places in the config by name."""
    lines = []
    for name in sorted({*used, *secrets.names()}):
        found = secrets.find(name)
        usable = found.source != "none"
        lines.append(
            {
                "name": name,
                "state": "ok" if usable and found.value else "missing" if not usable else "empty",
                "source": found.source if usable else None,
                "place": found.place,
                "used_by": used.get(name, []),
            }
        )
    return envelope(SCHEMA, origin, secrets=lines)


def page(document: Mapping[str, Any], _: Look) -> Page:
    """Return one line per secret."""
    columns = (Column("secret"), Column(""), Column("where", least=20), Column("used by", least=20))
    rows = [
        (one["name"], _state(one), _where(one), figures.plain(", ".join(one["used_by"])) or "not used")
        for one in document["secrets"]
    ]
    wrong = [one["name"] for one in document["secrets"] if one["state"] != "ok" and one["used_by"]]
    foot = f"{figures.plural(len(rows), 'secret')}, all that are used are there."
    if wrong:
        foot = f"{figures.plural(len(wrong), 'secret')} missing.  Store one: syncd secrets set {wrong[0]}"
    if not rows:
        foot = "No secrets: the config names none (secret:NAME) and none is stored."
    return Page("", [Section(columns, rows)], foot, title="Secrets")


def _state(one: Mapping[str, Any]) -> Cell:
    if one["source"] == "environment":
        return Cell("warn", Tone.WARN)
    return Cell(one["state"], Tone.GOOD if one["state"] == "ok" else Tone.BAD)


def _where(one: Mapping[str, Any]) -> str:
    return figures.plain(f"{one['source']} {one['place']}" if one["source"] else one["place"])
