"""Transforms of one's own: allowed by name, proved like all others, and never more than a wrong value when they fail."""

from pathlib import Path

import pytest

from syncd.config.load import load_texts
from syncd.core.mapping import native_value, read_item
from syncd.core.model import Reading, State
from tests.config.folders import PRODUCT, SERVICE, heads, loaded, small, write
from tests.config.kinds import KINDS

ALLOWED = SERVICE + "allow_plugins: true\npython: plugins/mine.py\n"
PLUGIN = """
from decimal import Decimal

def to_euro(raw):
    return Decimal(raw) / 100

def to_cents(value):
    return int(value * 100)

TRANSFORMS = {"cents": (to_euro, to_cents), "shout": (str.upper, None), "odd": (lambda raw: object(), lambda value: 1 / 0)}
"""
PRICE = "  price: {{type: decimal(2), truth: erp, map: {{erp: price, shop: {{path: cents, {0}}}}}}}\n"
CENTS = PRICE.format("read: [cents]")


def folder(path: Path, *, product: str = PRODUCT + CENTS, plugin: str | None = PLUGIN, syncd: str = ALLOWED) -> Path:
    made = small(path, product=product, syncd=syncd)
    return write(made, {"plugins/mine.py": plugin}) if plugin is not None else made


def test_a_plugin_reads_and_writes_by_its_two_functions(tmp_path):
    found = loaded(folder(tmp_path))
    assert heads(found) == []
    entity = found.config.rules.entities["product"]
    assert read_item(entity, "shop", {"cents": 1250})["price"] == Reading(State.VALUE, "12.50")
    assert native_value(entity, "shop", "price", "12.50") == 1250
    (reading,) = (read_item(entity, "shop", {"cents": "x"})[name] for name in ["price"])
    assert (reading.state, reading.reason.partition(":")[0]) == (State.INVALID, "cents")


@pytest.mark.parametrize(
    ("pipeline", "head"),
    [
        ("read: [shout]", "this transform has no way back"),
        ("read: [cents], write: [shout]", "shout does not write"),
        ("read: [cents], write: [round(2)]", "what this writes is not read back as it was"),
        ("read: [odd]", "what this writes is not read back as it was"),
        ("read: [cent]", 'no transform called "cent"'),
        ("read: [cents(2)]", 'no transform called "cents"'),
    ],
)
def test_a_plugin_is_proved_like_the_others(tmp_path, pipeline, head):
    (one,) = loaded(folder(tmp_path, product=PRODUCT + PRICE.format(pipeline))).errors
    assert one.message == head


def test_a_lossy_plugin_is_found_out(tmp_path):
    lossy = PLUGIN.replace("int(value * 100)", "int(value) * 100")
    (one,) = loaded(folder(tmp_path, plugin=lossy)).errors
    assert (one.code, one.message) == ("E240", "what this writes is not read back as it was")


@pytest.mark.parametrize(
    ("plugin", "place", "message"),
    [
        ("x = 1\ndef f(:\n", "2:7", "not Python: invalid syntax"),
        ("import os\n\nos.nothing()\n", "3:1", "AttributeError: module 'os' has no attribute 'nothing'"),
        ("import sys\nsys.exit(3)\n", "2:1", "SystemExit: 3"),
        ("import nowhere_at_all\n", "1:1", "ModuleNotFoundError: No module named 'nowhere_at_all'"),
        ("", "1:1", "no table TRANSFORMS"),
        ("a = 1\nTRANSFORMS = {}\n", "2:1", "no table TRANSFORMS"),
        ("TRANSFORMS = {'cents': str}\n", "1:1", '"cents" is not (read, write)'),
        ("TRANSFORMS = {'cents': (str, 5)}\n", "1:1", '"cents" is not (read, write)'),
        ("TRANSFORMS = {5: (str, str)}\n", "1:1", "5 is no name for a transform"),
        ("TRANSFORMS = {'trim': (str, str)}\n", "1:1", 'there is a transform called "trim" already'),
    ],
)
def test_what_is_wrong_with_a_plugin_is_told_at_its_line(tmp_path, plugin, place, message):
    (one,) = loaded(folder(tmp_path, plugin=plugin)).errors
    assert one.code == "E262"
    assert (one.file, f"{one.line}:{one.col}") == (f"{tmp_path}/plugins/mine.py", place)
    assert one.message == message


def test_nothing_is_run_that_is_not_allowed(tmp_path):
    trap = f"open({str(tmp_path / 'ran')!r}, 'w').close()\n" + PLUGIN
    (one,) = loaded(folder(tmp_path, plugin=trap, syncd=ALLOWED.replace("true", "false"))).errors
    assert (one.code, one.line) == ("E260", 4)
    assert "allow_plugins: true" in one.fix
    loaded(folder(tmp_path, plugin=trap, syncd=SERVICE))
    assert not (tmp_path / "ran").exists()
    loaded(folder(tmp_path, plugin=trap))
    assert (tmp_path / "ran").exists()


ELSEWHERE = ["plugins/mine.txt", "../mine.py", "/etc/mine.py", "mine.py", "plugins/../plugins/mine.py", "[5]", "{a: b}"]


@pytest.mark.parametrize("path", ELSEWHERE)
def test_only_files_of_the_folder_are_plugins(tmp_path, path):
    write(tmp_path.parent, {"mine.py": PLUGIN})
    codes = [one.code for one in loaded(folder(tmp_path, syncd=ALLOWED.replace("plugins/mine.py", path))).errors]
    assert codes == ["E261"]


def test_a_link_out_of_the_folder_is_none(tmp_path):
    write(tmp_path / "elsewhere", {"mine.py": PLUGIN})
    made = folder(tmp_path / "config", plugin=None)
    (made / "plugins").mkdir()
    (made / "plugins/mine.py").symlink_to(tmp_path / "elsewhere/mine.py")
    assert [one.code for one in loaded(made).errors] == ["E261"]


def test_an_entity_names_its_own(tmp_path):
    made = folder(tmp_path, product="python: [plugins/mine.py]\n" + PRODUCT + CENTS, syncd=SERVICE + "allow_plugins: true\n")
    assert loaded(made).errors == []
    twice = folder(tmp_path, product="python: plugins/mine.py\n" + PRODUCT + CENTS)
    assert loaded(twice).errors == []


def test_its_text_counts_in_the_sha_and_a_kept_copy_is_run_only_if_it_is_the_one_in_the_folder(tmp_path):
    made = folder(tmp_path)
    now = loaded(made)
    write(made, {"plugins/mine.py": PLUGIN + "# another\n"})
    assert loaded(made).sha != now.sha
    (one,) = load_texts(made, now.texts, KINDS).errors
    assert (one.code, one.message) == ("E261", "plugins/mine.py is not as it was under this config")
    write(made, {"plugins/mine.py": PLUGIN})
    assert load_texts(made, now.texts, KINDS).errors == []
    write(made, {"syncd.yaml": SERVICE})
    assert [one.code for one in load_texts(made, now.texts, KINDS).errors] == ["E261"]
