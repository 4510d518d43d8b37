"""`syncd check --online` against SAP's server program with SAP's own product model, as V2 and as V4."""

import json
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from syncd.cli.app import main
from tests.config.folders import write
from tests.emulators.cap import Cap, cap_process

LOGIN = "Basic U1lOQ0Q6Z2VoZWlt"
ENTITY = """entity: product
in: {erp: {collection: items}, sap: {collection: materials}}
identity: {key: sku, match: [{by: sku}]}
fields:
  sku: {type: string, truth: sap, map: {erp: sku, sap: Product}}
  group: {type: string, truth: erp, map: {erp: name, sap: GROUP}}
"""
SAP = """platform: sap
connector: odata
mode: enforce
connection: {base_url: "BASE", auth: {basic: {user: SYNCD, password: secret:sap}}}
collections:
  materials: {path: PATH, id: Product, changed_at: LastChangeDateTime, version: etag,
    deleted: {field: IsMarkedForDeletion, is: true}}
"""
ERP = "platform: erp\nconnector: sql\nmode: enforce\nconnection: {dsn: DSN}\ncollections:\n  items: {table: items, id: id}\n"


@pytest.fixture(scope="module")
def running() -> Iterator[Cap]:
    with cap_process("product", csrf=True, authorization=LOGIN) as server:
        server.call("rows", entity="A_Product", rows=[{"Product": "M1", "ProductGroup": "L1"}])
        yield server


@pytest.fixture
def cap(running: Cap, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Cap:
    with sqlite3.connect(tmp_path / "erp.db") as db:
        db.execute("CREATE TABLE items (id INTEGER PRIMARY KEY, sku TEXT, name TEXT)")
        db.execute("INSERT INTO items VALUES (1, 'M1', 'L1')")
    db.close()
    monkeypatch.setenv("SYNCD_SECRET_SAP", "geheim")
    return running


def asked(
    folder: Path, capsys: pytest.CaptureFixture[str], base: str, *, path: str = "A_Product", group: str = "ProductGroup"
) -> tuple[int, dict[str, Any], list[dict[str, Any]]]:
    erp = ERP.replace("DSN", json.dumps(f"sqlite:///{folder}/erp.db"))
    sap = SAP.replace("BASE", base).replace("PATH", path)
    files = {"syncd.yaml": "version: 1\n", "platforms/erp.yaml": erp, "platforms/sap.yaml": sap}
    config = write(folder / "config", files | {"entities/product.yaml": ENTITY.replace("GROUP", group)})
    exit_code = main(["--config", str(config), "check", "--online", "--format", "json"])
    document = json.loads(capsys.readouterr().out)
    shown = {one["platform"]: one for one in document["platforms"]}
    return exit_code, shown["sap"], [one for one in document["diagnostics"] if one["code"] in {"E310", "E311", "E312", "E313"}]


@pytest.mark.parametrize("protocol", ["v4", "v2"])
def test_all_is_well(cap: Cap, tmp_path: Path, capsys: pytest.CaptureFixture[str], protocol: str) -> None:
    exit_code, sap, codes = asked(tmp_path, capsys, cap.url(protocol))
    assert (exit_code, codes) == (0, [])
    assert (sap["login"], sap["may_read"], sap["schema"]) == ("ok", "yes", "3 of 3 fields, read 1"), "two and the mark"
    assert abs(sap["clock_s"]) < 2
    assert cap.call("seen")["mutations"] == 0, "nothing is written to ask"


@pytest.mark.parametrize("protocol", ["v4", "v2"])
def test_a_wrong_password_is_a_matter_of_the_login(
    cap: Cap, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, protocol: str
) -> None:
    monkeypatch.setenv("SYNCD_SECRET_SAP", "wrong")
    exit_code, sap, codes = asked(tmp_path, capsys, cap.url(protocol))
    assert (exit_code, [one["code"] for one in codes], sap["login"]) == (78, ["E310"], "refused")


@pytest.mark.parametrize("wrong", [{"path": "A_Produkt"}, {"group": "ProductGrup"}], ids=str)
def test_what_sap_does_not_have_is_named(
    cap: Cap, tmp_path: Path, capsys: pytest.CaptureFixture[str], wrong: dict[str, str]
) -> None:
    exit_code, _, codes = asked(tmp_path, capsys, cap.v2, **wrong)
    assert (exit_code, {one["code"] for one in codes}) == (78, {"E313"})
    assert "did you mean A_Product" in str(codes) or "did you mean ProductGroup" in str(codes)


def test_a_field_that_sap_lets_nobody_write_is_said(cap: Cap, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    exit_code, sap, codes = asked(tmp_path, capsys, cap.v2, group="LastChangedByUser")
    assert exit_code == 78
    assert "LastChangedByUser" in str(codes), sap
