"""Config folders for tests: the example of the contract, small ones, and what checking them prints."""

import shutil
from collections.abc import Mapping
from pathlib import Path

from syncd.config.diagnostics import Diagnostic
from syncd.config.load import load
from syncd.config.model import Loaded
from syncd.config.scene import Evidence
from tests.config.kinds import KINDS

EXAMPLE = Path(__file__).parents[2] / "config"  # the example of the contract, word for word
NOTHING = Evidence()


def write(folder: Path, files: Mapping[str, str]) -> Path:
    """Write files by path into a folder."""
    for path, text in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text, encoding="utf-8")
    return folder


def example(folder: Path, edits: Mapping[str, Mapping[int, str | None]] | None = None) -> Path:
    """Copy the example of the contract, with some of its lines replaced (or removed: None)."""
    shutil.copytree(EXAMPLE, folder, dirs_exist_ok=True)
    for path, lines in (edits or {}).items():
        text = (folder / path).read_text(encoding="utf-8").split("\n")
        for number, line in sorted(lines.items(), reverse=True):
            text[number - 1 : number] = [] if line is None else line.split("\n")
        (folder / path).write_text("\n".join(text), encoding="utf-8")
    return folder


def loaded(folder: Path, *, evidence: Evidence = NOTHING, **environ: str) -> Loaded:
    """Load a folder with the tests' kinds and an environment of its own."""
    env = {"HOME": "/home/tester", **environ}
    return load(folder, KINDS, environ=env, evidence=evidence)


def codes(found: Loaded) -> list[str]:
    """Return the codes of all findings, in order."""
    return [one.code for one in found.diagnostics]


def heads(found: Loaded) -> list[str]:
    """Return the first lines of all findings, in order."""
    return [one.head for one in found.diagnostics]


def only(found: Loaded, code: str) -> Diagnostic:
    """Return the one finding of a code."""
    (one,) = [each for each in found.diagnostics if each.code == code]
    return one


SERVICE = "version: 1\nsecrets_dir: secrets\n"
ERP = """platform: erp
connector: sql
mode: enforce
connection: {dsn: "sqlite:///erp.db"}
watch:
  poll: {every: 5s}
collections:
  items: {table: items, id: item_no, changed_at: updated_at, version: rev}
  people: {table: people, id: person_no}
"""
SHOP = """platform: shop
connector: rest
mode: enforce
connection: {base_url: "http://127.0.0.1:1"}
collections:
  products: {id: id, list: GET /products, version: etag}
"""
PRODUCT = """entity: product
in:
  erp: {collection: items}
  shop: {collection: products, create: true}
identity:
  key: sku
fields:
  sku: {type: string, truth: erp, map: {erp: sku, shop: sku}}
  name: {type: string, truth: erp, map: {erp: name, shop: title}}
"""
SMALL = {"syncd.yaml": SERVICE, "platforms/erp.yaml": ERP, "platforms/shop.yaml": SHOP, "entities/product.yaml": PRODUCT}


def small(folder: Path, **changes: str | None) -> Path:
    """Write a small folder that is good as it is; a file is replaced by its stem (``product=...``), None leaves it out."""
    files = dict(SMALL)
    for stem, text in changes.items():
        path = next((path for path in files if path.rpartition("/")[2] == f"{stem}.yaml"), f"platforms/{stem}.yaml")
        if text is None:
            files.pop(path)
        else:
            files[path] = text
    return write(folder, files)
