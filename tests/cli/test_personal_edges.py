"""Where a personal value might slip through: broken readings, error messages, the plan and its file, the ledger."""

import re
import sqlite3
import stat
from contextlib import closing
from types import SimpleNamespace
from typing import Any

import pytest

from syncd.core.model import Conflict
from syncd.daemon import tell
from syncd.daemon.judge import Judged, Opened
from syncd.reports.masks import hide, hide_quotes, worth
from tests.cli.test_personal import BIRD, OTHER, RULES, cage, shows
from tests.cli.test_whole import Shop, shop

__all__ = ["cage", "shop"]


def rules(*, pii: bool) -> Any:
    """Return rules with one entity, whose name is called title."""
    field = SimpleNamespace(pii=pii, maps={"shop": SimpleNamespace(path="title")})
    return SimpleNamespace(entity_of=lambda *_: SimpleNamespace(fields={"name": field}))


@pytest.mark.parametrize(
    ("pii", "reason", "said"),
    [
        (True, f"'title': '{BIRD}' is 7 letters too long", "shop products: 'title': 'c***@cage' is 7 letters too long"),
        (True, f'name "{OTHER}" is no number', 'shop products: name "B***" is no number'),
        (False, f"'title': '{BIRD}'", f"shop products: 'title': '{BIRD}'"),
    ],
)
def test_a_broken_reading_is_told_with_masks(monkeypatch: pytest.MonkeyPatch, pii: bool, reason: str, said: str) -> None:
    told: list[str] = []
    monkeypatch.setattr(tell, "say", lambda _, text, **__: told.append(text))
    tell.unreadable(rules(pii=pii), "shop", "products", f": {reason}")
    assert told == [said]


@pytest.mark.parametrize("pii", [True, False])
def test_a_question_of_who_is_who_is_told_with_masks(monkeypatch: pytest.MonkeyPatch, pii: bool) -> None:
    told: list[str] = []
    monkeypatch.setattr(tell, "say", lambda _, text, **__: told.append(text))
    why = f'ambiguous: c2 has email {BIRD.upper()} too; ambiguous: c3 has name, town ["{OTHER}", "Berlin"] too'
    opened = Opened(Conflict("(identity)", "identity", why, {"shop": BIRD}, 7), "customer", "c1")
    fields = {name: SimpleNamespace(pii=pii) for name in ("email", "name", "town")}
    matches = [SimpleNamespace(by=("email",)), SimpleNamespace(by=("name", "town"))]
    known = SimpleNamespace(entities={"customer": SimpleNamespace(fields=fields, groups={}, matches=matches)})
    tell.judged(Judged(opened=[opened]), known)  # type: ignore[arg-type]
    assert [one.lower() in told[0].lower() for one in (BIRD, OTHER)] == [not pii, not pii]
    assert told[0].endswith("c-7")


def test_names_that_a_text_quotes_stay() -> None:
    assert hide_quotes("'title' of \"Jo Doe\" isn't it", {"title"}) == "'title' of \"J***\" isn't it"


def test_a_value_of_two_letters_is_a_mask_where_it_stands_but_is_not_looked_for_in_texts() -> None:
    """A limit: "Al" stands in every "already", so that hiding it would hide every text."""
    assert list(worth("Al")) == []
    assert hide("Al is already there", worth("Al")) == "Al is already there"


@pytest.mark.parametrize(
    "words",
    [
        ["explain", "product", BIRD],
        ["history", "product", "MUG-1", "--by", BIRD],
        ["explain", "product", "MUG-1", "name", "--at", "2020-01-01"],
        ["conflicts", "resolve", "c-1", "--take", "nobody"],
        ["changes", "approve", "ch-99"],
        ["dead", "retry", "d-99"],
    ],
    ids=" ".join,
)
def test_error_messages_quote_only_what_was_typed(cage: Shop, words: list[str]) -> None:
    cage.syncd(*words)
    out, err = cage.capsys.readouterr()
    assert [bird for bird in shows(out + err) if bird not in words] == []


def test_a_plan_shows_masks_and_its_file_is_for_nobody_else(cage: Shop) -> None:
    (cage.home / "config/entities/product.yaml").write_text(
        RULES.replace("review, truth: erp", 'review, truth: {expr: "upper(erp.name)"}')
    )
    file = cage.home / "plan.json"
    file.write_text("")
    file.chmod(0o644)
    for kind in ("table", "json", "ndjson", "markdown", "html"):
        cage.syncd("plan", "--all", "--format", kind)
        out, err = cage.capsys.readouterr()
        assert shows(out + err) == [], kind
        assert BIRD.upper() not in out + err
        assert "***@" in out.replace("\\", "")
    assert cage.syncd("plan", "--out", str(file)) == 0
    cage.capsys.readouterr()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_the_stored_drift_report_has_the_values_and_the_ledger_is_for_nobody_else(cage: Shop) -> None:
    """The ledger holds what is: it is the file that is shut (0600), and reports from it that have masks."""
    ledger = cage.home / "config/state/ledger.db"
    cage.syncd("reconcile")
    cage.capsys.readouterr()
    with closing(sqlite3.connect(ledger)) as db:
        assert db.execute("SELECT count(*) FROM report").fetchone()[0] >= 1
    assert stat.S_IMODE(ledger.stat().st_mode) == 0o600


def test_values_of_rule_tests_are_the_users_own(cage: Shop) -> None:
    tests = cage.home / "config/tests"
    tests.mkdir()
    given = "{erp: {sku: MUG-1, name: Jo Doe}}"
    expect = "{golden: {name: Somebody}}"
    text = f"entity: product\ntests:\n  - name: a name\n    given: {given}\n    expect: {expect}\n"
    (tests / "names.yaml").write_text(text)
    assert cage.syncd("test") == 1
    assert re.search("Jo Doe", cage.capsys.readouterr().out)
