"""`syncd check` beside a ledger: findings that quote what is in it."""

from pathlib import Path

import pytest

from syncd.cli.app import main
from tests.config.folders import write

PRODUCT = """entity: product
in: {erp: {collection: items}, shop: {collection: items, create: true}}
identity: {key: sku, match: [{by: sku}], unmatched: {erp: create}}
fields:
  sku: {type: string, truth: erp, map: {erp: sku, shop: sku}}
  state: {type: string, truth: erp, map: {erp: state, shop: state}}
"""
PLATFORM = "platform: {0}\nconnector: file\nmode: enforce\nconnection: {{dir: {1}}}\ncollections:\n  items: {2}\n"
ITEMS = '{files: "items.csv", format: csv, id: sku, full: true, write: {file: items.csv}}'


@pytest.fixture
def folder(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Path:
    for name in ("erp", "shop"):
        (tmp_path / name).mkdir()
    (tmp_path / "erp" / "items.csv").write_text("sku,state\nA,new\nB,new\nC,old\nD,00123\n")
    (tmp_path / "shop" / "items.csv").write_text("sku,state\n")
    found = write(
        tmp_path / "config",
        {
            "syncd.yaml": f"version: 1\nledger: {{path: {tmp_path}/ledger.db}}\nlisten: {{control: none}}\n",
            "entities/product.yaml": PRODUCT,
            **{f"platforms/{name}.yaml": PLATFORM.format(name, tmp_path / name, ITEMS) for name in ("erp", "shop")},
        },
    )
    assert main(["--config", str(found), "run", "--once"]) == 0
    capsys.readouterr()
    return found


def checked(folder: Path, entity: str, capsys: pytest.CaptureFixture[str]) -> str:
    (folder / "entities" / "product.yaml").write_text(entity)
    assert main(["--config", str(folder), "check"]) == 78
    return capsys.readouterr().out


def test_how_many_records_no_case_decides(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    cases = "[{when: \"erp.state == 'new'\", owner: erp}, {when: \"erp.state == 'gone'\", owner: erp}]"
    out = checked(folder, PRODUCT.replace("truth: erp, map: {erp: state", f"truth: {cases}, map: {{erp: state"), capsys)
    assert "state would have no rule: for 2 of 4 products today neither case is true" in out


def test_a_pipeline_is_tried_on_what_is_there(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = checked(folder, PRODUCT.replace("shop: state", "shop: {path: state, read: [strip_zeros]}"), capsys)
    assert "E240" in out
    assert "(tried on 4 ledger samples: 3 of 4 came back unchanged)" in out
