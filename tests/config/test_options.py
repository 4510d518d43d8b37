"""A connector's own options: what its models find, told like everything else, and at its place."""

from pathlib import Path
from typing import Any, Literal

import pytest
from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from syncd.config.options import read_options
from syncd.config.section import root_of
from syncd.config.source import Source
from syncd.config.yaml import parse
from syncd.connectors.options import Duration, Options, Rate, Size, Sweep
from tests.config.folders import ERP, SHOP, heads, loaded, small


class Version(Options):
    field: str


class Inner(Options):
    name: str
    size: int = 5


class Model(Options):
    text: str = ""
    number: int = Field(1, ge=1, le=9)
    share: float = 0.5
    flag: bool = False
    every: Duration = 0
    rate: Rate = 1.0
    size: Size = 1
    sweep: Sweep | None = None
    names: tuple[str, ...] = ()
    headers: dict[str, str] = Field(default_factory=dict)
    inner: Inner | None = None
    inners: tuple[Inner, ...] = ()
    version: Literal["etag"] | Version | None = None
    secret: str | tuple[str, ...] = ""
    protocol: Literal["3.1.1", 5] = 5
    format: Literal["csv", "json"] = "csv"
    path: str = Field("/", pattern="^/")
    is_: str | None = Field(None, alias="is")

    @model_validator(mode="after")
    def _together(self) -> "Model":
        if self.flag and not self.text:
            raise ValueError("flag needs text")
        if self.text == "later":
            raise PydanticCustomError("later", "text later is not in this version")
        if self.text == "custom":
            raise PydanticCustomError("custom", "no {what}", {"what": "way", "why": "because", "fix": "go", "hint": "so"})
        return self


def read(text: str, **variables: str) -> tuple[Source, Model | None]:
    source = Source("config/x.yaml", "x.yaml", text)
    parse(source, variables)
    section = root_of(source)
    assert section is not None
    return source, read_options(source, section.block, Model, section.owner)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("text: yes", {"text": "yes"}),
        ("share: 1.5", {"share": 1.5}),
        ("share: 2", {"share": 2.0}),
        ("every: 1.5h", {"every": 5_400_000_000}),
        ("names: [a, b]", {"names": ("a", "b")}),
        ("version: etag", {"version": "etag"}),
        ("version: {field: rev}", {"version": Version(field="rev")}),
        ("secret: [a, b]", {"secret": ("a", "b")}),
        ("protocol: 3.1.1", {"protocol": "3.1.1"}),
        ("is: x", {"is_": "x"}),
        ("sweep: 15 2 * * *", {"sweep": "15 2 * * *"}),
        ("number: ${N}", {"number": 5}),
        ('number: "${N}"', {"number": 5}),
        ("text: ${N}", {"text": "5"}),
        ("text: ${Z}", {"text": "007"}),
        ("headers: {X: '${N}', Y: 'a${N}'}", {"headers": {"X": "5", "Y": "a5"}}),
    ],
)
def test_options_are_read_as_written(text: str, expected: dict[str, Any]) -> None:
    source, found = read(text + "\n", N="5", Z="007")
    assert source.found == []
    assert {key: getattr(found, key) for key in expected} == expected


@pytest.mark.parametrize(
    ("text", "head"),
    [
        ("text: 5", "1:7: error E010: must be text, and YAML reads 5 as a number"),
        ("text: 1.10", "1:7: error E012: must be text, and YAML reads 1.10 as 1.1"),
        ("text: 00123", "1:7: error E012: must be text, and YAML reads 00123 as 123"),
        ("text: 1e3", "1:7: error E012: must be text, and YAML reads 1e3 as 1000.0"),
        ("text: true", "1:7: error E010: must be text, and YAML reads true as a boolean"),
        ("text:", "1:6: error E010: must be text, not empty"),
        ("text: [a]", "1:7: error E010: must be text, not a list"),
        ("number: '5'", '1:9: error E010: must be a whole number, not the text "5"'),
        ("number: 1.5", "1:9: error E010: must be a whole number, not the number 1.5"),
        ("number: true", "1:9: error E010: must be a whole number, not true"),
        ("number: 0", "1:9: error E011: must be at least 1"),
        ("number: 10", "1:9: error E011: must be at most 9"),
        ("flag: yes", '1:7: error E010: must be true or false, not the text "yes"'),
        ("share: half", '1:8: error E010: must be a number, not the text "half"'),
        ("every: 10", '1:8: error E015: "10" is not a duration: 10 what?'),
        ("every: 10 min", '1:8: error E015: "10 min" is not a duration'),
        ("rate: 5", '1:7: error E011: "5" is not a rate: 5 in what time?'),
        ("size: big", '1:7: error E011: "big" is not a size'),
        ("sweep: 1 2 3", '1:8: error E011: "1 2 3" is not a cron expression'),
        ("names: a", '1:8: error E010: must be a list, not the text "a"'),
        ("names: [a, 1.10]", "1:12: error E012: must be text, and YAML reads 1.10 as 1.1"),
        ("headers: {X: 1.10}", "1:14: error E012: must be text, and YAML reads 1.10 as 1.1"),
        ("headers: x", '1:10: error E010: must be a mapping, not the text "x"'),
        ("inner: {}", '1:1: error E102: missing key "name"'),
        ("inner: {nmae: x}", '1:9: error E101: unknown key "nmae"'),
        ("inner: {name: x, color: red}", '1:18: error E101: unknown key "color"'),
        ("inners: [{name: x}, {size: 6}]", '1:21: error E102: missing key "name"'),
        ("inners:\n  - {name: x}\n  - {name: 1.10}", "3:12: error E012: must be text, and YAML reads 1.10 as 1.1"),
        ("version: rev", '1:10: error E011: "rev" is not one of etag'),
        ("version: {feild: rev}", '1:11: error E101: unknown key "feild"'),
        ("version: {field: 1.10}", "1:18: error E012: must be text, and YAML reads 1.10 as 1.1"),
        ("secret: 5", "1:9: error E010: must be text, and YAML reads 5 as a number"),
        ("secret: [a, 1.10]", "1:13: error E012: must be text, and YAML reads 1.10 as 1.1"),
        ("protocol: 4", '1:11: error E011: "4" is not one of 3.1.1, 5'),
        ("format: xlsx", '1:9: error E190: "format: xlsx" is not in this version'),
        ("format: scv", '1:9: error E011: "scv" is not one of csv, json'),
        ("path: x", "1:7: error E011: must have the form ^/"),
        ("wrong: 1", '1:1: error E101: unknown key "wrong"'),
        ("flag: true", "1:1: error E011: flag needs text"),
        ("text: later", "1:1: error E190: text later is not in this version"),
        ("text: custom", "1:1: error E011: no way"),
    ],
)
def test_what_a_model_finds_is_told_once_at_its_place(text: str, head: str) -> None:
    source, found = read(text + "\n")
    assert [one.head.removeprefix("config/x.yaml:") for one in source.found] == [head]
    assert found is None


def test_a_validator_can_say_why_and_how_to_mend_it() -> None:
    (one,), _ = read("text: custom\n")[0].found, None
    assert (one.why, one.fix, one.hint) == ("because", "go", "so")


def test_what_is_allowed_is_listed_where_a_key_is_unknown() -> None:
    (one,) = read("inner: {nmae: x}\n")[0].found
    assert (one.hint, one.fix) == ('did you mean "name"?', "write  name: x     (allowed here: name, size)")


def test_all_that_is_wrong_is_told_at_once() -> None:
    source, _ = read("text: 5\nnumber: x\ninner: {}\nwrong: 1\n")
    assert [one.code for one in source.found] == ["E010", "E010", "E102", "E101"]


SAP = """platform: shop
connector: odata
connection: {base_url: "http://sap/odata"}
collections:
  products: {path: Plants, id: Product}
"""


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        (
            {"shop": "platform: shop\nconnector: rest\ncollections: {products: {id: id}}\n"},
            ['1:1: error E102: missing key "connection"'],
        ),
        ({"shop": SHOP.replace("base_url", "base_ulr")}, ['4:14: error E101: unknown key "base_ulr"']),
        ({"shop": SHOP + "watch: {poll: {overlap: 1s}}\n"}, ['7:9: error E102: missing key "every"']),
        ({"shop": SHOP + "watch: {change_feed: {channel: x}}\n"}, ['7:9: error E101: unknown key "change_feed"']),
        (
            {"erp": ERP.replace("  poll: {every: 5s}", "  changes: trigger")},
            ['6:3: error E190: "changes" is not in this version'],
        ),
        (
            {"erp": ERP.replace("id: item_no", "id: [a, b]")},
            ["8:29: error E190: an id of several columns is not in this version"],
        ),
        (
            {"shop": SAP.replace("id: Product", "id: [Product, Plant]")},
            ["5:32: error E011: an id of several names is written as one text"],
        ),
        ({"erp": ERP.replace("rev}", "rev, retain: {keep: 1d}}")}, []),
        (
            {"shop": SHOP.replace("rest", "odata")},
            ['6:3: error E102: missing key "path"', '6:22: error E101: unknown key "list"'],
        ),
        ({"shop": SHOP.replace("connector: rest\n", "")}, ['1:1: error E102: missing key "connector"']),
        ({"shop": SHOP + "mode2: x\n"}, ['7:1: error E101: unknown key "mode2"']),
        ({"shop": SHOP + "timezone: Mars/Olympus\n"}, ['7:11: error E011: no time zone called "Mars/Olympus"']),
        ({"shop": SHOP + "limits: {rate: 5}\n"}, ['7:16: error E011: "5" is not a rate: 5 in what time?']),
        ({"shop": SHOP + "limits: {rate: 0/s}\n"}, ['7:16: error E011: "0/s" is not a rate']),
        ({"shop": SHOP + "write: {guard: etag}\n"}, ['7:16: error E011: "etag" is not one of version, hash, none']),
        ({"shop": SHOP + "write: {batch: 0}\n"}, ["7:16: error E011: must be between 1 and 1000, not 0"]),
        ({"shop": SHOP + "write: {retry: {max: 5}}\n"}, ['7:22: error E015: "5" is not a duration: 5 what?']),
        (
            {"shop": SHOP + "write: {quiet_hours: 25:00-26:00}\n"},
            ['7:22: error E011: "25:00-26:00" is not a time of day from and to'],
        ),
        (
            {"shop": SHOP.replace(", version: etag", "") + "write: {guard: version}\n"},
            ['6:3: error E102: missing key "version"'],
        ),
        (
            {
                "shop": SHOP + "watch: {webhook: {path: /h, verify: {scheme: hmac, secret: secret:a}}}\n",
                "web": SHOP.replace("shop", "web") + "watch: {webhook: {path: /h, verify: {scheme: hmac, secret: secret:a}}}\n",
            },
            ["7:25: error E011: /h is the webhook of shop already"],
        ),
    ],
)
def test_platform_files(tmp_path: Path, changes: dict[str, str | None], expected: list[str]) -> None:
    found = [one for one in heads(loaded(small(tmp_path, **changes))) if " error " in one]
    assert [one.partition(".yaml:")[2] for one in found] == expected
