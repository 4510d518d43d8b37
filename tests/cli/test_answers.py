"""What an operator asks for: which error comes first, what is said of a wrong word, lists as CSV, help that is whole."""

import json
import subprocess
from pathlib import Path

import pytest

from syncd.cli import main
from tests.cli.scene import SYNCD, environment, make_folder
from tests.cli.test_whole import Shop, shop

__all__ = ["shop"]

Capture = pytest.CaptureFixture[str]


def test_a_config_with_errors_comes_before_a_plan_that_is_not_there(shop: Shop) -> None:
    (shop.home / "config/entities/product.yaml").write_text("entity: product\n")
    assert shop.syncd("apply", "nope.json", "--yes") == 78


def test_a_file_that_is_no_plan_is_named(shop: Shop) -> None:
    (shop.home / "list.txt").write_text("milk\n")
    for name, said in (
        ("nope.json", "cannot read the plan {}: No such file or directory; syncd plan --out {} makes one"),
        ("list.txt", "{} is no saved plan; syncd plan --out {} makes one"),
    ):
        file = str(shop.home / name)
        assert shop.syncd("apply", file, "--yes") == 1
        assert shop.capsys.readouterr().err == f"error: {said.format(file, file)}\n"


def test_configs_that_the_ledger_keeps_are_named(shop: Shop) -> None:
    assert shop.syncd("run", "--once") == 0
    shop.capsys.readouterr()
    sha = shop.answer("plan")["config_sha"]
    assert shop.syncd("plan", "--against", "0000000") == 1
    assert f"those that were loaded, last first: {sha}\n" in shop.capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "head", "first"),
    [
        (["explain", "product", "MUG-1"], "field,golden.value,golden.version,golden.decided_at,golden.from,", "sku,MUG-1,"),
        (["explain", "product", "MUG-1", "price"], "platform,state,value,", "erp,value,"),
        (["history", "product", "MUG-1", "--diff", "1..2"], "field,before,after,versions", "price,12.00,12.50,[2]"),
        (["history", "product", "MUG-1"], "version,at,field,", "2,"),
    ],
)
def test_each_answer_has_its_own_list(tmp_path: Path, capsys: Capture, words: list[str], head: str, first: str) -> None:
    folder = make_folder(tmp_path)
    assert main(["--config", str(folder), *words, "--format", "csv"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith(head)
    assert lines[1].startswith(first)


def test_a_wrong_schema_is_asked_back(tmp_path: Path, capsys: Capture) -> None:
    assert main(["--config", str(make_folder(tmp_path, ledger=False)), "schema", "entitty"]) == 64
    assert 'no schema called "entitty"; did you mean "entity"?' in capsys.readouterr().err


def test_every_help_names_what_every_command_takes(capsys: Capture) -> None:
    assert main(["explain", "--help"]) == 0
    said = capsys.readouterr().out
    for flag in ("--config", "--format", "-o", "--color", "--utc", "--local", "--reveal", "-v"):
        assert f" {flag} " in said


def test_online_tells_each_cause_once(capsys: Capture, tmp_path: Path) -> None:
    """A platform that is not reached and a missing secret are one finding each."""
    folder = make_folder(tmp_path, ledger=False)
    text = "platform: erp\nconnector: odata\nmode: observe\nconnection: {base_url: http://127.0.0.1:1}\n"
    (folder / "platforms/erp.yaml").write_text(text + "collections: {items: {path: Item, id: sku}}\n")
    assert main(["--config", str(folder), "check", "--online", "--format", "json"]) == 78
    found = [(one["code"], one["severity"]) for one in json.loads(capsys.readouterr().out)["diagnostics"]]
    assert found == [("E314", "error"), ("E310", "error")]


def test_a_platform_that_is_not_reached_is_3_also_when_strict(capsys: Capture, tmp_path: Path) -> None:
    folder = make_folder(tmp_path, ledger=False)
    for name, collection in (("shop", "products"), ("erp", "items")):
        text = f'platform: {name}\nconnector: sql\nconnection: {{dsn: "sqlite:///no.db"}}\n'
        (folder / f"platforms/{name}.yaml").write_text(
            text + f"collections: {{{collection}: {{table: {collection}, id: id}}}}\n"
        )
    for strict in ([], ["--strict"]):
        assert main(["--config", str(folder), "check", "--online", *strict]) == 3
        assert "2 errors" in capsys.readouterr().out


def test_a_new_folder_names_its_schemas_and_its_next_steps(capsys: Capture, tmp_path: Path) -> None:
    folder = tmp_path / "config"
    assert main(["init", str(folder)]) == 0
    assert f"then  syncd test --config {folder}  then" in capsys.readouterr().out
    assert main(["schema", "--write", "--config", str(folder)]) == 0
    assert "# yaml-language-server: $schema=../.schema/entity.schema.json" in capsys.readouterr().out
    for file in folder.rglob("*.yaml"):
        words, path = file.read_text().splitlines()[0].split("=")
        assert words == "# yaml-language-server: $schema"
        assert (file.parent / path).is_file()


def test_a_bound_that_moves_is_put_to_what_is_there(shop: Shop) -> None:
    """What fails a new bound waits, what a wider one lets through does so no longer, and the plan says that it cannot know."""
    file = shop.home / "config/entities/product.yaml"
    rules = file.read_text()
    shop.settle()
    for bound, waiting in ((11, 1), (99, 0), (12, 1), (13, 0)):
        file.write_text(rules.replace("max_step: 50%", f"max_step: 50%, max: {bound}"))
        assert "erp.price was never put to the new checks of product.price" in shop.answer("plan")["needs"][0]
        assert shop.syncd("run", "--once") == 0
        assert len(shop.answer("conflicts")["conflicts"]) == waiting


def test_a_formula_that_no_platform_answers_to_decides_alone(shop: Shop) -> None:
    shop.settle()
    file = shop.home / "config/entities/product.yaml"
    file.write_text(
        file.read_text().replace("name: {type: string, truth: erp", 'name: {type: string, truth: {expr: "golden.sku"}')
    )
    assert shop.syncd("run", "--once") == 0
    first = shop.answer("explain", "product", "MUG-1", "name")["steps"][0]
    assert (first["text"][:23], first["result"]) == ("no platform changed it ", "the rule decides alone")


def test_the_history_begins_with_what_made_the_record(shop: Shop) -> None:
    shop.settle()
    shop.capsys.readouterr()
    assert shop.syncd("history", "product", "MUG-1") == 0
    lines = [line.split() for line in shop.capsys.readouterr().out.splitlines()]
    (made,) = [line for line in lines if "(new)" in line]
    assert (made[0], made[3:]) == ("1", ["(new)", "erp", "identity", "sku", "=", "MUG-1"])
    assert shop.answer("history", "product", "MUG-1")["key"] == "sku"
    assert shop.syncd("history", "product", "MUG-1", "price") == 0
    assert "(new)" not in shop.capsys.readouterr().out
    assert shop.syncd("history", "product", "MUG-1", "price", "--field", "name") == 64


def test_the_type_of_an_ndjson_line_is_what_it_is_a_line_of(tmp_path: Path, capsys: Capture) -> None:
    for words, kind in ((["rules"], "rule"), (["check"], "diagnostic"), (["explain", "product", "MUG-1"], "field")):
        main(["--config", str(make_folder(tmp_path / kind)), *words, "--format", "ndjson"])
        head, *lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
        assert (head["type"], {one["type"] for one in lines}) == ("head", {kind})


def test_a_demo_in_the_background_of_a_script_stops_when_told() -> None:
    """A shell starts background jobs with SIGINT ignored; SIGTERM stops everything all the same."""
    words = ["sh", "-c", 'trap "" INT; exec "$0" demo --keep', str(SYNCD)]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True, env=environment()) as demo:
        assert demo.stdout is not None
        assert "Everything is in" in demo.stdout.readline()
        demo.terminate()
        assert "stopped; the folder stays" in demo.communicate(timeout=30)[0]
    assert demo.returncode == 0
