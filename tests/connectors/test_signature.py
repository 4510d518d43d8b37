"""Who may knock: genuine webhooks pass, forged, replayed and senseless ones do not, and nothing a stranger sends raises."""

import base64
import hmac
import json
import os
import random
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from syncd.connectors.signature import Verifier, Webhook
from syncd.core.model import SECOND
from syncd.errors import TransientError

NOW = 1_795_211_009 * SECOND
BODY = '{"type":"product.updated","data":{"id":1,"name":"Café"}}'.encode()
SECRETS = {"one": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "two": "whsec_" + base64.b64encode(b"another secret").decode()}
VECTORS = Path(os.environ.get("SYNCD_SHARED", "/nowhere"), "schemas/signatures/signature_vectors.json")


def verifier(**verify: Any) -> Verifier:
    """Return a verifier whose secrets are looked up by name."""
    webhook = Webhook.model_validate({"path": "/hooks/shop", "verify": verify})
    return Verifier(webhook, lambda name: SECRETS.get(name, name))


def standard(body: bytes = BODY, *, secret: str = "one", at: int = NOW, one: str = "msg_1") -> dict[str, str]:
    """Return the headers of Standard Webhooks."""
    seconds = str(at // SECOND)
    key = base64.b64decode(SECRETS[secret].removeprefix("whsec_"))
    sign = base64.b64encode(hmac.digest(key, f"{one}.{seconds}.".encode() + body, "sha256")).decode()
    return {"webhook-id": one, "webhook-timestamp": seconds, "webhook-signature": f"v1,{sign}"}


STANDARD = {"scheme": "standard-webhooks", "secret": "secret:one"}


def test_a_genuine_webhook_passes() -> None:
    assert verifier(**STANDARD).problem(BODY, standard(), NOW) is None


def test_both_secrets_pass_during_rotation() -> None:
    both = verifier(scheme="standard-webhooks", secret=["secret:one", "secret:two"])
    assert both.problem(BODY, standard(secret="one"), NOW) is None
    assert both.problem(BODY, standard(secret="two"), NOW) is None
    assert verifier(**STANDARD).problem(BODY, standard(secret="two"), NOW) == "the signature does not match"


def test_one_good_signature_among_several_is_enough() -> None:
    headers = standard()
    headers["webhook-signature"] = f"v1a,AAAA v1,BBBB {headers['webhook-signature']} v2,CCCC"
    assert verifier(**STANDARD).problem(BODY, headers, NOW) is None


@pytest.mark.parametrize("seconds", [-301, 301, -86_400, 86_400 * 365])
def test_what_is_outside_the_window_is_refused(seconds: int) -> None:
    problem = verifier(**STANDARD).problem(BODY, standard(at=NOW + seconds * SECOND), NOW)
    assert problem == "the time stamp is outside the window"


@pytest.mark.parametrize("seconds", [-300, 0, 300])
def test_the_window_reaches_five_minutes_both_ways(seconds: int) -> None:
    assert verifier(**STANDARD).problem(BODY, standard(at=NOW + seconds * SECOND), NOW) is None


@pytest.mark.parametrize("name", ["webhook-id", "webhook-timestamp", "webhook-signature"])
def test_each_header_is_needed(name: str) -> None:
    headers = standard()
    del headers[name]
    assert verifier(**STANDARD).problem(BODY, headers, NOW) == f"no {name} header"


@pytest.mark.parametrize(
    "change",
    [
        {"webhook-id": "msg_2"},
        {"webhook-timestamp": str(NOW // SECOND + 1)},
        {"webhook-timestamp": "soon"},
        {"webhook-timestamp": "\u0661"},
        {"webhook-signature": "v1,"},
        {"webhook-signature": "v1"},
        {"webhook-signature": ","},
        {"webhook-signature": "v1," + "A" * 44},
        {"webhook-signature": "v1,\udcff\u00e9"},
        {"webhook-id": "\udcff"},
        {"webhook-id": "\x00"},
    ],
    ids=range(11),
)
def test_any_change_is_refused_and_nothing_raises(change: dict[str, str]) -> None:
    assert verifier(**STANDARD).problem(BODY, standard() | change, NOW) is not None


def test_the_raw_bytes_count_and_not_what_they_mean() -> None:
    spaced = json.dumps(json.loads(BODY)).encode()
    assert verifier(**STANDARD).problem(spaced, standard(), NOW) is not None


def test_forged_webhooks_are_refused_by_the_thousand() -> None:
    chance = random.Random(11)
    guard = verifier(**STANDARD)
    accepted = 0
    for _ in range(5_000):
        headers, body = standard(), bytearray(BODY)
        if chance.random() < 0.5:
            place = chance.randrange(len(body))
            body[place] ^= 1 << chance.randrange(8)
        else:
            name = chance.choice(list(headers))
            text = headers[name]
            place = chance.randrange(len(text))
            headers[name] = text[:place] + chr(chance.randrange(0x110000 - 0x800) % 0xD7FF) + text[place + 1 :]
            if headers[name] == text:
                continue
        accepted += guard.problem(bytes(body), headers, NOW) is None
    assert accepted == 0


HMAC = {"scheme": "hmac", "secret": "hush", "header": "X-Signature"}


@pytest.mark.parametrize("digest", ["sha1", "sha256", "sha384", "sha512"])
@pytest.mark.parametrize("encoding", ["hex", "base64"])
@pytest.mark.parametrize("prefix", ["", "sha256="])
def test_generic_hmac_in_all_its_spellings(digest: str, encoding: str, prefix: str) -> None:
    raw = hmac.digest(b"hush", BODY, digest)
    sign = raw.hex() if encoding == "hex" else base64.b64encode(raw).decode()
    guard = verifier(**HMAC, digest=digest, encoding=encoding, prefix=prefix)
    assert guard.problem(BODY, {"x-signature": prefix + sign}, NOW) is None
    assert guard.problem(BODY + b" ", {"x-signature": prefix + sign}, NOW) is not None
    assert guard.problem(BODY, {"x-signature": prefix}, NOW) is not None
    assert guard.problem(BODY, {"x-signature": prefix + sign[:-1]}, NOW) is not None
    assert guard.problem(BODY, {}, NOW) == "no X-Signature header"
    if prefix:
        assert guard.problem(BODY, {"x-signature": sign}, NOW) is not None


def test_hex_may_be_written_in_capitals() -> None:
    text = hmac.new(b"hush", BODY, "sha256").hexdigest().upper()
    assert verifier(**HMAC).problem(BODY, {"x-signature": text}, NOW) is None


@pytest.mark.parametrize("dot", [b".", b""])
@pytest.mark.parametrize("stamp", ["1795211009", "1795211009000", "2026-11-20T21:43:29Z"])
def test_hmac_with_a_time_stamp_has_a_window(dot: bytes, stamp: str) -> None:
    guard = verifier(**HMAC, timestamp="X-Time")
    sign = hmac.new(b"hush", stamp.encode() + dot + BODY, "sha256").hexdigest()
    headers = {"x-signature": sign, "x-time": stamp}
    assert guard.problem(BODY, headers, NOW) is None
    assert guard.problem(BODY, headers, NOW + 3600 * SECOND) == "the time stamp is outside the window"
    assert guard.problem(BODY, headers | {"x-time": "1795211010"}, NOW) == "the signature does not match"
    assert guard.problem(BODY, {"x-signature": sign}, NOW) == "no X-Time header"


@pytest.mark.parametrize(
    "verify",
    [
        {"scheme": "hmac", "secret": "x"},
        {"scheme": "standard-webhooks", "secret": "x", "header": "X"},
        {"scheme": "standard-webhooks", "secret": []},
        {"scheme": "none", "secret": "x"},
        {"scheme": "hmac", "secret": "x", "header": "X", "digest": "md5"},
        {"scheme": "hmac", "header": "X"},
    ],
)
def test_senseless_options_are_refused(verify: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Webhook.model_validate({"path": "/hooks/x", "verify": verify})


def test_without_verify_a_webhook_is_refused() -> None:
    with pytest.raises(ValidationError):
        Webhook.model_validate({"path": "/hooks/x"})


def test_a_secret_that_is_no_base64_is_the_platforms_login() -> None:
    with pytest.raises(TransientError, match="no base64"):
        verifier(scheme="standard-webhooks", secret="whsec_not base64!")


@pytest.mark.skipif(not VECTORS.exists(), reason="the vendors' vectors are found by SYNCD_SHARED only")
@pytest.mark.parametrize(
    ("platform", "verify"),
    [
        ("shopify", {"scheme": "hmac", "header": "X-Shopify-Hmac-Sha256", "encoding": "base64"}),
        ("standard-webhooks", {"scheme": "standard-webhooks"}),
        (
            "zendesk",
            {
                "scheme": "hmac",
                "header": "X-Zendesk-Webhook-Signature",
                "encoding": "base64",
                "timestamp": "X-Zendesk-Webhook-Signature-Timestamp",
            },
        ),
        ("fedex", {"scheme": "hmac", "header": "fdx-signature", "encoding": "base64"}),
    ],
)
def test_what_the_vendors_sign_passes_and_a_change_does_not(platform: str, verify: dict[str, Any]) -> None:
    [vector] = [one for one in json.loads(VECTORS.read_text())["vectors"] if one["platform"] == platform]
    guard = verifier(**verify, secret=vector["secret"])
    headers = {name.lower(): value for name, value in vector["headers"].items()}
    now = NOW if platform == "standard-webhooks" else 1_795_168_800 * SECOND
    assert guard.problem(vector["body"].encode(), headers, now) is None
    assert guard.problem(vector["body"].encode() + b" ", headers, now) == "the signature does not match"
