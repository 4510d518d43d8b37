"""Sanity in a whole syncd: config, ledger and rules are real, queries run in the vendor's evaluator."""

import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from textwrap import dedent
from typing import Any

import aiohttp
import pytest
from aiohttp.test_utils import TestServer

from tests.connectors.servers import free_port
from tests.daemon.test_serve import daemon
from tests.daemon.world import World, memory, until
from tests.emulators.sanity import Lake, WebhookRule, serving
from tests.emulators.sanity.dataset import Document
from tests.emulators.sanity.samples import block
from tests.emulators.sanity.signing import signed

PRODUCT = """
entity: product
in:
  erp: {collection: items, create: true}
  sanity: {collection: product, create: true}
identity:
  key: sku
  match: [{by: sku}]
  unmatched: {erp: create, sanity: review}
fields:
  sku: {type: string, truth: erp, map: {erp: sku, sanity: sku}}
  name: {type: string, truth: erp, map: {erp: name, sanity: title}}
  price: {type: decimal(2), truth: erp, map: {erp: price, sanity: pricing.amount}}
  brand: {type: string, truth: erp, map: {erp: brand, sanity: brand._ref}}
  maker: {type: string, truth: sanity, map: {erp: maker, sanity: {path: "brand->.name", direction: in}}}
  related: {type: json, truth: erp, map: {erp: related, sanity: related._ref}}
  terms:
    type: html
    truth: erp
    map: {erp: terms, sanity: {path: terms, read: [portable_text_to_html], write: [html_to_portable_text]}}
    equal: html
  body:
    type: html
    truth: sanity
    map: {erp: body, sanity: {path: body, read: [portable_text_to_html], write: [html_to_portable_text]}}
    equal: html
deletes:
  authority: erp
  then: {sanity: unpublish}
  confirm: {sweeps: 1, wait: 0s}
  elsewhere: restore
safety: {shrink: {max: 9, ratio: 100%}}
"""
TERMS = "<p>Two years <strong>of warranty</strong></p><ul><li>one</li><li>two</li></ul>"


@dataclass
class Company:
    """An ERP in memory and a dataset; ``platform`` is the text of the dataset's file."""

    world: World
    lake: Lake
    server: TestServer

    def platform(self, watch: str = "{poll: {every: 20ms}, sweep: 1h}", write: str = "{guard: version, drafts: never}") -> None:
        text = f"""
            platform: sanity
            connector: sanity
            mode: enforce
            connection: {{project: a1b2c3d4, dataset: production, token: secret:sanity-token, base_url: "{self.url}"}}
            watch: {watch}
            write: {write}
            collections:
              product: {{type: product, id: _id, changed_at: _updatedAt, version: _rev}}
        """
        self.world.write("platforms/sanity.yaml", dedent(text))

    @property
    def url(self) -> str:
        return str(self.server.make_url("/"))

    @property
    def product(self) -> Document:
        """Return the mug as the dataset has it."""
        [found] = [one for one in self.lake.documents.values() if one.get("sku") == "MUG-1"]
        return found

    async def settled(self) -> None:
        """Run until nothing is left to do, and see that a further run writes nothing."""
        for _ in range(3):
            await self.world.once()
        before = self.lake.writes, self.world.requests("erp")
        await self.world.once()
        assert (self.lake.writes, self.world.requests("erp")) == before

    def erp(self) -> dict[str, Any]:
        return self.world.items("erp")["MUG-1"]


@pytest.fixture
async def company(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Company]:
    monkeypatch.setenv("SYNCD_SECRET_SANITY_TOKEN", "editor-token")
    world, lake = World(tmp_path), Lake()
    brands = [{"_id": f"brand-{n}", "_type": "brand", "name": f"Brand {n}"} for n in (1, 2)]
    async with serving(lake, documents=brands) as server:
        made = Company(world, lake, server)
        world.service()
        world.write("platforms/erp.yaml", memory("erp"))
        world.write("entities/product.yaml", PRODUCT)
        made.platform()
        refs = ["brand-2", "brand-1"]
        world.put("erp", "1", sku="MUG-1", name="Mug", price="12.00", brand="brand-1", related=refs, terms=TERMS)
        yield made


async def test_a_product_is_made_with_references_and_portable_text(company: Company) -> None:
    await company.settled()
    made = company.product
    assert made["brand"] == {"_type": "reference", "_ref": "brand-1"}
    assert made["pricing"] == {"amount": 12}
    assert [(one["_type"], one["_ref"]) for one in made["related"]] == [("reference", "brand-2"), ("reference", "brand-1")]
    assert [block.get("listItem", block["style"]) for block in made["terms"]] == ["normal", "bullet", "bullet"]
    keys = [one["_key"] for name in ("related", "terms") for one in made[name]]
    assert len(set(keys)) == len(keys)
    assert company.erp()["maker"] == "Brand 1"
    assert company.lake.writes == 1


async def test_content_of_the_studio_reaches_the_erp_and_strays_are_put_back(company: Company) -> None:
    await company.settled()
    lake, native = company.lake, company.product["_id"]
    text = {"_type": "span", "_key": "s1", "text": "A mug, ", "marks": []}
    link = {"_type": "span", "_key": "s2", "text": "see here", "marks": ["l1"]}
    defs = [{"_key": "l1", "_type": "link", "href": "https://x.example"}]
    block = {"_type": "block", "_key": "b1", "style": "h2", "markDefs": defs, "children": [text, link]}
    stray = {**company.product["terms"][0], "_key": "stray"}
    keys = [one["_key"] for one in company.product["terms"]]
    await lake.patch(native, set={"body": [block], "title": "MUG!!"}, insert={"after": "terms[0]", "items": [stray]})
    await company.settled()
    assert company.erp()["body"] == '<h2>A mug, <a href="https://x.example">see here</a></h2>'
    assert company.product["title"] == "Mug"
    assert [one["_key"] for one in company.product["terms"]] == keys
    assert company.product["body"] == [block]


async def test_a_change_of_the_erp_keeps_the_keys_of_what_stays(company: Company) -> None:
    await company.settled()
    keys = [one["_key"] for one in company.product["terms"]]
    refs = {one["_ref"]: one["_key"] for one in company.product["related"]}
    changed = TERMS.replace("<li>two</li>", "<li>three</li>")
    company.world.put("erp", "1", terms=changed, price="12.50", brand="brand-2", related=["brand-1"])
    await company.settled()
    made = company.product
    assert [one["_key"] for one in made["terms"]][:2] == keys[:2]
    assert made["terms"][2]["_key"] not in keys
    assert (str(made["pricing"]["amount"]), made["brand"]["_ref"]) in {("12.50", "brand-2"), ("12.5", "brand-2")}
    assert [(one["_ref"], one["_key"]) for one in made["related"]] == [("brand-1", refs["brand-1"])]


async def test_a_product_that_is_gone_is_unpublished_and_comes_back(company: Company) -> None:
    for number in range(2, 6):  # a list that is empty all at once is not believed
        company.world.put("erp", str(number), sku=f"CUP-{number}", name="Cup")
    await company.settled()
    native = company.product["_id"]
    erp = company.world.platform("erp").things["items"].pop("1")
    company.world.platform("erp").note("items", "1", None)
    await company.settled()
    assert company.product["_id"] == f"drafts.{native}"
    company.world.platform("erp").put("items", "1", erp.item)
    await company.settled()
    assert company.product["_id"] == native


async def test_every_request_is_explained_by_an_attempt_whatever_goes_wrong(company: Company) -> None:
    lake = company.lake
    lake.faults.answer(500, chosen=lambda asked: asked.writes)
    lake.faults.throttle(2, seconds=0)
    lake.faults.mute = 1
    await company.settled()
    assert company.product["title"] == "Mug"
    lake.faults.mute, lake.faults.deaf = 1, 0
    company.world.put("erp", "1", name="Cup")
    await company.settled()
    assert company.product["title"] == "Cup"
    async with company.world.runtime() as runtime:
        keys = await runtime.store.read(lambda db: db.execute("SELECT key FROM attempt WHERE platform = 'sanity'").fetchall())
    sent = {asked.query["transactionId"] for asked in lake.requests if asked.writes}
    assert sent <= {f"syncd-{key}" for (key,) in keys}
    assert len(lake.data.transactions) == 2


async def test_the_stream_of_a_running_daemon_brings_edits_within_a_moment(company: Company) -> None:
    company.platform(watch="{stream: {query: '*[_type == \"product\"]'}, sweep: 1h}")
    async with daemon(company.world):
        await until(lambda: any(one["_type"] == "product" for one in company.lake.documents.values()), 20)
        await until(lambda: bool(company.lake.listeners))
        native = company.product["_id"]
        await company.lake.patch(native, set={"title": "stray"})
        await until(lambda: company.product["title"] == "Mug", 10)
        company.world.put("erp", "1", name="Cup")
        await until(lambda: company.product["title"] == "Cup", 10)
    assert {one.id.split("-")[0] for one in company.lake.data.transactions.values() if one.author != "person-1"} == {"syncd"}


async def test_a_draft_that_was_never_published_is_left_to_its_author(company: Company) -> None:
    draft = {"_id": "drafts.new", "_type": "product", "sku": "NEW-1", "title": "half written"}
    twin = {"_id": "drafts.twin", "_type": "product", "sku": "MUG-1", "title": "half written too"}
    await company.lake.load([draft, twin])
    await company.settled()
    assert set(company.world.items("erp")) == {"MUG-1"}
    assert [company.lake.documents[one["_id"]]["title"] for one in (draft, twin)] == ["half written", "half written too"]
    assert [one["title"] for key, one in company.lake.documents.items() if key.startswith("product-")] == ["Mug"]


def hooked(company: Company, secret: str, more: str) -> int:
    """Have the company called by webhooks that are signed with a secret; return at which port."""
    hook = f"webhook: {{path: /hooks/sanity, verify: {{scheme: sanity, secret: {secret}}}}}"
    company.platform(watch=f"{{{hook}, {more}, sweep: 1h}}")
    company.world.service("")
    port, file = free_port(), company.world.folder / "config/syncd.yaml"
    file.write_text(file.read_text().replace('hooks: "127.0.0.1:0"', f'hooks: "127.0.0.1:{port}"'))
    return port


async def test_only_what_is_signed_with_one_of_our_secrets_and_now_is_taken(
    company: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SYNCD_SECRET_OLD", "hush")
    monkeypatch.setenv("SYNCD_SECRET_NEW", "hushed")
    port, now = hooked(company, "[secret:new, secret:old]", "poll: {every: 1h}"), int(time.time() * 1000)
    body = b'{"_id": "mug", "_type": "product"}'
    sent = {"forged": ("guess", now), "stale": ("hush", now - 600_000), "early": ("hush", now + 600_000)}
    sent |= {"old": ("hush", now), "new": ("hushed", now), "again": ("hushed", now + 1)}
    got: dict[str, int] = {}
    async with daemon(company.world), aiohttp.ClientSession(f"http://127.0.0.1:{port}") as client:
        for name, (secret, at) in sent.items():
            headers = {"sanity-webhook-signature": signed(body, secret, at), "idempotency-key": name.replace("again", "new")}
            async with client.post("/hooks/sanity", data=body, headers=headers) as reply:
                got[name] = reply.status
    assert got == {"forged": 401, "stale": 401, "early": 401, "old": 202, "new": 202, "again": 200}


async def test_a_webhook_that_is_lost_is_found_by_the_next_poll(company: Company, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SYNCD_SECRET_SANITY_HOOK", "hush")
    lake, port = company.lake, hooked(company, "secret:sanity-hook", "poll: {every: 1s}")
    lake.rule = WebhookRule("hush", filter='_type == "product"')
    lake.courier.url = f"http://127.0.0.1:{port}/hooks/sanity"
    async with daemon(company.world):
        await until(lambda: any(one.get("sku") == "MUG-1" for one in lake.documents.values()), 20)
        native = company.product["_id"]
        for turn, misfortune in enumerate([None, lake.courier.lose, lake.courier.double]):
            if misfortune is not None:
                misfortune(1)
            await lake.patch(native, set={"body": [block(f"Text {turn}", "b")]})
            await until(lambda n=turn: company.erp().get("body") == f"<p>Text {n}</p>", 15)  # type: ignore[misc]
        await lake.courier.settled()
    taken = [sent.statuses for sent in lake.courier.sent if not sent.lost]
    assert taken
    assert all(status == 202 for sent in taken for status in sent[:1])
    assert [status for sent in taken for status in sent[1:]] == [200]  # a repeat is known


async def test_reads_that_are_late_lose_nothing_and_overwrite_nobody(company: Company) -> None:
    """Queries show what was before our write: what follows from it is refused by the revision, and read again."""
    await company.settled()
    lake, native = company.lake, company.product["_id"]
    lake.faults.stale = True
    company.world.put("erp", "1", name="Cup")
    for _ in range(3):
        await company.world.once()
    await lake.patch(native, set={"seo": "by a person"})
    await lake.freshen()
    await company.settled()
    assert (company.product["title"], company.product["seo"]) == ("Cup", "by a person")
    ours = [one for one in lake.data.transactions.values() if one.author != "person-1"]
    assert [step.operation for one in ours for step in one.steps] == ["create", "update"]


async def test_a_poll_beside_the_stream_asks_by_date_and_leaves_the_stream_open(company: Company) -> None:
    """A deletion is heard only while the stream is open: so it stays open, however often is asked by date."""
    company.platform(watch="{stream: {}, poll: {every: 30ms}, sweep: 1h}")
    lake = company.lake
    async with daemon(company.world):
        await until(lambda: any(one.get("sku") == "MUG-1" for one in lake.documents.values()), 20)
        asked = lake.count("query")
        await until(lambda: lake.count("query") > asked + 10, 10)
        first = company.product["_id"]
        await lake.remove(first)
        await until(lambda: first in lake.documents, 10)  # made again: the ERP has it
    assert lake.count("listen") == 1
