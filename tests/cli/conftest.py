"""A config folder for each test that wants one."""

from pathlib import Path

import pytest

from tests.cli.scene import make_folder


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return make_folder(tmp_path)
