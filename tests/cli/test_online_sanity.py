"""`syncd check --online` against the emulated Sanity, whose queries run in the vendor's own evaluator."""

import json
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from syncd.cli.app import main
from tests.config.folders import write
from tests.connectors.large import served
from tests.node import installed

ENTITY = """entity: product
in: {erp: {collection: items}, sanity: {collection: product}}
identity: {key: sku, match: [{by: sku}]}
fields:
  sku: {type: string, truth: sanity, map: {erp: sku, sanity: sku}}
  title: {type: string, truth: erp, map: {erp: name, sanity: TITLE}}
  maker: {type: string, truth: sanity, map: {erp: maker, sanity: {path: "MAKER", direction: in}}}
  brand: {type: string, truth: erp, map: {erp: brand, sanity: brand._ref}}
  tags: {type: json, truth: sanity, map: {erp: tags, sanity: tags}}
  text: {type: json, truth: sanity, map: {erp: text, sanity: body.0.children.0.text}}
"""
SANITY = """platform: sanity
connector: sanity
mode: enforce
connection: {project: a1b2c3d4, dataset: DATASET, token: secret:sanity-token, base_url: "BASE"}
watch: {stream: {}, sweep: 1h}
collections:
  product: {type: TYPE, version: _rev}
"""
ERP = "platform: erp\nconnector: sql\nmode: enforce\nconnection: {dsn: DSN}\ncollections:\n  items: {table: items, id: id}\n"


@pytest.fixture(scope="module")
def running() -> Iterator[str]:
    installed("groq")
    with served("tests.emulators.sanity", "--products", "5") as url:
        yield url


@pytest.fixture
def url(running: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    columns = ("sku", "name", "maker", "brand", "tags", "text")
    with sqlite3.connect(tmp_path / "erp.db") as db:
        db.execute(f"CREATE TABLE items (id INTEGER PRIMARY KEY, {', '.join(f'{name} TEXT' for name in columns)})")
        db.execute("INSERT INTO items (id, sku) VALUES (1, 'MUG-1')")
    db.close()
    monkeypatch.setenv("SYNCD_SECRET_SANITY_TOKEN", "editor-token")
    return running


def asked(
    folder: Path, capsys: pytest.CaptureFixture[str], base: str, *, title: str = "title", maker: str = "brand->.name",
    dataset: str = "production", kind: str = "product",
) -> tuple[int, dict[str, Any], list[dict[str, Any]]]:  # fmt: skip
    sanity = SANITY.replace("BASE", base).replace("DATASET", dataset).replace("TYPE", kind)
    files = {
        "syncd.yaml": f"version: 1\nlisten: {{control: {folder}/control.sock}}\n",
        "platforms/erp.yaml": ERP.replace("DSN", json.dumps(f"sqlite:///{folder}/erp.db")),
        "platforms/sanity.yaml": sanity,
        "entities/product.yaml": ENTITY.replace("TITLE", title).replace("MAKER", maker),
    }
    config = write(folder / "config", files)
    exit_code = main(["--config", str(config), "check", "--online", "--format", "json"])
    document = json.loads(capsys.readouterr().out)
    shown = {one["platform"]: one for one in document["platforms"]}
    return exit_code, shown["sanity"], [one for one in document["diagnostics"] if one["code"][1:3] == "31"]


def test_all_is_well(url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    exit_code, sanity, codes = asked(tmp_path, capsys, url)
    assert (exit_code, codes) == (0, [])
    assert (sanity["login"], sanity["may_read"], sanity["schema"]) == (
        "ok",
        "yes",
        "7 of 7 fields, read 5",
    )  # six and whether it is published
    assert abs(sanity["clock_s"]) < 2


def test_a_login_that_is_refused_is_said_where_the_token_stands(
    url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SYNCD_SECRET_SANITY_TOKEN", "wrong")
    exit_code, sanity, [found] = asked(tmp_path, capsys, url)
    assert (exit_code, found["code"], sanity["login"]) == (78, "E310", "refused")
    assert found["line"] == 4, "the connection with its token"


def test_a_token_that_may_not_write(
    url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SYNCD_SECRET_SANITY_TOKEN", "viewer-token")
    exit_code, sanity, [found] = asked(tmp_path, capsys, url)
    assert (exit_code, found["code"], sanity["login"]) == (78, "E311", "ok")
    assert "viewer" in str(found)


def test_a_token_that_may_too_much(
    url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SYNCD_SECRET_SANITY_TOKEN", "administrator-token")
    exit_code, _, [found] = asked(tmp_path, capsys, url)
    assert (exit_code, found["code"]) == (0, "W314")
    assert "administrator" in str(found)


@pytest.mark.parametrize("wrong", [{"title": "titel"}, {"title": "seo.title"}, {"maker": "brand->.nmae"}], ids=str)
def test_a_path_that_no_document_has_is_named(
    url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], wrong: dict[str, str]
) -> None:
    exit_code, _, [found] = asked(tmp_path, capsys, url, **wrong)
    assert (exit_code, found["code"]) == (0, "W313")
    assert next(iter(wrong.values())) in found["message"]


def test_a_dataset_or_project_that_is_not_there(url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    exit_code, _, [found] = asked(tmp_path, capsys, url, dataset="prodction")
    assert (exit_code, found["code"]) == (78, "E313")
    assert "Dataset not found" in str(found)


def test_a_path_that_nobody_can_write(url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    exit_code, _, [found] = asked(tmp_path, capsys, url, title="brand->.name")
    assert (exit_code, found["code"]) == (78, "E311")
    assert "product: brand->.name" in found["hint"]
    assert "direction: in" in found["fix"]


def test_a_type_of_which_nothing_is_there_says_nothing_of_paths(
    url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    exit_code, sanity, codes = asked(tmp_path, capsys, url, kind="lamp")
    assert (exit_code, codes) == (0, [])
    assert sanity["schema"] == "nothing there to see"
