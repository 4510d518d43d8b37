"""How we show who we are: each way to log in, tokens fetched once, certificates, and what happens without a secret."""

import asyncio
import base64
import shutil
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientSession, web
from aiohttp.test_utils import TestServer
from pydantic import ValidationError

from syncd.connectors.login import Token
from syncd.connectors.rest import KIND, Rest
from syncd.core.model import Op, Write
from syncd.errors import TransientError
from tests.connectors.contract import setup_for
from tests.connectors.shop import serving

SECRETS = {"key": "s3cret", "id": "client", "pass": "pässword\n"}
THING = {"id": "id", "read": "GET /t/{id}", "update": "PATCH /t/{id}", "answers": False}


def secret(name: str) -> str:
    if name not in SECRETS:
        raise TransientError(f"login: no secret {name}")
    return SECRETS[name]


class Office:
    """A server that wants to see a login, and gives tokens."""

    def __init__(self) -> None:
        self.seen: list[dict[str, str]] = []
        self.forms: list[dict[str, str]] = []
        self.good = ""  # the Authorization that is accepted; empty: any
        self.token: Any = {"access_token": "t1", "expires_in": 3600}

    def app(self) -> web.Application:
        app = web.Application()
        app.router.add_post("/token", self.give)
        app.router.add_route("*", "/t/{id}", self.answer)
        return app

    async def answer(self, request: web.Request) -> web.Response:
        self.seen.append(dict(request.headers))
        if self.good and request.headers.get("Authorization") != self.good:
            return web.Response(status=401)
        return web.json_response({"id": request.match_info["id"]})

    async def give(self, request: web.Request) -> web.Response:
        self.forms.append({name: str(value) for name, value in (await request.post()).items()})
        await asyncio.sleep(0.05)
        return self.token if isinstance(self.token, web.Response) else web.json_response(self.token)


@asynccontextmanager
async def office(**connection: Any) -> AsyncIterator[tuple[Rest, Office, TestServer]]:
    """Connect to an office; ``{url}`` in the options is its address."""
    place = Office()
    async with serving(place.app()) as server:
        url = str(server.make_url(""))
        filled = {"base_url": url, "timeout": "2s"} | connection
        if "oauth" in filled.get("auth", {}):
            filled["auth"]["oauth"]["token_url"] = f"{url}/token"
        setup = setup_for(KIND, connection=filled, collections={"things": THING}, secret=secret)
        async with Rest(setup) as connector:
            yield connector, place, server


BASIC = "Basic " + base64.b64encode("syncd:pässword".encode()).decode()


@pytest.mark.parametrize(
    ("auth", "name", "value"),
    [
        ({"bearer": "secret:key"}, "Authorization", "Bearer s3cret"),
        ({"basic": {"user": "syncd", "password": "secret:pass"}}, "Authorization", BASIC),
        ({"header": {"name": "X-Api-Key", "value": "secret:key"}}, "X-Api-Key", "s3cret"),
    ],
)
async def test_each_way_to_log_in(auth: dict[str, Any], name: str, value: str) -> None:
    async with office(auth=auth, headers={"X-Team": "secret:id", "Accept": "application/hal+json"}) as (there, place, _):
        await there.read("things", ["1"])
    assert place.seen[0][name] == value
    assert place.seen[0]["X-Team"] == "client"
    assert place.seen[0]["Accept"] == "application/hal+json"


OAUTH = {"client_id": "secret:id", "client_secret": "secret:key", "scope": "all"}


async def test_a_token_is_fetched_once_for_all_who_wait() -> None:
    async with office(auth={"oauth": dict(OAUTH)}) as (there, place, _):
        await there.read("things", [str(n) for n in range(20)])
    [form] = place.forms
    assert form == {"grant_type": "client_credentials", "client_id": "client", "client_secret": "s3cret", "scope": "all"}
    assert {headers["Authorization"] for headers in place.seen} == {"Bearer t1"}


async def test_a_token_that_is_over_is_fetched_again() -> None:
    async with office(auth={"oauth": dict(OAUTH)}) as (there, place, _):
        place.token = {"access_token": "t1", "expires_in": 0}
        await there.read("things", ["1"])
        await there.read("things", ["1"])
    assert len(place.forms) == 2


async def test_a_refused_token_is_renewed_for_a_read_at_once_and_for_a_write_next_time() -> None:
    async with office(auth={"oauth": dict(OAUTH)}) as (there, place, _):
        await there.read("things", ["1"])
        place.token, place.good = {"access_token": "t2"}, "Bearer t2"
        assert [look.id for look in await there.read("things", ["1"])] == ["1"]
        place.token, place.good = {"access_token": "t3"}, "Bearer t3"
        before = len(place.seen)
        write = Write(Op.UPDATE, "there", "things", 1, "1", values={"a": 1}, key="k")
        [outcome] = await there.apply([write])
        assert isinstance(outcome, TransientError)
        assert not outcome.about_record
        assert len(place.seen) == before + 1
        [again] = await there.apply([write])
        assert not isinstance(again, Exception)


@pytest.mark.parametrize("token", [{}, [], "x", {"access_token": "t", "expires_in": "soon"}])
async def test_a_token_office_that_talks_nonsense_is_the_platforms_trouble(token: Any) -> None:
    async with office(auth={"oauth": dict(OAUTH)}) as (there, place, _):
        place.token = token
        with pytest.raises(TransientError, match="gave no token"):
            await there.read("things", ["1"])
        place.token = web.Response(status=400)
        with pytest.raises(TransientError, match="answered 400") as caught:
            await there.read("things", ["1"])
    assert not caught.value.about_record
    assert place.seen == []


@pytest.mark.parametrize(
    "connection",
    [
        {"auth": {"bearer": "secret:none"}},
        {"headers": {"X-Key": "secret:none"}},
        {"tls": {"ca": "none.pem"}},
        {"tls": {"cert": "none.pem", "key": "secret:none"}},
    ],
    ids=range(4),
)
async def test_without_its_secret_or_certificate_a_platform_is_down_and_syncd_is_not(connection: dict[str, Any]) -> None:
    async with office(**connection) as (there, place, _):
        with pytest.raises(TransientError):
            await there.read("things", ["1"])
        write = Write(Op.UPDATE, "there", "things", 1, "1", values={"a": 1}, key="k")
        [outcome] = await there.apply([write])
    assert isinstance(outcome, TransientError)
    assert not outcome.about_record
    assert place.seen == []


async def test_a_secret_that_cannot_be_sent_is_the_platforms_trouble() -> None:
    async with office(headers={"X-Key": "a\nb: c"}) as (there, place, _):
        with pytest.raises(TransientError, match="cannot be asked"):
            await there.read("things", ["1"])
    assert place.seen == []


@pytest.mark.parametrize("auth", [{}, {"bearer": "x", "header": {"name": "a", "value": "b"}}, {"token": "x"}])
def test_exactly_one_way_to_log_in(auth: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        KIND.connection.model_validate({"base_url": "http://x", "auth": auth})


async def test_a_proxy_is_asked_instead() -> None:
    async with office() as (_, place, server):
        proxy = str(server.make_url(""))
        connection = {"base_url": "http://shop.invalid", "proxy": proxy, "timeout": "2s"}
        async with Rest(setup_for(KIND, connection=connection, collections={"things": THING})) as there:
            assert [look.id for look in await there.read("things", ["1"])] == ["1"]
    assert place.seen[0]["Host"] == "shop.invalid"


needs_openssl = pytest.mark.skipif(shutil.which("openssl") is None, reason="certificates are made with openssl")


def certificates(folder: Path) -> None:
    """Make a CA, and with it a server's and a client's certificate."""

    def run(*words: str) -> None:
        subprocess.run(["openssl", *words], cwd=folder, check=True, capture_output=True)

    new = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")
    run("req", "-x509", *new, "-keyout", "ca.key", "-out", "ca.pem", "-subj", "/CN=Test CA", "-days", "2")
    for name in ("server", "client"):
        run("req", *new, "-keyout", f"{name}.key", "-out", f"{name}.csr", "-subj", f"/CN={name}")
        (folder / "names").write_text("subjectAltName=IP:127.0.0.1")
        sign = ("x509", "-req", "-in", f"{name}.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-days", "2")
        run(*sign, "-extfile", "names", "-out", f"{name}.pem")


@needs_openssl
async def test_certificates_are_checked_both_ways(tmp_path: Path) -> None:
    import ssl

    await asyncio.to_thread(certificates, tmp_path)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=tmp_path / "ca.pem")
    context.load_cert_chain(tmp_path / "server.pem", tmp_path / "server.key")
    context.verify_mode = ssl.CERT_REQUIRED
    server = TestServer(Office().app(), scheme="https", shutdown_timeout=0.1)
    await server.start_server(ssl=context)
    key = (tmp_path / "client.key").read_text()

    async def ask(tls: dict[str, str]) -> list[str]:
        connection = {"base_url": f"https://127.0.0.1:{server.port}", "tls": tls, "timeout": "5s"}
        setup = setup_for(
            KIND, connection=connection, collections={"things": THING}, folder=str(tmp_path), secret=lambda _: key
        )
        async with Rest(setup) as there:
            return [look.id for look in await there.read("things", ["1"])]

    try:
        assert await ask({"ca": "ca.pem", "cert": "client.pem", "key": "client.key"}) == ["1"]
        assert await ask({"ca": "ca.pem", "cert": "client.pem", "key": "secret:client"}) == ["1"]
        for wrong in (
            {},
            {"ca": "ca.pem"},
            {"cert": "client.pem", "key": "client.key"},
            {"ca": "ca.pem", "cert": "ca.pem", "key": "client.key"},
        ):
            with pytest.raises(TransientError):
                await ask(wrong)
    finally:
        await server.close()


async def test_a_fresh_token_survives_the_late_refusal_of_the_one_before() -> None:
    """Requests in parallel get their 401 each at its own time: the last says nothing about the token fetched since."""
    made: list[str] = []

    async def fetch(_: ClientSession) -> tuple[str, float]:
        made.append(f"t{len(made)}")
        return made[-1], 3600.0

    token = Token(fetch)
    session: Any = None
    assert [await token.current(session) for _ in range(3)] == ["t0"] * 3
    assert token.drop("t0")
    assert await token.current(session) == "t1"
    assert token.drop("t0"), "the other request may go on with the token that is there by now"
    assert await token.current(session) == "t1"
    assert token.drop("t1")
    assert await token.current(session) == "t2"
    assert not token.drop(""), "nothing was shown"
    assert made == ["t0", "t1", "t2"]
