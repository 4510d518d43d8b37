"""What ``check`` says of a Sanity platform, offline and online."""

import json
import os
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from syncd.config.online import Found
from syncd.connectors.sanity import KIND
from syncd.core.model import SECOND
from syncd.daemon.probe import probe
from syncd.errors import TransientError
from tests.connectors.sanity_world import world_of
from tests.connectors.test_sanity_sync import PRODUCT, Company
from tests.daemon.world import World, memory
from tests.emulators.sanity import Lake, serving

CONNECTION = {"project": "a1b2c3d4", "dataset": "production", "token": "x"}
VERIFY = {"scheme": "sanity", "secret": "s"}


@pytest.fixture
async def company(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Company]:
    monkeypatch.setenv("SYNCD_SECRET_SANITY_TOKEN", "editor-token")
    world, lake = World(tmp_path), Lake()
    async with serving(lake) as server:
        made = Company(world, lake, server)
        world.service()
        world.write("platforms/erp.yaml", memory("erp"))
        world.write("entities/product.yaml", PRODUCT)
        made.platform()
        yield made


async def asked(company: Company) -> Found:
    """Return what the platform answers to ``check --online``."""
    [found] = [one for one in await probe(company.world.config(), company.world.kinds) if one.platform == "sanity"]
    return found


async def test_all_is_well_with_an_editors_token_and_nothing_is_written(company: Company) -> None:
    found = await asked(company)
    [product] = found.collections
    assert (found.trouble, found.schema, product.write, product.missing, product.has) == ("", "", True, (), ("editor",))
    assert (company.lake.documents, company.lake.writes, company.lake.data.transactions) == ({}, 0, {})
    assert abs(found.clock[0]) < 2 * SECOND


@pytest.mark.parametrize(("role", "write", "missing", "excess"), [
    ("viewer", False, ("create",), ()),
    ("contributor", False, ("create",), ()),
    ("administrator", True, (), ("administrator",)),
])  # fmt: skip
async def test_the_tokens_role_is_found_out(
    company: Company, role: str, write: bool, missing: tuple[str, ...], excess: tuple[str, ...]
) -> None:
    company.lake.roles["editor-token"] = role
    [product] = (await asked(company)).collections
    assert (product.write, product.missing, product.excess, product.has) == (write, missing, excess, (role,))


async def test_a_token_that_is_none_is_a_login_problem(company: Company) -> None:
    company.lake.roles.clear()
    found = await asked(company)
    assert found.refused
    assert "401" in found.trouble


async def test_a_dataset_that_is_none_is_a_schema_problem(company: Company) -> None:
    file = company.world.folder / "config/platforms/sanity.yaml"
    file.write_text(file.read_text().replace("production", "nowhere"))
    assert "Dataset not found" in (await asked(company)).schema


async def test_who_the_token_is_may_stay_unknown() -> None:
    lake = Lake()
    lake.faults.answer(404, times=9, chosen=lambda request: request.what == "users")
    async with world_of(lake) as world:
        rights = await world.connector.rights("things")
        assert (rights.write, rights.has) == (True, ())
        lake.faults.answer(503, chosen=lambda request: request.what == "mutate")
        with pytest.raises(TransientError):
            await world.connector.rights("things")


# ---- offline


def loaded(of: Any, **options: Any) -> Any:
    """Return options as a config would have them."""
    return of.model_validate(options)


def test_the_options_have_their_defaults() -> None:
    connection = loaded(KIND.connection, **CONNECTION)
    assert (connection.address, connection.max_body) == ("https://a1b2c3d4.api.sanity.io", 4_000_000)
    watch = loaded(KIND.watch, stream={"query": "*"}, webhook={"path": "/hooks/s", "verify": VERIFY}, poll={"every": "10m"})
    assert (watch.stream.catch_up, watch.stream.overlap, watch.poll.overlap) == (300 * SECOND, 60 * SECOND, 60 * SECOND)
    assert (watch.webhook.window, watch.webhook.max_body, watch.webhook.collection) == (300 * SECOND, 1_000_000, None)
    assert loaded(KIND.collection, type="product").unpublishes


@pytest.mark.parametrize(("of", "options", "words"), [
    (KIND.connection, CONNECTION | {"project": "A1"}, "small letters"),
    (KIND.connection, CONNECTION | {"api_version": "v1"}, "a version is a date"),
    (KIND.connection, CONNECTION | {"base_url": "https://a1.apicdn.sanity.io"}, "the CDN answers with what was true"),
    (KIND.connection, CONNECTION | {"base_url": "sanity.io"}, "https://"),
    (KIND.connection, {"project": "a"}, "dataset"),
    (KIND.collection, {"type": "p", "id": "sku"}, "'_id'"),
    (KIND.collection, {"type": "p", "version": "rev"}, "'_rev'"),
    (KIND.collection, {"type": "p", "page": 0}, "greater than"),
    (KIND.watch, {"webhook": {"path": "hooks", "verify": VERIFY}}, "no path like"),
    (KIND.watch, {"webhook": {"path": "/h", "verify": {"scheme": "sanity", "secret": []}}}, "no secret"),
    (KIND.watch, {"webhook": {"path": "/h", "verify": {"scheme": "hmac", "secret": "s"}}}, "'sanity'"),
])  # fmt: skip
def test_what_is_wrong_is_said(of: Any, options: dict[str, Any], words: str) -> None:
    with pytest.raises(ValidationError, match=words):
        loaded(of, **options)


def test_abilities_follow_the_config(company: Company) -> None:
    member = company.world.config().platforms["sanity"]
    assert (member.write.drafts, member.write.guard) == ("never", "version")
    company.platform(write="{drafts: always, guard: hash}")
    member = company.world.config().platforms["sanity"]
    assert member.write.drafts == "always"
    abilities = [
        KIND.abilities(loaded(KIND.connection, **CONNECTION), loaded(KIND.collection, **one), None, member.write)
        for one in ({"type": "p", "version": "_rev"}, {"type": "p"})
    ]
    assert [(one.guard, one.keyed, one.unique, one.answers) for one in abilities] == [(False, True, False, True)] * 2


@pytest.mark.skipif(not os.environ.get("SYNCD_SHARED") and not os.environ.get("CI"), reason="SYNCD_SHARED is not set")
def test_the_example_of_the_configuration_page_is_accepted(company: Company) -> None:
    page = Path(os.environ["SYNCD_SHARED"], "config.md").read_text()
    text = page.split("`config/platforms/sanity.yaml`")[1].split("```yaml")[1].split("```")[0]
    company.world.write("platforms/sanity.yaml", text)
    found = company.world.config().platforms["sanity"]
    assert found.watch.stream.query == '*[_type == "product"]'
    assert (found.write.guard, found.write.drafts, found.collections["product"].options.version) == ("version", "never", "_rev")
    assert json.dumps(found.connection.model_dump())


def test_the_example_of_this_connectors_page_is_accepted(company: Company) -> None:
    page = (Path(__file__).parents[2] / "docs/connectors/sanity.md").read_text(encoding="utf-8")
    company.world.write("platforms/sanity.yaml", page.split("```yaml")[1].split("```")[0])
    company.world.write("entities/product.yaml", PRODUCT.replace("related: {type: json", "other: {type: json"))
    found = company.world.config().platforms["sanity"]
    assert found.connection.max_body == loaded(KIND.connection, **CONNECTION).max_body
    assert found.webhook
