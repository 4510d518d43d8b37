"""A good folder becomes settings, platforms and the core's rules; what is not said is built in."""

import hashlib
from pathlib import Path

import pytest

from syncd.config.folder import sha_of
from syncd.config.load import load_texts
from syncd.config.model import Config, Limits, Retry, WritePolicy
from syncd.core.model import SECOND
from syncd.core.rules import At, Deletes, Limit, Safety
from tests.config.folders import ERP, PRODUCT, SERVICE, SHOP, codes, loaded, small, write
from tests.config.kinds import KINDS, SQL

STATE = {"STATE_DIRECTORY": "/var/lib/syncd", "RUNTIME_DIRECTORY": "/run/syncd"}


def config_of(folder: Path) -> Config:
    found = loaded(folder, **STATE)
    assert [one.text() for one in found.diagnostics] == []
    assert found.config is not None
    return found.config


def test_what_is_not_said_is_built_in(tmp_path: Path) -> None:
    config = config_of(small(tmp_path, syncd=None))
    assert config.ledger_path == Path("/var/lib/syncd/ledger.db")
    assert config.control == Path("/run/syncd/control.sock")
    assert (str(config.hooks), str(config.console), config.console_auth) == ("127.0.0.1:8687", "127.0.0.1:8686", "none")
    assert (config.mode, config.stale_after, config.settle) == ("propose", 1800 * SECOND, 30 * SECOND)
    assert (config.timezone, config.secrets_dir, config.webhooks) == ("UTC", None, False)
    assert config.safety == Safety()
    shop = config.platforms["shop"]
    assert (shop.timezone, shop.stale_after, shop.limits) == ("UTC", 1800 * SECOND, Limits())
    assert shop.write == WritePolicy(None, Retry(8, SECOND, 300 * SECOND), 1, None)


def test_the_folder_is_compiled_into_rules(tmp_path: Path) -> None:
    config = config_of(small(tmp_path))
    product = config.rules.entities["product"]
    assert (product.key, list(product.fields), product.deletes) == ("sku", ["sku", "name"], Deletes())
    assert [(match.by, match.confidence, match.text) for match in product.matches] == [(("sku",), "sure", "sku")]
    erp, shop = product.members["erp"], product.members["shop"]
    assert (erp.unmatched, shop.unmatched, erp.create, shop.create) == ("create", "review", False, True)
    assert (erp.guard, shop.guard, erp.abilities) == ("version", "version", SQL)
    name = product.fields["name"]
    assert name.truth is not None
    assert (name.truth.how, name.truth.platforms, name.truth.if_null, name.truth.if_invalid) == (
        "owner",
        ("erp",),
        "keep",
        "hold",
    )
    assert name.truth.at == At(f"{tmp_path}/entities/product.yaml", 9, 24)
    assert (name.maps["shop"].path, name.maps["shop"].steps, name.maps["shop"].direction) == ("title", ("title",), "both")
    assert name.stray == {"erp": "revert", "shop": "revert"}
    assert config.rules.entity_of("shop", "products") is product


def test_collections_know_what_is_mapped(tmp_path: Path) -> None:
    text = (
        PRODUCT
        + "  stock: {type: integer, truth: erp, map: {erp: {path: qty, direction: in}, shop: {path: n, direction: out}}}\n"
    )
    config = config_of(small(tmp_path, product=text))
    items, people = config.platforms["erp"].collections["items"], config.platforms["erp"].collections["people"]
    assert (items.entity, items.fields, items.writes, items.keys) == (
        "product",
        ("sku", "name", "qty"),
        ("sku", "name"),
        ("sku",),
    )
    assert (people.entity, people.fields) == (None, ())
    assert config.platforms["shop"].collections["products"].writes == ("sku", "title", "n")


def test_relative_paths_start_at_the_folder(tmp_path: Path) -> None:
    config = config_of(
        small(tmp_path, syncd="version: 1\nledger: {path: state/l.db}\nsecrets_dir: s\nlisten: {control: c.sock}\n")
    )
    assert (config.ledger_path, config.secrets_dir) == (tmp_path / "state/l.db", tmp_path / "s")
    assert config.control == tmp_path / "c.sock"


def test_listeners_are_switched_off_by_none_and_port_0_takes_a_free_one(tmp_path: Path) -> None:
    text = 'version: 1\nlisten: {hooks: none, console: "[::1]:0", control: none}\n'
    config = config_of(small(tmp_path, syncd=text))
    assert (config.hooks, config.control) == (None, None)
    assert config.console is not None
    assert (config.console.host, config.console.port, str(config.console)) == ("::1", 0, "[::1]:0")


def test_a_block_of_safety_given_further_in_replaces_the_outer_one_whole(tmp_path: Path) -> None:
    service = SERVICE + "safety: {changes: {max: 7, per: 1m}, shrink: {ratio: 5%}}\n"
    entity = PRODUCT + "safety: {changes: {ratio: 2.5%}, deletes: {max: 0}}\n"
    config = config_of(small(tmp_path, syncd=service, product=entity))
    assert config.safety.changes == Limit(7, None, 60 * SECOND)
    inner = config.rules.entities["product"].safety
    assert inner.changes == Limit(None, 0.025, 600 * SECOND)
    assert inner.deletes == Limit(0, None, 3600 * SECOND)
    assert inner.shrink == Limit(None, 0.05, 0)
    assert inner.blanked == Safety().blanked


@pytest.mark.parametrize(
    ("default", "platform", "entity", "expected"),
    [
        (None, None, None, ("propose", "built in")),
        ("enforce", None, None, ("enforce", "syncd.yaml:3")),
        ("observe", "enforce", None, ("enforce", "platforms/erp.yaml:3")),
        ("observe", "enforce", "propose", ("propose", "entities/product.yaml:10")),
        (None, "observe", "enforce", ("observe", "platforms/erp.yaml:3")),
        ("enforce", None, "observe", ("observe", "entities/product.yaml:10")),
    ],
)
def test_the_most_careful_mode_wins_and_says_where_it_stands(
    tmp_path: Path, default: str | None, platform: str | None, entity: str | None, expected: tuple[str, str]
) -> None:
    service = SERVICE + (f"defaults: {{mode: {default}}}\n" if default else "")
    erp = ERP.replace("mode: enforce\n", f"mode: {platform}\n" if platform else "")
    config = config_of(small(tmp_path, syncd=service, erp=erp, product=PRODUCT + (f"mode: {entity}\n" if entity else "")))
    member = config.rules.entities["product"].members["erp"]
    assert (member.mode, member.mode_at.removeprefix(f"{tmp_path}/")) == expected


def test_stray_edits_come_from_field_entity_platform_and_defaults(tmp_path: Path) -> None:
    entity = PRODUCT + "  note: {type: string, truth: erp, stray_edits: keep, map: {erp: note, shop: note}}\n"
    erp = ERP + "stray_edits: review\n"
    service = SERVICE + "defaults: {stray_edits: keep}\n"
    fields = config_of(small(tmp_path / "1", syncd=service, erp=erp, product=entity)).rules.entities["product"].fields
    assert (fields["name"].stray, fields["note"].stray) == ({"erp": "review", "shop": "keep"}, {"erp": "keep", "shop": "keep"})
    fields = (
        config_of(small(tmp_path / "2", erp=erp, product=entity + "stray_edits: revert\n")).rules.entities["product"].fields
    )
    assert fields["name"].stray == {"erp": "revert", "shop": "revert"}


def test_the_sha_is_that_of_the_sorted_paths_and_contents(tmp_path: Path) -> None:
    folder = write(tmp_path, {"syncd.yaml": "version: 1\n", "platforms/erp.yaml": ERP})
    digest = hashlib.sha256(f"platforms/erp.yaml\0{ERP}\0syncd.yaml\0version: 1\n\0".encode()).hexdigest()
    found = loaded(folder)
    assert found.sha == digest[:7] == sha_of(found.texts)
    assert found.config is not None
    assert found.config.rules.sha == found.sha


def test_a_config_kept_as_texts_loads_as_the_folder_did(tmp_path: Path) -> None:
    first = loaded(small(tmp_path))
    again = load_texts(tmp_path, first.texts, KINDS, environ={"HOME": "/home/tester"})
    assert (again.sha, again.files, again.diagnostics) == (first.sha, first.files, first.diagnostics)
    assert again.config is not None
    assert again.config.platforms.keys() == {"erp", "shop"}


def test_the_digest_of_a_platform_changes_only_with_what_its_connector_is_made_from(tmp_path: Path) -> None:
    digests = [
        config_of(small(tmp_path / str(n), shop=text)).platforms["shop"].digest
        for n, text in enumerate([SHOP, SHOP.replace("mode: enforce", "mode: propose"), SHOP + "limits: {rate: 5/s}\n"])
    ]
    assert digests[0] == digests[1] != digests[2]


def test_summaries_count_fields_rules_and_tests(tmp_path: Path) -> None:
    folder = small(tmp_path)
    write(folder, {"tests/rules.yaml": "entity: product\ntests:\n  - {name: a}\n  - {name: b}\n"})
    found = {file.file.removeprefix(f"{tmp_path}/"): file for file in loaded(folder).files}
    assert list(found) == [
        "syncd.yaml",
        "platforms/erp.yaml",
        "platforms/shop.yaml",
        "entities/product.yaml",
        "tests/rules.yaml",
    ]
    product, tests = found["entities/product.yaml"], found["tests/rules.yaml"]
    assert (product.part, product.name, product.state, product.fields, product.rules, product.cases) == (
        *("entity", "product", "ok"),
        *(2, 2, 0),
    )
    assert (tests.part, tests.tests) == ("tests", 2)


def test_an_empty_folder_is_no_config(tmp_path: Path) -> None:
    found = loaded(tmp_path)
    assert codes(found) == ["E001"]
    assert found.config is None


@pytest.mark.parametrize("path", ["platforms/shop.yml", "platform/shop.yaml", "shop.yaml", "syncd.yml", "entities/x.yml"])
def test_a_file_that_would_be_ignored_is_an_error(tmp_path: Path, path: str) -> None:
    folder = write(small(tmp_path), {path: "platform: shop\n"})
    (one,) = loaded(folder).diagnostics
    assert (one.code, one.file) == ("E020", f"{tmp_path}/{path}")


def test_other_files_of_the_folder_are_not_ours(tmp_path: Path) -> None:
    config_of(write(small(tmp_path), {"README.md": "x", ".schema/a.json": "{}", "secrets/erp-db": "x", "data/x.yaml": "["}))


def test_a_broken_platform_does_not_make_its_entities_wrong(tmp_path: Path) -> None:
    found = loaded(small(tmp_path, shop="platform: [shop\n"))
    assert codes(found) == ["E001"]
    assert found.config is None


def test_a_file_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    (small(tmp_path) / "platforms/dir.yaml").mkdir()
    (one,) = loaded(tmp_path).diagnostics
    assert (one.code, one.message) == ("E001", "not read: Is a directory")
