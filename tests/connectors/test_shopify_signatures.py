"""Shopify's signatures both ways: the vendor's library takes what the emulator signs, syncd takes what the library signs."""

import base64
import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from syncd.connectors.shopify.options import ShopifyWebhook
from syncd.connectors.signature import Proof
from tests import node
from tests.emulators.shopify.control import Hand
from tests.emulators.shopify.hooks import body_of, headers_of, signature
from tests.emulators.shopify.server import Emulator
from tests.emulators.shopify.state import Shop

SCRIPT = Path(__file__).with_name("shopify_verify.mjs")
BODIES = [b'{"id":788032119674292922}', '{"title":"Café — 日本 👩‍👩‍👧‍👦"}'.encode(), b"{}", b'{"a": 1}\n', b"x" * 100_000]


def vendor(questions: list[dict[str, Any]]) -> list[Any]:
    """Ask the vendor's library."""
    sent = [one | {"body": base64.b64encode(one["body"]).decode()} for one in questions]
    done = subprocess.run(
        [node.node("shopify"), "--input-type=module", "-e", SCRIPT.read_text()],
        cwd=node.installed("shopify"), input=json.dumps(sent), capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    answers: list[Any] = json.loads(done.stdout)
    return answers


def proof(*secrets: str) -> Proof:
    """Return syncd's own verifier."""
    options = {"path": "/hooks/shopify", "verify": {"scheme": "shopify-hmac", "secret": list(secrets)}}
    return ShopifyWebhook.model_validate(options).verifier(lambda name: name)


def vectors() -> list[dict[str, Any]]:
    shared = os.environ.get("SYNCD_SHARED")
    if shared is None:
        (pytest.fail if os.environ.get("CI") else pytest.skip)("SYNCD_SHARED is not set: the vectors are not here")
    found = json.loads(Path(shared, "schemas", "signatures", "signature_vectors.json").read_text())["vectors"]
    return [one for one in found if one["platform"] == "shopify"]


def lower(headers: dict[str, str]) -> dict[str, str]:
    return {name.lower(): value for name, value in headers.items()}


def test_the_vendors_library_takes_what_the_emulator_signs_and_nothing_else():
    emulator = Emulator(Shop(domain="a.myshopify.com"))
    hand = Hand(emulator)
    made = [hand.product(title="Café — Blue/Shirt", variants=[{"sku": "S-1", "price": "19.90"}]), hand.customer(email="a@b.de")]
    questions = []
    for one, topic in zip(made, ("PRODUCTS_UPDATE", "CUSTOMERS_UPDATE"), strict=True):
        thing = emulator.shop.get(one)
        assert thing is not None
        body = body_of(topic, thing)
        headers = headers_of(topic, body, shop=emulator.shop, secret="hush", event="e")
        questions += [{"secret": "hush", "body": body, "headers": headers}]
        questions += [
            {"secret": "other", "body": body, "headers": headers},
            {"secret": "hush", "body": body + b" ", "headers": headers},
        ]
    answers = vendor(questions)
    assert [one["valid"] for one in answers] == [True, False, False] * 2
    assert [one["topic"] for one in answers if one["valid"]] == ["PRODUCTS_UPDATE", "CUSTOMERS_UPDATE"]


def test_syncd_takes_what_the_vendors_library_signs_and_nothing_else():
    signed = vendor([{"secret": "hush", "body": body} for body in BODIES])
    for body, sign in zip(BODIES, signed, strict=True):
        assert sign == signature(body, "hush")
        headers = {"x-shopify-hmac-sha256": sign}
        assert proof("hush").problem(body, headers, 0) is None
        assert proof("hush").problem(body + b" ", headers, 0) == "the signature does not match"
        assert proof("other").problem(body, headers, 0) == "the signature does not match"


def test_both_secrets_are_taken_during_rotation():
    [sign] = vendor([{"secret": "old", "body": b"{}"}])
    assert proof("new", "old").problem(b"{}", {"x-shopify-hmac-sha256": sign}, 0) is None
    assert proof("new").problem(b"{}", {"x-shopify-hmac-sha256": sign}, 0) is not None


@pytest.mark.parametrize("tampered", [False, True])
def test_the_vectors_made_with_the_vendors_library_are_judged_as_it_did(tampered: bool):
    for vector in vectors():
        body = vector["body"].encode() + (b" " if tampered else b"")
        problem = proof(vector["secret"]).problem(body, lower(vector["headers"]), 0)
        assert (problem is None) == vector["tampered_valid" if tampered else "valid"]


@pytest.mark.parametrize("given", ["", "x", "ä", "===", "\udcff", "a" * 10_000])
def test_what_a_stranger_sends_is_refused_and_never_an_error(given: str):
    assert proof("hush").problem(b"{}", {"x-shopify-hmac-sha256": given}, 0) is not None
    assert proof("hush").problem(b"{}", {}, 0) == "no X-Shopify-Hmac-SHA256 header"
