"""A config folder for each test that wants one."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from loguru import logger

from tests.cli.scene import make_folder


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return make_folder(tmp_path)


@pytest.fixture(autouse=True)
def no_logs_afterwards() -> Iterator[None]:
    """A command run in this process sends its events to a stderr that ends with the test."""
    yield
    logger.remove()
