"""``syncd plan`` and ``syncd apply`` as real commands: a REST shop, an ERP in SQLite, a config folder and its ledger."""

import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from syncd.cli import main
from tests.daemon.company import PRODUCT, SHOP, Company, company, until

Capture = pytest.CaptureFixture[str]
ENTITY = "entities/product.yaml"
EDITED = PRODUCT.replace("name: {type: string, truth: erp", "name: {type: string, truth: {const: Mug}")


@pytest.fixture
async def acme(tmp_path: Path) -> AsyncIterator[Company]:
    """A company of three products, in step."""
    async with company(tmp_path) as one:
        one.stock(3)
        assert await one.command("run", "--once") == 0
        (tmp_path / "syncd.log").write_text("")
        yield one


async def said(one: Company, *words: str) -> tuple[int, str]:
    """Run a command; return its exit code and all that it printed."""
    (one.folder / "syncd.log").write_text("")
    return await one.command(*words), one.log


async def test_nothing_changed(acme: Company) -> None:
    code, text = await said(acme, "plan", "--exit-code")
    assert code == 0, text
    assert text.rstrip().endswith("No changes.")


async def test_an_edit_is_shown_and_nothing_is_written(acme: Company) -> None:
    acme.write(ENTITY, EDITED)
    code, text = await said(acme, "plan", "--exit-code")
    assert code == 2, text
    assert "product.name   owner erp  ->  const Mug" in text
    assert "Plan: 6 to update, 0 to create, 0 to delete; 0 values removed.  Not saved (--out plan.json)." in text
    assert {thing["name"] for thing in acme.in_shop().values()} == {"Mug 1", "Mug 2", "Mug 3"}
    assert (await said(acme, "plan"))[0] == 0


async def test_formats(acme: Company) -> None:
    acme.write(ENTITY, EDITED)
    files = [acme.folder / f"plan.{suffix}" for suffix in ("json", "ndjson", "csv", "md", "html")]
    code, text = await said(acme, "plan", *(word for file in files for word in ("-o", str(file))))
    assert code == 0, text
    assert all("MUG-2" in file.read_text() for file in files)
    document = json.loads(files[0].read_text())
    assert document["schema"] == "syncd.plan/1.0"
    assert len(document["changes"]) == len(document["patches"]) == 6
    one = document["changes"][0]
    assert (one["op"], one["field"], one["after"], one["rule"]["strategy"]) == ("update", "name", "Mug", "const")
    assert len(files[2].read_text().splitlines()) == 7


def test_a_config_with_errors_is_78(folder: Path, capsys: Capture) -> None:
    file = folder / ENTITY
    file.write_text(file.read_text().replace("truth: erp", "truth: erpp"))
    assert main(["plan", "--config", str(folder)]) == 78
    assert "E201" in capsys.readouterr().err


async def test_one_record_is_read_now(acme: Company) -> None:
    acme.sql("UPDATE products SET price = '99.00' WHERE sku = 'MUG-2'")
    code, text = await said(acme, "plan", "product", "MUG-2", "--exit-code")
    assert code == 2, text
    assert "shop   10.00  ->  99.00" in text
    assert acme.in_shop()["MUG-2"]["price"] == "10.00"
    assert (await said(acme, "plan", "product", "MUG-9"))[0] == 1
    code, text = await said(acme, "plan", "prodct", "MUG-2")
    assert (code, 'did you mean "product"' in text) == (64, True)


async def test_one_record_of_a_platform_that_cannot_be_read(acme: Company) -> None:
    acme.places["shop"] = "http://127.0.0.1:9"
    acme.write("platforms/shop.yaml", SHOP)
    acme.sql("UPDATE products SET price = '99.00' WHERE sku = 'MUG-2'")
    code, text = await said(acme, "plan", "product", "MUG-2")
    assert code == 3, text
    assert "shop could not be read" in text
    assert "shop   10.00  ->  99.00" in text, "what it showed last"


async def test_the_past_is_fed_to_the_new_rules(acme: Company) -> None:
    acme.write(ENTITY, EDITED)
    code, text = await said(acme, "plan", "--replay", "7d")
    assert code == 0, text
    assert "Replayed 3 decisions since" in text
    assert "3 would have differed" in text
    assert "name   - -> Mug 1, now Mug" in text


async def test_apply_does_what_was_shown(acme: Company) -> None:
    acme.write(ENTITY, EDITED)
    file = str(acme.folder / "plan.json")
    code, text = await said(acme, "plan", "--out", file)
    assert f"Saved (syncd apply {file})." in text
    code, text = await said(acme, "apply", file)
    assert (code, "add --yes" in text) == (5, True), text
    code, text = await said(acme, "apply", file, "--dry-run")
    assert (code, "Nothing was written: --dry-run." in text) == (0, True), text
    code, text = await said(acme, "apply", file, "--yes")
    assert (code, "6 written" in text) == (0, True), text
    assert {thing["name"] for thing in acme.in_shop().values()} == {"Mug"}
    assert {name for (name,) in acme.sql("SELECT name FROM products")} == {"Mug"}
    code, text = await said(acme, "apply", file, "--yes")
    assert (code, "loaded already" in text) == (5, True), text
    assert (await said(acme, "plan", "--exit-code"))[0] == 0


@pytest.mark.parametrize("running", [False, True])
async def test_apply_refuses_what_has_moved(acme: Company, running: bool) -> None:
    acme.write(ENTITY, EDITED)
    file = str(acme.folder / "plan.json")
    await said(acme, "plan", "--out", file)
    acme.write(ENTITY, PRODUCT)
    acme.sql("UPDATE products SET price = '11.00' WHERE sku = 'MUG-2'")
    if running:
        async with acme.running():
            await moved(acme)
            await refused(acme, file)
            assert "against the running config" in (await said(acme, "plan"))[1]
    else:
        assert await acme.command("run", "--once") == 0
        await refused(acme, file)


async def moved(one: Company) -> None:
    """Wait until the new price is in the shop."""
    await until(lambda: one.in_shop()["MUG-2"]["price"] == "11.00")
    await until(lambda: one.ledger("SELECT count(*) FROM attempt WHERE outcome IS NULL")[0] == (0,))


async def refused(one: Company, file: str) -> None:
    """Apply is refused, and says what moved."""
    one.write(ENTITY, EDITED)
    code, text = await said(one, "apply", file, "--yes")
    assert code == 5, text
    assert "product MUG-2: it was edited or written since" in text
    assert "MUG-1" not in text
    assert {thing["name"] for thing in one.in_shop().values()} == {"Mug 1", "Mug 2", "Mug 3"}


@pytest.mark.parametrize(
    ("words", "about"),
    [
        (["plan", "--live"], "--live goes with ENTITY ID"),
        (["plan", "product", "MUG-1", "--replay", "7d"], "leave ENTITY ID out"),
        (["plan", "product", "--out", "plan.json"], "--out saves a whole edit"),
        (["plan", "--replay", "soon"], "is not a duration"),
        (["plan", "--format", "junit"], "junit is a format of"),
    ],
)
def test_wrong_usage(folder: Path, capsys: Capture, words: list[str], about: str) -> None:
    assert main([*words, "--config", str(folder)]) == 64
    assert about in capsys.readouterr().err


def test_what_is_no_plan(folder: Path, capsys: Capture) -> None:
    file = folder / "other.json"
    file.write_text("{}")
    assert main(["apply", str(file), "--config", str(folder)]) == 1
    assert "is no saved plan" in capsys.readouterr().err
    assert main(["plan", "--against", "0000000", "--config", str(folder)]) == 1
    assert "keeps no config 0000000" in capsys.readouterr().err
