"""Which things are one, on the command line: what is asked, how it is answered, and how old names still find a record."""

from pathlib import Path

import pytest

from tests.cli.test_whole import PRODUCT, Shop

Capture = pytest.CaptureFixture[str]
MATCH = "match: [{by: sku}, {by: name, normal: [lower], confidence: review}]"
BY_NAME = PRODUCT.replace("{key: sku, ", f"{{key: sku, {MATCH}, ").replace("required: true, ", "")


@pytest.fixture
def shop(tmp_path: Path, capsys: Capture) -> Shop:
    made = Shop(tmp_path, capsys)
    (made.home / "config/entities/product.yaml").write_text(BY_NAME)
    (made.home / "config/platforms/erp.yaml").write_text(
        (made.home / "config/platforms/erp.yaml").read_text().replace("id: sku", "id: nr")
    )
    made.sql("erp", "DROP TABLE items")
    made.sql("erp", "CREATE TABLE items (nr INTEGER PRIMARY KEY, sku TEXT, name TEXT, price NUMERIC)")
    made.sql("erp", "INSERT INTO items VALUES (1, 'MUG-1', 'Mug', 12.5), (2, 'LAMP-3', 'Lamp', 10)")
    made.sql("shop", "UPDATE products SET sku = NULL, title = 'MUG' WHERE id = 1")
    for _ in range(2):
        assert made.syncd("run", "--once") == 0
    return made


def said(shop: Shop, *words: str) -> tuple[int, str, str]:
    shop.capsys.readouterr()
    code = shop.syncd(*words)
    out, err = shop.capsys.readouterr()
    return code, out, err


def test_a_weak_match_is_shown_with_the_ways_out(shop: Shop) -> None:
    [one] = shop.answer("conflicts")["conflicts"]
    assert (one["kind"], one["field"], one["thing"], one["candidates"]) == ("identity", None, "shop:1", ["MUG-1"])
    assert one["why"].startswith("to be confirmed: 1 candidates by name")
    _, out, _ = said(shop, "conflicts", "show", one["id"])
    assert f"syncd conflicts resolve {one['id']} --link shop:1 MUG-1" in out
    assert f"syncd conflicts resolve {one['id']} --split" in out


def test_link_and_split_from_the_command_line(shop: Shop) -> None:
    [one] = shop.answer("conflicts")["conflicts"]
    code, out, _ = said(shop, "conflicts", "resolve", one["id"], "--link", "shop:1", "MUG-1", "--note", "looked")
    assert (code, f"{one['id']} settled." in out) == (0, True)
    assert shop.answer("conflicts")["conflicts"] == []
    readings = shop.answer("explain", "product", "MUG-1", "name")["readings"]
    assert {reading["platform"]: reading["value"] for reading in readings} == {"erp": "Mug", "shop": "MUG"}
    code, out, _ = said(shop, "conflicts", "resolve", "shop:1", "--split", "--note", "no, another one")
    assert (code, "shop:1 settled." in out) == (0, True)
    found = shop.answer("explain", "product", "shop:1")
    assert found["record"] == "p3"
    [split] = [version for version in shop.answer("history", "product", "shop:1")["versions"] if not version["fields"]][:1]
    assert split["cause"].startswith("split off from MUG-1 (p1) by cli:")
    causes = [version["cause"] for version in shop.answer("history", "product", "MUG-1")["versions"]]
    assert any("split off as p3" in cause for cause in causes if cause)
    assert shop.syncd("run", "--once") == 0
    assert shop.answer("conflicts")["conflicts"] == []
    assert shop.answer("explain", "product", "shop:1")["record"] == "p3", "a person said so: it is not linked again"


def test_two_records_are_one_and_the_old_ids_still_find_it(shop: Shop) -> None:
    [one] = shop.answer("conflicts")["conflicts"]
    assert shop.syncd("conflicts", "resolve", one["id"], "--split") == 0
    assert shop.answer("explain", "product", "shop:1")["record"] == "p3"
    assert shop.syncd("conflicts", "resolve", "shop:1", "--link", "p3", "MUG-1") == 0
    for name in ("p3", "shop:1", "MUG-1", "p1"):
        assert shop.answer("explain", "product", name)["record"] == "MUG-1"
    assert "product p3 is MUG-1 now" in said(shop, "history", "product", "p3")[2]
    document = shop.answer("history", "product", "p3")
    assert any("p3 is one with it" in (version["cause"] or "") for version in document["versions"])
    assert [former["name"] for former in document["former_names"]] == ["p3"]


def test_a_renamed_record_is_found_by_its_old_key(shop: Shop) -> None:
    shop.sql("erp", "UPDATE items SET sku = 'CUP-1' WHERE nr = 1")
    assert shop.syncd("run", "--once") == 0
    code, out, err = said(shop, "history", "product", "MUG-1")
    assert code == 0
    assert "product MUG-1 is CUP-1 now" in err
    assert "renamed: MUG-1 is CUP-1 now" in out
    assert "Formerly MUG-1: renamed to CUP-1." in out
    assert shop.answer("explain", "product", "MUG-1")["record"] == "CUP-1"


@pytest.mark.parametrize(
    ("words", "code", "text"),
    [
        (["c-1", "--link", "shop:1"], 64, "expected 2 arguments"),
        (["c-1", "--link", "shop:1", "MUG-1", "--split"], 64, "not allowed with argument --link"),
        (["shopp:1", "--split"], 64, 'no platform called "shopp"'),
        (["c-1", "--split", "--row", "shopp"], 64, 'no platform called "shopp"'),
        (["c-1", "--keep", "--row", "shop"], 64, "it goes with --split"),
        (["shop:1", "--keep"], 64, '"shop:1" is no id here'),
        (["c-77", "--split"], 1, "no conflict c-77 in the ledger"),
        (["shop:77", "--split"], 1, "shop:77: the ledger knows no such thing"),
        (["c-1", "--link", "shop:1", "NONE"], 1, 'no product "NONE" in the ledger'),
        (["c-1", "--keep"], 1, "Say --link A B or --split"),
        (["erp:1", "--split"], 1, "nothing to split: erp 1 is the only row of MUG-1 (p1)"),
    ],
)
def test_what_is_refused(shop: Shop, words: list[str], code: int, text: str) -> None:
    found, _, err = said(shop, "conflicts", "resolve", *words)
    assert found == code, err
    assert text in err
