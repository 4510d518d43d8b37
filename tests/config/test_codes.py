"""Each code is made to happen once, at its exact place; the table and the page of codes are whole."""

import re
from pathlib import Path

import pytest

import syncd.config
from syncd.config.codes import CODES, page
from syncd.config.restart import needs_restart
from tests.config.folders import ERP, PRODUCT, SERVICE, SHOP, loaded, only, small, write

FIELDS = PRODUCT.partition("fields:\n")[0] + "fields:\n"
READ_ONLY = SHOP.replace("platform: shop", "platform: erp").replace("products: {", "items: {read: GET /x, ")


def product(**lines: str) -> dict[str, str | None]:
    """Return the small entity with lines replaced by their key: ``sku``, ``name``, or with one more line."""
    text = PRODUCT
    for key, line in lines.items():
        found = re.search(rf"^ *{key}:.*\n", text, re.MULTILINE)
        text = text.replace(found[0], line + "\n") if found else text + line + "\n"
    return {"product": text}


Made = tuple[
    dict[str, str | None], str, str, str
]  # what is changed in a good folder, file:line:col, what is underlined, message
LOSSY = """platform: shop
connector: odata
mode: enforce
connection: {base_url: "https://sap.example"}
collections:
  products: {path: Product, id: id, shape: {weight: integer}, version: etag}
"""

MADE: dict[str, Made] = {
    "E001": ({"syncd": "version: [1\n"}, "syncd.yaml:1:12", "", 'not YAML: the "[" on line 1 is not closed here'),
    "E002": ({"syncd": SERVICE + "version: 1\n"}, "syncd.yaml:3:1", "version", 'duplicate key "version"'),
    "E003": ({"syncd": SERVICE + "environment: &e test\n"}, "syncd.yaml:3:14", "&e", "an anchor is not allowed here"),
    "E010": (
        {"shop": SHOP + 'limits: {concurrency: "4"}\n'},
        "platforms/shop.yaml:7:23",
        '"4"',
        'must be a whole number, not the text "4"',
    ),
    "E011": (
        product(name="  name: {type: string, truth: erp, stray_edits: revrt, map: {erp: name}}"),
        "entities/product.yaml:9:49",
        "revrt",
        '"revrt" is not one of revert, keep, review',
    ),
    "E012": (
        {"shop": SHOP.replace('"http://127.0.0.1:1"', "x, api_version: 1.10")},
        "platforms/shop.yaml:4:40",
        "1.10",
        "must be text, and YAML reads 1.10 as 1.1",
    ),
    "E013": (
        {"shop": SHOP.replace('"http://127.0.0.1:1"', '"http://${SHOP_HOST}:1"')},
        "platforms/shop.yaml:4:32",
        "${SHOP_HOST}",
        "variable SHOP_HOST is not set",
    ),
    "E014": ({"syncd": "version: 2\n"}, "syncd.yaml:1:10", "2", "unknown version 2"),
    "E015": ({"syncd": SERVICE + "reconcile: {settle: 30}\n"}, "syncd.yaml:3:21", "30", '"30" is not a duration: 30 what?'),
    "E020": (
        {"shop": SHOP.replace("platform: shop", "platform: shopp")},
        "platforms/shop.yaml:1:11",
        "shopp",
        'file name and content differ: shop.yaml says platform "shopp"',
    ),
    "E031": (
        {"shop": SHOP.replace('"http://127.0.0.1:1"', "x, token: ghp_0123456789abcdefghij")},
        "platforms/shop.yaml:4:34",
        "ghp_********************",
        "a real-looking GitHub token",
    ),
    "E051": (
        {"syncd": SERVICE + "listen: {console: '[::]:8686'}\n"},
        "syncd.yaml:3:19",
        "'[::]:8686'",
        "console open to the network, no login",
    ),
    "E052": (
        {"shop": SHOP + "watch: {webhook: {path: /hooks/shop}}\n"},
        "platforms/shop.yaml:7:9",
        "webhook",
        "webhook without verify",
    ),
    "E101": ({"syncd": SERVICE + "enviroment: test\n"}, "syncd.yaml:3:1", "enviroment", 'unknown key "enviroment"'),
    "E102": (
        {"shop": SHOP.replace("{id: id, list: GET /products, version: etag}", "{list: GET /products}")},
        "platforms/shop.yaml:6:3",
        "products",
        'missing key "id"',
    ),
    "E103": ({"shop": SHOP.replace("rest", "rset")}, "platforms/shop.yaml:2:12", "rset", 'unknown connector "rset"'),
    "E104": (
        product(name="  name: {type: string, truth: {owner: erp, if_nul: keep}, map: {erp: name}}"),
        "entities/product.yaml:9:44",
        "if_nul",
        'unknown rule option "if_nul"',
    ),
    "E190": (
        product(name="  name: {type: string, trust: 5, truth: erp, map: {erp: name}}"),
        "entities/product.yaml:9:24",
        "trust",
        '"trust" is not in this version',
    ),
    "E201": (
        product(name="  name: {type: string, truth: epr, map: {erp: name}}"),
        "entities/product.yaml:9:31",
        "epr",
        'no platform called "epr"',
    ),
    "E202": (
        product(name="  name: {type: string, truth: erp, map: {erp: name, shp: title}}"),
        "entities/product.yaml:9:53",
        "shp",
        'no platform called "shp" to map',
    ),
    "E203": (
        product(name="  name: {type: string, truth: erp, map: {shop: title}}"),
        "entities/product.yaml:9:31",
        "erp",
        "owner erp has no mapping for this field",
    ),
    "E204": (
        {"product": PRODUCT.replace("collection: products", "collection: prodcts")},
        "entities/product.yaml:4:22",
        "prodcts",
        'shop has no collection called "prodcts"',
    ),
    "E205": (
        product(name="  name: {type: string, group: adress, map: {erp: name}}"),
        "entities/product.yaml:9:31",
        "adress",
        'no group called "adress"',
    ),
    "E207": (
        product(sku="  sku: {type: string, truth: erp, map: {erp: sku}}"),
        "entities/product.yaml:4:3",
        "shop",
        "shop maps no match key",
    ),
    "E208": (
        product(label="  label: {type: string, truth: erp, map: {erp: label, shop: title}}"),
        "entities/product.yaml:10:55",
        "shop",
        "name is written to title of shop too",
    ),
    "E209": (
        {"product": PRODUCT.replace("collection: items", "collection: items, create: true"), "erp": READ_ONLY},
        "entities/product.yaml:3:28",
        "create",
        "erp cannot create in items",
    ),
    "E210": (product(label='label: "{nmae}"'), "entities/product.yaml:10:8", '"{nmae}"', 'unknown name "nmae" in the label'),
    "E211": (
        product(name="  name: {type: string, truth: {expr: erp.sku = 'A'}, map: {erp: name}}"),
        "entities/product.yaml:9:46",
        "=",
        '"=" stores, it does not compare',
    ),
    "E221": (
        product(name="  name: {type: string, truth: [{when: erp.sku == 'A', owner: erp}], map: {erp: name}}"),
        "entities/product.yaml:9:33",
        "when",
        "the last case has a condition",
    ),
    "E222": (
        product(name="  name: {type: string, truth: [{owner: erp}, {owner: shop}], map: {erp: name, shop: n}}"),
        "entities/product.yaml:9:46",
        "{owner: shop}",
        "this case is never reached",
    ),
    "E223": (
        {
            "product": PRODUCT
            + "  city: {type: string, group: g, map: {erp: city}}\n"
            + 'groups: {g: {truth: {expr: "lower(erp.name)"}}}\n'
        },
        "entities/product.yaml:11:22",
        "expr",
        "expr cannot decide a group",
    ),
    "E224": (
        {
            "product": PRODUCT
            + "  net: {type: decimal(2), truth: {expr: golden.gross / 1.19}}\n"
            + "  gross: {type: decimal(2), truth: {expr: golden.net * 1.19}}\n"
        },
        "entities/product.yaml:10:41",
        "golden.gross",
        "net and gross depend on each other",
    ),
    "E225": (
        {
            "product": PRODUCT
            + "  picture: {type: url, truth: {manual: true, reviewers: [ana]}, map: {erp: {path: p, direction: out}}}\n"
        },
        "entities/product.yaml:10:3",
        "picture",
        "nobody can ever fill picture",
    ),
    "E227": (
        {"product": PRODUCT + "  price: {type: decimal(2), truth: {expr: shop.raw.price * 2}, map: {shop: price}}\n"},
        "entities/product.yaml:10:43",
        "shop.raw.price",
        "the rule of price reads what it writes",
    ),
    "E228": (
        {
            "shop": LOSSY,
            "product": PRODUCT + "  weight: {type: decimal(3), truth: erp, map: {erp: weight, shop: weight}}\n",
        },
        "entities/product.yaml:10:61",
        "shop",
        "weight is decimal(3), and shop keeps it as integer",
    ),
    "E229": (
        product(name="  name: {type: ref(prodcut), truth: erp, map: {erp: name}}"),
        "entities/product.yaml:9:16",
        "ref(prodcut)",
        'no entity called "prodcut"',
    ),
    "E230": (
        {"product": PRODUCT.replace("key: sku", "key: skuu")},
        "entities/product.yaml:6:8",
        "skuu",
        'identity key "skuu" is no field',
    ),
    "E231": (
        product(deletes="deletes: {authority: erp, then: {shop: archive}}"),
        "entities/product.yaml:10:40",
        "archive",
        "shop has no marker to archive by",
    ),
    "E232": (
        product(name="  name: {type: string, truth: {merge: sum, from: [erp, shop]}, map: {erp: name, shop: n}}"),
        "entities/product.yaml:9:39",
        "sum",
        "merge: sum needs a number, and the field is of type string",
    ),
    "E233": (
        product(name="  name: {type: string, truth: erp, map: {erp: name, shop: {path: t, read: [ref(product)]}}}"),
        "entities/product.yaml:9:53",
        "shop",
        "ref(product) in a field that is no reference to product",
    ),
    "E240": (
        product(name="  name: {type: string, truth: erp, map: {erp: name, shop: {path: t, read: [strip_zeros]}}}"),
        "entities/product.yaml:9:75",
        "[strip_zeros]",
        "this transform has no way back",
    ),
    "E241": (
        product(name="  name: {type: string, truth: {newest: [erp, shop], skew: 100ms}, map: {erp: n, shop: n}}"),
        "entities/product.yaml:9:59",
        "100ms",
        "skew 100ms is below the tick of erp: 1s",
    ),
    "E242": (
        product(
            name="  stock: {type: integer, truth: {merge: delta, from: [erp, shop]},"
            " map: {erp: n, shop: {path: n, write: [round(0)]}}}"
        ),
        "entities/product.yaml:9:82",
        "shop",
        "shop cannot take a counter exactly",
    ),
    "E260": (
        {"syncd": SERVICE + "python: plugins/mine.py\n"},
        "syncd.yaml:3:9",
        "plugins/mine.py",
        "plugins are not allowed here",
    ),
    "E261": (
        {"syncd": SERVICE + "allow_plugins: true\npython: plugins/mine.py\n"},
        "syncd.yaml:4:9",
        "plugins/mine.py",
        'no plugin "plugins/mine.py" in the config folder',
    ),
    "W032": (
        {"erp": ERP.replace('erp.db"', 'erp.db", password: secret:erp-db')},
        "platforms/erp.yaml:4:49",
        "secret:erp-db",
        "no secret erp-db",
    ),
    "W210": (
        product(name="  name: {type: string, truth: {manual: true}, map: {erp: name}}"),
        "entities/product.yaml:9:24",
        "truth",
        "name waits for a person, nobody is told",
    ),
    "W212": (
        {"syncd": SERVICE + "safety: {on_trip: warn}\n"},
        "syncd.yaml:3:10",
        "on_trip",
        "a tripped breaker only warns, and nobody is told",
    ),
    "W230": (
        product(name="  name: {type: string, truth: {newest: [erp, shop]}, map: {erp: name, shop: title}}"),
        "entities/product.yaml:9:32",
        "newest",
        "newest without field times: erp and shop",
    ),
    "W231": (
        {"product": PRODUCT.replace("key: sku", "key: sku\n  match: [{by: sku}, {by: [brand, colour]}]")},
        "entities/product.yaml:7:27",
        "[brand, colour]",
        "this match never matches: product has no field brand or colour",
    ),
    "W243": (
        {"shop": SHOP + "write: {guard: none}\n"},
        "platforms/shop.yaml:7:16",
        "none",
        "guard: none loses data when two write at once",
    ),
    "W245": (
        {"erp": ERP.replace("item_no", "sku")},
        "platforms/erp.yaml:8:67",
        "rev",
        "sku can be used again, and rev then starts again",
    ),
    "W247": (
        product(name="  name: {type: string, truth: erp, map: {erp: name, shop: {path: title, read: [lower]}}}"),
        "entities/product.yaml:9:79",
        "[lower]",
        "shop gives name back in another case",
    ),
    "W246": (
        {"shop": SHOP.replace("version: etag", "version: etag, writable: [sku]")},
        "entities/product.yaml:9:53",
        "shop",
        "shop may not be written in title",
    ),
}


@pytest.mark.parametrize("code", MADE)
def test_a_code_happens_at_its_place(code: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    changes, place, underlined, message = MADE[code]
    found = loaded(small(Path("config"), **changes))
    one = only(found, code)
    assert (f"{one.file}:{one.line}:{one.col}", one.message) == (f"config/{place}", message)
    assert one.source[one.col - 1 : one.end_col - 1] == underlined
    promised = [each for each in found.diagnostics if each.code == "E190" and each.severity == "warning"]
    assert [each.code for each in found.diagnostics if each.code not in (code, "W230") and each not in promised] == []
    assert (found.config is None) == code.startswith("E")


def test_a_secret_from_the_environment_is_a_warning(tmp_path: Path) -> None:
    folder = small(tmp_path, erp=ERP.replace('erp.db"', 'erp.db", password: secret:erp-db'))
    one = only(loaded(folder, SYNCD_SECRET_ERP_DB="x"), "W031")
    assert (one.line, one.col, one.end_col, one.hint) == (4, 49, 62, "SYNCD_SECRET_ERP_DB")


def test_two_entities_in_one_collection(tmp_path: Path) -> None:
    folder = small(tmp_path)
    (folder / "entities/second.yaml").write_text(PRODUCT.replace("entity: product", "entity: second"))
    found = [one for one in loaded(folder).diagnostics if one.code == "E206"]
    assert [(one.line, one.col, one.message) for one in found] == [
        (3, 3, "erp's items is the home of product already"),
        (4, 3, "shop's products is the home of product already"),
    ]


def test_a_collection_with_neither_version_nor_body(tmp_path: Path) -> None:
    warehouse = """platform: warehouse
connector: file
mode: enforce
connection: {dir: drop}
collections:
  stock: {files: "*.csv", id: sku}
"""
    text = PRODUCT.replace("  shop: {coll", "  warehouse: {collection: stock}\n  shop: {coll")
    text = text.replace("shop: sku}", "shop: sku, warehouse: sku}")
    one = only(loaded(small(tmp_path, warehouse=warehouse, product=text)), "W244")
    assert (one.line, one.col, one.message) == (6, 3, "stock has neither versions nor answers with a body")


def test_what_a_reload_cannot_change(tmp_path: Path) -> None:
    old = loaded(small(tmp_path / "old"), STATE_DIRECTORY="/s", RUNTIME_DIRECTORY="/r").config
    changed = SERVICE + "listen: {hooks: 127.0.0.1:9, control: none}\n"
    new = loaded(small(tmp_path / "new", syncd=changed), STATE_DIRECTORY="/s", RUNTIME_DIRECTORY="/r").config
    assert old is not None
    assert new is not None
    assert [one.head.partition("syncd.yaml")[2] for one in needs_restart(old, new)] == [
        ":3:17: error E060: listen.hooks cannot change while syncd runs",
        ":3:39: error E060: listen.control cannot change while syncd runs",
    ]
    assert needs_restart(old, old) == []


@pytest.mark.parametrize(
    ("code", "test", "place", "message"),
    [
        ("E250", "given: {erp: {nam: x}}, expect: {writes: {}}", "3:29", "nam"),
        ("E251", "base: {sku: 5}, given: {erp: {name: x}}, expect: {writes: {}}", "3:27", "sku"),
    ],
)
def test_a_rule_test_that_names_or_says_what_cannot_be(tmp_path: Path, code: str, test: str, place: str, message: str) -> None:
    text = f"entity: product\ntests:\n  - {{name: a, {test}}}\n"
    one = only(loaded(write(small(tmp_path), {"tests/a.yaml": text})), code)
    assert f"{one.line}:{one.col}" == place
    assert message in one.message


def test_every_code_is_tested_and_every_code_used_is_explained() -> None:
    used: set[str] = set()
    room = Path(syncd.config.__file__).parent
    for path in (*room.glob("*.py"), room.parent / "core" / "scope.py", room.parent / "core" / "tokens.py"):
        if path.stem not in ("filecodes", "rulecodes", "onlinecodes"):
            used |= set(re.findall(r'"([EW][0-9]{3})"', path.read_text(encoding="utf-8")))
    offline = {code for code in CODES if code[1] != "3"}  # what platforms answer is made to happen in tests/cli
    assert {code for code in used if code[1] != "3"} == offline
    assert offline - set(MADE) == {"E060", "E206", "E250", "E251", "E262", "W031", "W244"}  # each has a test of its own above


def test_the_page_of_errors_is_up_to_date() -> None:
    docs = Path(__file__).parents[2] / "docs" / "errors.md"
    assert docs.read_text(encoding="utf-8") == page(), "write it again: python -m syncd.config.codes > docs/errors.md"


@pytest.mark.parametrize("code", CODES)
def test_every_code_explains_itself(code: str) -> None:
    one = CODES[code]
    assert one.text().startswith(f"{code}  {one.title}  ({one.level})\n")
    assert all(len(line) <= 110 for line in one.text().split("\n"))
    assert one.cause.endswith(".")
    assert one.fix.endswith(".")
