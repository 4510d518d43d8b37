"""Dead letters: what could not be written or read, by cause. Format ``syncd.dead/1.0``."""

from collections.abc import Mapping, Sequence
from typing import Any

from syncd.ledger import letters
from syncd.ledger.letters import Letter
from syncd.ledger.schema import Database
from syncd.reports import figures
from syncd.reports.envelope import Origin, envelope
from syncd.reports.page import Column, Look, Page, Section

SCHEMA = "syncd.dead/1.0"
GUESSES = (
    ({401, 403}, "the login may not do this: look at the platform's credentials and their scopes"),
    ({404, 410}, "the thing is not there any more, or its path in the config is wrong"),
    ({409}, "it exists already, or somebody else has it open"),
    ({413}, "it is too large for the platform"),
    ({400, 422}, "the platform does not take this value: correct it at its source, or add a check: to the field"),
)


def collect(db: Database, origin: Origin, *, group: int | None = None) -> dict[str, Any]:
    """Return the open letters, of one group if it is given."""
    found = letters.in_state(db, group=group)
    groups = [one for one in letters.groups(db) if group is None or one.id == group]
    return envelope(
        SCHEMA,
        origin,
        letters=[line(one) for one in found],
        groups=[
            {
                "id": f"dg-{one.id}",
                "count": one.count,
                "oldest_at": figures.stamp(one.oldest_at),
                "platform": one.platform,
                "what": one.what,
                "answer": one.answer,
            }
            for one in groups
        ],
    )


def line(letter: Letter) -> dict[str, Any]:
    """Return one letter as the format has it."""
    return {
        "id": f"d-{letter.id}",
        "group": f"dg-{letter.group}",
        "kind": letter.kind,
        "platform": letter.platform,
        "entity": letter.entity,
        "record": letter.key if letter.key is not None else letter.thing,
        "op": letter.op,
        "what": letter.what,
        "status": letter.status,
        "answer": letter.answer,
        "place": letter.place,
        "attempts": letter.attempts,
        "first_at": figures.stamp(letter.first_at),
        "last_at": figures.stamp(letter.last_at),
        "state": letter.state,
        "note": letter.note,
    }


def detail(letter: Letter, attempts: Sequence[Mapping[str, Any]], origin: Origin) -> dict[str, Any]:
    """Return one letter with what was sent and answered, each attempt, and a guess at the fix."""
    guess = next((text for statuses, text in GUESSES if letter.status in statuses), None)
    if letter.kind == "reading":
        guess = "correct it at its source; the letter closes by itself when it can be read"
    body = {"body": letter.body, "tries": list(attempts), "guess": guess}
    return envelope(SCHEMA, origin, letters=[line(letter) | body], groups=[])


def page(document: Mapping[str, Any], look: Look) -> Page:
    """Return the letters by cause; a single one with all that is known of it."""
    found = document["letters"]
    if len(found) == 1 and "body" in found[0]:
        return _one(found[0], document, look)
    groups = document["groups"]
    columns = (
        Column("group"),
        Column("count", right=True),
        Column("oldest", right=True),
        Column("platform"),
        Column("what failed", least=14),
        Column("last answer", least=16),
    )
    rows = [
        (
            one["id"],
            figures.number(one["count"]),
            look.when(one["oldest_at"], document["generated_at"]),
            one["platform"],
            figures.plain(one["what"]),
            figures.plain(_answer(one, found)),
        )
        for one in groups
    ]
    foot = "No dead letters. What a platform refuses for good, or what cannot be read, appears here."
    if groups:
        first = groups[0]["id"]
        count, causes = figures.plural(len(found), "letter"), figures.plural(len(groups), "cause")
        foot = f"{count}, {causes}.  Show: syncd dead show {first}.  After fixing: syncd dead retry {first}"
    return Page("", [Section(columns, rows)], foot, title="Dead letters")


def letters_page(document: Mapping[str, Any], look: Look) -> Page:
    """Return the letters of a group, one line each."""
    columns = (
        Column("letter"),
        Column("record", least=12),
        Column("platform"),
        Column("what failed", least=14),
        Column("tries", right=True),
        Column("last", right=True),
        Column("last answer", least=16),
    )
    rows = [
        (
            one["id"],
            figures.plain(" ".join(filter(None, (one["entity"], one["record"] or one["place"])))) or "-",
            one["platform"],
            figures.plain(one["what"]),
            figures.number(one["attempts"]),
            look.when(one["last_at"], document["generated_at"]),
            figures.plain(_status(one["status"], one["answer"])),
        )
        for one in document["letters"]
    ]
    group = document["letters"][0]["group"] if rows else "-"
    foot = (
        f"One of them: syncd dead show {document['letters'][0]['id']}.  After fixing: syncd dead retry {group}" if rows else ""
    )
    return Page(f"Group {group}", [Section(columns, rows)], foot, title=f"Dead letters {group}")


def _one(letter: Mapping[str, Any], document: Mapping[str, Any], look: Look) -> Page:
    now = document["generated_at"]
    facts = [
        ("record", " ".join(filter(None, (letter["entity"], letter["record"])))),
        ("platform", letter["platform"]),
        ("what failed", letter["what"]),
        ("where", letter["place"]),
        ("answer", _status(letter["status"], letter["answer"])),
        ("state", letter["state"] + (f" ({letter['note']})" if letter["note"] else "")),
        ("first", look.when(letter["first_at"], document["generated_at"])),
        ("last", f"{look.when(letter['last_at'], now)}, {figures.plural(letter['attempts'], 'try', 'tries')}"),
    ]
    rows = [(name, figures.plain(text)) for name, text in facts if text]
    parts: list[Section | str] = [Section((Column(""), Column("")), [*rows], headless=True)]
    for name, thing in letter["body"].items():
        if thing not in (None, [], {}):
            parts.append(f"  {name}\n    {figures.plain(figures.value(thing))}")
    if letter["tries"]:
        parts.append(_tries(letter["tries"], document, look))
    group = letter["group"]
    foot = f"After fixing: syncd dead retry {letter['id']}   (all of its kind: syncd dead retry {group})"
    guess = f"Guess: {letter['guess']}.\n" if letter["guess"] else ""
    return Page(f"{letter['id']}  of {group}", parts, guess + foot, title=f"Dead letter {letter['id']}")


def _tries(tries: Sequence[Mapping[str, Any]], document: Mapping[str, Any], look: Look) -> Section:
    columns = (Column("try"), Column("when"), Column("outcome"), Column("answer", least=20))
    rows = [
        (
            one["id"],
            look.when(one["at"], document["generated_at"]),
            one["outcome"] or "open",
            figures.plain(one["detail"] or ""),
        )
        for one in tries
    ]
    return Section(columns, [*rows])


def _answer(group: Mapping[str, Any], found: Sequence[Mapping[str, Any]]) -> str:
    status = next((one["status"] for one in found if one["group"] == group["id"]), None)
    return _status(status, group["answer"])


def _status(status: int | None, answer: str) -> str:
    return f"{status} {answer}" if status and not answer.startswith(str(status)) else answer
