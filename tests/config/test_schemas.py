"""Editor schemas: draft-07, they take every config that ships, complete its names, and refuse what is misspelt."""

import json
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft7Validator

from syncd.cli.app import main
from syncd.config import places
from syncd.config.folder import read_folder
from syncd.config.nodes import Block, Items, Node, Scalar
from syncd.config.schemas import names_of, schemas_of
from syncd.config.source import Source
from syncd.config.yaml import parse
from syncd.connectors.registry import KINDS

ROOT = Path(__file__).parents[2]
SHIPPED = ("config", "syncd/demo/config", "examples/northwind/config")
OF = {"syncd.yaml": "syncd", "platforms": "platform", "entities": "entity", "tests": "tests"}


def sources_in(folder: Path) -> list[Source]:
    found = read_folder(str(folder))
    for source in found:
        parse(source, places.variables({"HOME": "/h"}))
    return found


def as_json(source: Source) -> Any:
    return json.loads(json.dumps(as_an_editor_sees_it(source.root), default=float))


def as_an_editor_sees_it(node: Node | None) -> Any:
    if isinstance(node, Block):
        return {key: as_an_editor_sees_it(entry.value) for key, entry in node.entries.items()}
    if isinstance(node, Items):
        return [as_an_editor_sees_it(one) for one in node.nodes]
    assert isinstance(node, Scalar)
    return node.raw if node.filled else node.value


def schemas(folder: str = "config") -> dict[str, Any]:
    return schemas_of(names_of(sources_in(ROOT / folder)), KINDS)


def wrong(kind: str, document: Any, folder: str = "config") -> list[str]:
    found = Draft7Validator(schemas(folder)[f"{kind}.schema.json"]).iter_errors(document)
    return [f"{'/'.join(str(part) for part in one.absolute_path)}: {one.validator}" for one in found]


@pytest.mark.parametrize("folder", SHIPPED)
def test_they_are_draft_07(folder: str) -> None:
    for one in schemas(folder).values():
        assert one["$schema"] == "http://json-schema.org/draft-07/schema#"
        Draft7Validator.check_schema(one)


@pytest.mark.parametrize("folder", SHIPPED)
def test_they_take_what_ships(folder: str) -> None:
    for source in sources_in(ROOT / folder):
        assert wrong(OF[source.path.split("/")[0]], as_json(source), folder) == [], source.path


def changed(path: str, old: str, new: str) -> Any:
    text = (ROOT / "config" / path).read_text()
    assert old in text
    source = Source(path, path, text.replace(old, new))
    parse(source, {**places.variables({"HOME": "/h"}), "N": "2"})
    return as_json(source)


@pytest.mark.parametrize(
    ("kind", "path", "old", "new", "where"),
    [
        ("entity", "entities/product.yaml", "if_null: next", "if_nul: next", "fields/gtin/truth"),
        ("entity", "entities/product.yaml", "[sap, sanity]", "[sap, sanitty]", "fields/gtin/truth"),
        ("entity", "entities/product.yaml", "key: sku", "key: skuu", "identity/key"),
        ("entity", "entities/product.yaml", "{by: sku}", "{by: skuu}", "identity/match/0/by"),
        ("entity", "entities/product.yaml", "collection: materials", "collection: material", "in/sap/collection"),
        ("entity", "entities/product.yaml", "map: {shopify: tags", "map: {shopfy: tags", "fields/tags/map"),
        ("entity", "entities/product.yaml", "type: html", "type: hmtl", "fields/description/type"),
        ("entity", "entities/product.yaml", "authority: sap", "authority: sapp", "deletes/authority"),
        ("platform", "platforms/shopify.yaml", "mode: enforce", "mode: enforced", "mode"),
        ("platform", "platforms/shopify.yaml", '"2026-10"', "1.10", "connection/api_version"),
        ("platform", "platforms/shopify.yaml", "connector: shopify", "connector: shopfy", "connector"),
        ("platform", "platforms/shopify.yaml", "object: Product", "object: Produkt", "collections/products/object"),
        ("platform", "platforms/mailer.yaml", "base_url", "base_ulr", "connection"),
        ("syncd", "syncd.yaml", "stray_edits: revert", "stray_edits: revrt", "defaults/stray_edits"),
        ("syncd", "syncd.yaml", "version: 1", "version: 2", "version"),
        ("tests", "tests/product_rules.yaml", "golden: {price:", "golden: {prise:", "tests/0/expect/golden"),
        ("tests", "tests/product_rules.yaml", "sap: {NetPrice: null}", "sapp: {NetPrice: null}", "tests/1/given"),
    ],
)
def test_what_is_misspelt_is_underlined(kind: str, path: str, old: str, new: str, where: str) -> None:
    assert any(one.startswith(where) for one in wrong(kind, changed(path, old, new))), wrong(kind, changed(path, old, new))


def test_every_connector_has_its_own_part() -> None:
    branches = schemas()["platform.schema.json"]["allOf"]
    assert {one["if"]["properties"]["connector"]["const"] for one in branches} == set(KINDS)


def test_a_variable_may_stand_for_any_scalar() -> None:
    assert wrong("platform", changed("platforms/sap.yaml", "concurrency: 2", 'concurrency: "${N}"')) == []


def test_they_are_written_beside_the_config(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "config"
    (folder / "platforms").mkdir(parents=True)
    (folder / "platforms" / "shop.yaml").write_text("platform: shop\nconnector: memory\ncollections: {a: {}}\n")
    assert main(["--config", str(folder), "schema", "--write"]) == 0
    written = sorted(path.name for path in (folder / ".schema").iterdir())
    assert written == ["entity.schema.json", "platform.schema.json", "syncd.schema.json", "tests.schema.json"]
    assert "shop" in (folder / ".schema" / "entity.schema.json").read_text()
    assert "Wrote" in capsys.readouterr().out
    assert main(["--config", str(folder), "check"]) in (0, 78)  # the new folder is no part of the config


@pytest.mark.parametrize("words", [["schema"], ["schema", "--write", "entity"], ["schema", "entitty"]])
def test_wrong_usage(words: list[str], tmp_path: Path) -> None:
    (tmp_path / "syncd.yaml").write_text("version: 1\n")
    assert main(["--config", str(tmp_path), *words]) == 64


def test_one_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--config", str(ROOT / "config"), "schema", "entity"]) == 0
    assert json.loads(capsys.readouterr().out)["title"] == "an entity of syncd"
