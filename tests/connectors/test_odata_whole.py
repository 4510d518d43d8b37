"""SAP's server program twice, as V2 with CSRF tokens and $batch and as V4, and the whole of syncd between them."""

import contextlib
import json
import signal
import sqlite3
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.connectors.large import ROOT
from tests.connectors.odata_world import fresh
from tests.connectors.whole import command, syncd, write_config
from tests.emulators.cap import Cap, cap_process

FIELDS = ("sku", "name", "price", "stock", "big", "due", "at", "moment", "token", "flag")
THING = {"path": "Thing", "id": "id", "changed_at": "changedAt", "version": "etag", "page": 7}
PRODUCT = """
entity: product
in:
  erp: {collection: things}
  pim: {collection: things, create: true}
identity: {key: sku, match: [{by: sku}], unmatched: {erp: create, pim: review}}
fields:
  sku: {type: string, required: true, truth: erp, map: {erp: sku, pim: sku}}
  name: {type: string, truth: erp, map: {erp: name, pim: name}}
  price: {type: decimal(2), truth: erp, map: {erp: price, pim: price}}
  stock: {type: integer, truth: pim, map: {erp: stock, pim: stock}}
  big: {type: integer, truth: erp, map: {erp: big, pim: big}}
  due: {type: date, truth: erp, map: {erp: due, pim: due}}
  at: {type: string, truth: erp, map: {erp: at, pim: at}}
  moment: {type: datetime, truth: erp, map: {erp: moment, pim: moment}}
  token: {type: string, truth: erp, map: {erp: token, pim: token}}
  flag: {type: boolean, truth: erp, map: {erp: flag, pim: flag}}
deletes: {authority: erp, then: {pim: delete}, confirm: {sweeps: 1, wait: 0s}, elsewhere: restore}
"""
MATERIAL = """
entity: material
in:
  pim: {collection: things}
  sap: {collection: materials, create: true}
identity: {key: sku, match: [{by: sku}], unmatched: {pim: create, sap: review}}
fields:
  sku: {type: string, required: true, truth: pim, map: {pim: sku, sap: Product}}
  group: {type: string, truth: pim, map: {pim: name, sap: {path: ProductGroup, direction: out}}}
  text: {type: string, truth: sap, map: {sap: {path: BaseUnit, direction: in}, pim: token}}
deletes: {authority: pim, then: {sap: archive}, confirm: {sweeps: 1, wait: 0s}, elsewhere: restore}
"""
TEXT = """
entity: text
in:
  sap: {collection: texts}
  copy: {collection: texts, create: true}
identity: {key: of, match: [{by: of}], unmatched: {sap: create, copy: review}}
fields:
  of: {type: string, required: true, truth: sap, map: {sap: Product, copy: Product}}
  language: {type: string, truth: sap, map: {sap: Language, copy: Language}}
  text: {type: string, truth: sap, map: {sap: ProductDescription, copy: ProductDescription}}
"""
ODD = ["A'B", "A/B", "ä b+c%", "M&N?=#", "x;y,z", "日本", "0012", "12", "(q)", "a=b", "$1", 'qu"ote', "back\\slash", "trail "]


@pytest.fixture(scope="module")
def servers() -> Iterator[tuple[Cap, Cap]]:
    with cap_process("things", csrf=True) as erp, cap_process("things") as pim:
        yield erp, pim


@pytest.fixture
def pair(servers: tuple[Cap, Cap], tmp_path: Path) -> tuple[Cap, Cap]:
    erp, pim = fresh(servers[0]), fresh(servers[1])
    retry = {"attempts": 8, "first": "100ms", "max": "1s"}
    platforms = {"erp": odata(erp.v2, things=THING, write={"batch": 20, "retry": retry}), "pim": odata(pim.v4, things=THING)}
    write_config(tmp_path, platforms, {"product": PRODUCT})
    return erp, pim


def odata(url: str, *, write: dict[str, Any] | None = None, **collections: Any) -> dict[str, Any]:
    """Return a platform as the config has it."""
    watch = {"poll": {"every": "1s", "overlap": "2s"}, "sweep": "1h"}
    connection = {"base_url": url, "timeout": "2s"}
    return {"connector": "odata", "connection": connection, "watch": watch, "write": write or {}, "collections": collections}


def product(number: int) -> dict[str, Any]:
    return {
        "id": number,
        "sku": f"S-{number}",
        "name": f"Näme 'of' {number}",
        "price": f"{number}.25",
        "stock": number,
        "big": 9007199254740993 + number,
        "due": "2026-03-29",
        "at": "10:05:00",
        "moment": "2026-03-29T01:30:00.123Z",
        "token": "0f8fad5b-d9cb-469f-a165-70867728950e",
        "flag": number % 2 == 0,
    }


def held(cap: Cap, path: str = "Thing", names: tuple[str, ...] = FIELDS) -> list[tuple[Any, ...]]:
    """Return what a server holds, all rows in order."""
    request = urllib.request.Request(
        f"{cap.v4}/{path}?$top=1000", headers={"Accept": "application/json;IEEE754Compatible=true"}
    )
    with urllib.request.urlopen(request, timeout=20) as answer:
        rows = json.loads(answer.read())["value"]
    return sorted((tuple(row.get(name) for name in names) for row in rows), key=str)


def attempts(folder: Path) -> int:
    with contextlib.closing(sqlite3.connect(folder / "ledger.db")) as db:
        return int(db.execute("SELECT count(*) FROM attempt").fetchone()[0])


def test_two_services_hold_the_same_whoever_edits_deletes_or_forgets(pair: tuple[Cap, Cap], tmp_path: Path) -> None:
    erp, pim = pair
    erp.call("rows", entity="Thing", rows=[product(number) for number in range(1, 31)], ago=60)
    assert "Nothing to mend" in syncd(tmp_path, "check", "--online")
    syncd(tmp_path, "run", "--once")
    assert held(pim) == held(erp)
    assert len(held(pim)) == 30, "every type as it was, and nothing twice"
    erp.call("put", entity="Thing", row={"id": 3, "name": "Edited", "price": "0.01"})
    pim.call("many", entity="Thing", rows=[{"id": number, "stock": 500 + number} for number in range(5, 25)])
    pim.call("put", entity="Thing", row={"id": 4, "name": "Stray"})
    erp.call("drop", entity="Thing", key={"id": 1})
    pim.call("drop", entity="Thing", key={"id": 2})
    erp.call("expire")
    syncd(tmp_path, "run", "--once")
    assert held(pim) == held(erp)
    assert len(held(pim)) == 29
    assert "All 29 records in sync" in syncd(tmp_path, "reconcile")
    made = erp.call("seen")["mutations"] + pim.call("seen")["mutations"]
    assert made == attempts(tmp_path) > 30 + 20, "every request is an attempt"
    syncd(tmp_path, "run", "--once")
    assert erp.call("seen")["mutations"] + pim.call("seen")["mutations"] == made, "nothing was left to do"


def test_a_first_load_that_is_killed_and_loses_answers_makes_nothing_twice(pair: tuple[Cap, Cap], tmp_path: Path) -> None:
    erp, pim = pair
    erp.call("rows", entity="Thing", rows=[product(number) for number in range(1, 61)], ago=60)
    lost = {"kind": "lost", "method": ["POST"], "times": 2}
    for turn in range(2):
        pim.call("faults", faults=[lost | {"after": 5}, lost | {"after": 10, "kind": "garbage"}])
        process = subprocess.Popen(command(tmp_path, "run"), cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        until = time.monotonic() + 30
        while len(held(pim)) < 15 * (turn + 1) and time.monotonic() < until:
            time.sleep(0.05)
        process.send_signal(signal.SIGKILL)
        process.wait()
    syncd(tmp_path, "run", "--once")
    assert held(pim) == held(erp)
    assert len(held(pim)) == 60


def test_a_batch_meets_every_fault_and_each_edit_arrives_once(pair: tuple[Cap, Cap], tmp_path: Path) -> None:
    erp, pim = pair
    erp.call("rows", entity="Thing", rows=[product(number) for number in range(1, 81)], ago=60)
    syncd(tmp_path, "run", "--once")
    pim.call("many", entity="Thing", rows=[{"id": number, "stock": 9000 + number} for number in range(1, 81)])
    page = {"kind": "status", "status": 200, "type": "text/html", "body": "<html>Wartung</html>"}
    busy = {"kind": "status", "status": 503, "headers": {"retry-after": "1"}}
    faults = [{"kind": "expire"}, {"kind": "lost"}, page, {"kind": "half"}, busy]
    erp.call("faults", faults=[one | {"method": ["POST"], "after": 1} for one in faults])
    syncd(tmp_path, "run", "--once")
    assert held(pim) == held(erp)
    assert {row[3] for row in held(erp)} == {9000 + number for number in range(1, 81)}
    assert erp.call("seen")["mutations"] == 80, "what became of a write in doubt was read, not guessed"


def test_keys_of_every_kind_marks_and_fields_of_one_direction(servers: tuple[Cap, Cap], tmp_path: Path) -> None:
    pim = fresh(servers[1])
    material = {"path": "A_Product", "id": "Product", "changed_at": "LastChangeDateTime", "version": "etag", "page": 5}
    material |= {"deleted": {"field": "IsMarkedForDeletion", "is": True}}
    text = {"path": "A_ProductDescription", "id": "Product,Language", "page": 4}
    with cap_process("product", csrf=True) as sap, cap_process("product") as copy:
        pim.call("rows", entity="Thing", rows=[{"id": n, "sku": sku, "name": f"L{n}"} for n, sku in enumerate(ODD)], ago=60)
        texts = [{"Product": sku, "Language": "EN", "ProductDescription": f"of {sku}"} for sku in ODD]
        sap.call("rows", entity="A_ProductDescription", rows=texts)
        platforms = {
            "pim": odata(pim.v4, things=THING),
            "sap": odata(sap.v2, materials=material, texts=text, write={"batch": 10}),
            "copy": odata(copy.v4, texts=text, write={"batch": 10}),
        }
        platforms["copy"]["connection"]["batch"] = "json"
        write_config(tmp_path, platforms, {"material": MATERIAL, "text": TEXT})
        syncd(tmp_path, "run", "--once")
        assert [row[0] for row in held(sap, "A_Product", ("Product", "ProductGroup"))] == sorted(
            ODD, key=lambda one: str((one,))
        )
        names = ("Product", "Language", "ProductDescription")
        assert held(copy, "A_ProductDescription", names) == held(sap, "A_ProductDescription", names)
        sap.call("put", entity="A_Product", row={"Product": "A/B", "ProductGroup": "STRAY"})
        sap.call("put", entity="A_ProductDescription", row={"Product": "A'B", "Language": "EN", "ProductDescription": "new"})
        pim.call("drop", entity="Thing", key={"id": ODD.index("ä b+c%")})
        syncd(tmp_path, "run", "--once")
        products = {row[0]: row[1:] for row in held(sap, "A_Product", ("Product", "ProductGroup", "IsMarkedForDeletion"))}
        assert products["A/B"] == ("L1", None), "a field that only goes out is put back"
        assert products["ä b+c%"] == ("L2", True), "marked, since nothing is deleted there"
        assert held(copy, "A_ProductDescription", names) == held(sap, "A_ProductDescription", names)
        made = sap.call("seen")["mutations"] + copy.call("seen")["mutations"]
        syncd(tmp_path, "run", "--once")
        assert sap.call("seen")["mutations"] + copy.call("seen")["mutations"] == made
