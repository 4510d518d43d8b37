"""The page on OData: its example is what the connector takes."""

import re
from pathlib import Path
from typing import Any

import yaml

from syncd.connectors.odata import KIND
from syncd.connectors.odata.options import OdataCollection, OdataConnection

PAGE = Path(__file__).parents[2] / "docs" / "connectors" / "odata.md"


def example() -> dict[str, Any]:
    found = re.search(r"```yaml\n(.*?)```", PAGE.read_text(), re.DOTALL)
    assert found
    read: dict[str, Any] = yaml.safe_load(found[1])
    return read


def test_the_example_is_taken() -> None:
    written = example()
    connection = KIND.connection.model_validate(written["connection"])
    watch = KIND.watch.model_validate(written["watch"])
    assert isinstance(connection, OdataConnection)
    assert watch is not None
    for options in written["collections"].values():
        assert isinstance(KIND.collection.model_validate(options), OdataCollection)


def test_the_page_names_every_option() -> None:
    text = PAGE.read_text()
    inherited = {"base_url", "auth", "headers", "timeout", "tls", "proxy", "poll", "writable"}
    names = {name for model in (KIND.connection, KIND.collection, KIND.watch) for name in model.model_fields} - inherited
    assert not [name for name in sorted(names) if name not in text]
