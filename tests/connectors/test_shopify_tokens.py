"""Tokens that last, that are fetched, and that rotate: a crash at any moment leaves a refresh token that the shop takes."""

import asyncio
import json
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp.test_utils import TestServer

from syncd.connectors.shopify import KIND
from syncd.connectors.shopify.tokens import keep, read_kept
from syncd.errors import TransientError
from tests.connectors.contract import setup_for
from tests.connectors.shop import serving
from tests.connectors.shopify_tokens import FIRST, Issuer, ask, setup

ROOT = Path(__file__).parents[2]
FILE = "shopify-there.token"
GID = "gid://shopify/Product/1"


@pytest.fixture
async def issuer() -> AsyncIterator[tuple[Issuer, TestServer]]:
    made = Issuer()
    async with serving(made.app()) as server:
        yield made, server


def port_of(server: TestServer) -> int:
    assert server.port is not None
    return server.port


def in_folder(folder: Path) -> list[str]:
    return [one.name for one in folder.iterdir()]


def kept(folder: Path) -> dict[str, Any]:
    found = json.loads((folder / FILE).read_text())
    assert isinstance(found, dict)
    return found


async def test_client_credentials_are_asked_once_however_many_wait(issuer: tuple[Issuer, TestServer], tmp_path: Path) -> None:
    made, server = issuer
    options = setup(port_of(server), str(tmp_path), refresh_token=None)
    async with KIND.connect(options) as connector:
        await asyncio.gather(*(connector.read("things", [GID]) for _ in range(5)))
    assert made.granted == 1
    assert made.forms == [{"grant_type": "client_credentials", "client_id": "app", "client_secret": "hush"}]
    assert made.asked == ["shpca_1"] * 5


async def test_a_token_that_is_refused_is_fetched_anew_once(issuer: tuple[Issuer, TestServer], tmp_path: Path) -> None:
    made, server = issuer
    options = setup(port_of(server), str(tmp_path), refresh_token=None)
    async with KIND.connect(options) as connector:
        await connector.read("things", [GID])
        made.access.clear()
        await connector.read("things", [GID])
    assert made.asked == ["shpca_1", "shpca_2"]


async def test_a_rotating_token_is_kept_before_it_is_used(issuer: tuple[Issuer, TestServer], tmp_path: Path) -> None:
    _, server = issuer
    assert await ask(port_of(server), str(tmp_path)) == ""
    found = kept(tmp_path)
    assert (found["refresh_token"], found["access_token"]) == ("shprt_1", "shpca_1")
    assert (tmp_path / FILE).stat().st_mode & 0o777 == 0o600
    assert in_folder(tmp_path) == [FILE]
    assert FIRST not in (tmp_path / FILE).read_text()


async def test_a_restart_goes_on_with_the_kept_token(issuer: tuple[Issuer, TestServer], tmp_path: Path) -> None:
    made, server = issuer
    for _ in range(3):
        assert await ask(port_of(server), str(tmp_path)) == ""
    assert made.granted == 1
    assert FIRST not in made.good, "it was used up"


async def test_a_kept_token_that_the_shop_refuses_is_renewed(issuer: tuple[Issuer, TestServer], tmp_path: Path) -> None:
    made, server = issuer
    assert await ask(port_of(server), str(tmp_path)) == ""
    made.access.clear()
    assert await ask(port_of(server), str(tmp_path)) == ""
    assert kept(tmp_path)["refresh_token"] == "shprt_2"


async def test_short_tokens_rotate_on_and_on(issuer: tuple[Issuer, TestServer], tmp_path: Path) -> None:
    made, server = issuer
    made.lifetime = 1
    for number in range(1, 6):
        assert await ask(port_of(server), str(tmp_path)) == ""
        assert kept(tmp_path)["refresh_token"] == f"shprt_{number}"


async def test_a_refresh_token_that_a_person_puts_in_replaces_the_kept_one(
    issuer: tuple[Issuer, TestServer], tmp_path: Path
) -> None:
    made, server = issuer
    assert await ask(port_of(server), str(tmp_path)) == ""
    made.good = {"shprt_by_hand": None}
    made.access.clear()
    assert "invalid_grant" in await ask(port_of(server), str(tmp_path))
    async with KIND.connect(setup(port_of(server), str(tmp_path), refresh_token="shprt_by_hand")) as connector:
        await connector.read("things", [GID])
    assert made.forms[-1]["refresh_token"] == "shprt_by_hand"


@pytest.mark.parametrize("call", ["-fsync", "+fsync", "-replace", "+replace", "-fsync2", "+fsync2", "-fchmod", "-write"])
async def test_a_kill_leaves_a_refresh_token_that_is_good(issuer: tuple[Issuer, TestServer], tmp_path: Path, call: str) -> None:
    """The process is killed while the new token is being kept; the next one gets in, and once again after that."""
    made, server = issuer
    made.lifetime = 1
    assert await ask(port_of(server), str(tmp_path)) == ""
    command = [sys.executable, "-m", "tests.connectors.shopify_tokens", str(server.port), str(tmp_path), call]
    process = await asyncio.create_subprocess_exec(*command, cwd=ROOT)
    assert await process.wait() == -9
    assert made.granted == 2
    assert made.asked == ["shpca_1"], "it was killed before it used the new token"
    assert await ask(port_of(server), str(tmp_path)) == ""
    assert await ask(port_of(server), str(tmp_path)) == ""
    assert len(made.asked) == 3


async def test_a_token_that_cannot_be_kept_is_not_used(issuer: tuple[Issuer, TestServer], tmp_path: Path) -> None:
    made, server = issuer
    (tmp_path / FILE).mkdir()
    assert "could not be kept" in await ask(port_of(server), str(tmp_path))
    assert made.asked == []


async def test_without_a_place_for_it_nothing_rotates(issuer: tuple[Issuer, TestServer]) -> None:
    made, server = issuer
    assert (await ask(port_of(server), "")).startswith("login: no state_dir")
    assert made.granted == 0


@pytest.mark.parametrize("answer", [{}, {"access_token": 5}, {"token": "x"}])
async def test_an_answer_without_a_token_is_a_login_problem(
    issuer: tuple[Issuer, TestServer], tmp_path: Path, answer: dict[str, Any]
) -> None:
    made, server = issuer
    made.answer = answer
    assert (await ask(port_of(server), str(tmp_path))).startswith("login: ")


async def test_a_missing_secret_is_a_login_problem(issuer: tuple[Issuer, TestServer]) -> None:
    _, server = issuer
    connection = {"shop": f"127.0.0.1:{server.port}", "token": "secret:shop"}
    made = setup_for(KIND, connection=connection, collections={"things": {"object": "Product", "id": "id"}})
    async with KIND.connect(made) as connector:
        with pytest.raises(TransientError, match="login: no secret shop"):
            await connector.read("things", [GID])


@pytest.mark.parametrize("text", ["", "{", "[]", '{"refresh_token": 5}', '{"refresh_token": ""}', "\x00"])
def test_a_damaged_file_is_as_none(tmp_path: Path, text: str) -> None:
    file = tmp_path / FILE
    file.write_text(text)
    assert read_kept(file) is None
    keep(file, {"refresh_token": "a"})
    assert read_kept(file) == {"refresh_token": "a"}
