"""Webhooks: who may knock, and how it is proved. Verified over the raw bytes, before anything of the body is read.

``Verifier.problem`` answers None or a reason and never raises on what a stranger sends.
"""

import base64
import binascii
import hashlib
import hmac
import re
from abc import abstractmethod
from collections.abc import Callable, Mapping
from typing import Literal, Protocol, Self

from pydantic import Field, field_validator, model_validator

from syncd.connectors.options import Duration, Options, Size, reveal
from syncd.connectors.times import parse_time
from syncd.core.model import SECOND
from syncd.errors import TransientError

ID, TIME, SIGNATURE = "webhook-id", "webhook-timestamp", "webhook-signature"  # of Standard Webhooks


class SignedWith(Options):
    """What a webhook is signed with: one secret, or several of which all are accepted, during rotation."""

    secret: str | list[str]

    @field_validator("secret")
    @classmethod
    def _is_there(cls, secret: str | list[str]) -> str | list[str]:
        if not secret:
            raise ValueError("no secret")
        return secret


class Verify(SignedWith):
    """How a webhook proves where it comes from.

    ``hmac`` signs the body, or with ``timestamp`` the time stamp, with or without a dot, and then the body.
    """

    scheme: Literal["standard-webhooks", "hmac"]
    header: str | None = None
    digest: Literal["sha1", "sha256", "sha384", "sha512"] = "sha256"
    encoding: Literal["hex", "base64"] = "hex"
    prefix: str = ""
    timestamp: str | None = None

    @model_validator(mode="after")
    def _fits_the_scheme(self) -> Self:
        if self.scheme == "hmac" and not self.header:
            raise ValueError("scheme hmac needs the header that has the signature")
        if self.scheme == "standard-webhooks" and (self.header or self.timestamp or self.prefix):
            raise ValueError("scheme standard-webhooks has its own headers")
        return self


class Event(Options):
    """Where things are in a webhook's body. ``id: header`` is the header of Standard Webhooks."""

    id: str = "header"
    type: str = "type"
    item: str = "data"
    changed_at: str = "timestamp"
    deleted: list[str] = Field(default_factory=list)


class Proof(Protocol):
    """Tells a genuine webhook from a forged or replayed one."""

    def problem(self, body: bytes, headers: Mapping[str, str], now: int) -> str | None:
        """Return why a webhook is not to be believed, or None. ``headers`` have lower-case names, ``now`` is our clock."""
        ...


class Hook(Options):
    """What every kind's webhook options have: where the platform calls us, how much it may send, who checks the signature.

    ``collection`` is the one that all of it is about, None where the connector sorts it out.
    """

    path: str
    max_body: Size = 1_000_000
    collection: str | None = None

    @field_validator("path")
    @classmethod
    def _starts_at_the_root(cls, path: str) -> str:
        if not re.fullmatch(r"/[^\s?#]*", path):
            raise ValueError(f'"{path}" is no path like /hooks/shop')
        return path

    @abstractmethod
    def verifier(self, secret: Callable[[str], str]) -> Proof:
        """Return who checks its signatures; raises TransientError if a secret is missing. Each kind has its own."""


class Webhook(Hook):
    """One path where a platform calls us. ``topics`` sorts event types into collections: ``{products: ["product.*"]}``."""

    verify: Verify
    event: Event = Event()
    topics: dict[str, list[str]] = Field(default_factory=dict)
    window: Duration = 300 * SECOND

    def verifier(self, secret: Callable[[str], str]) -> Proof:
        """Return the verifier of the configured scheme; raises TransientError if a secret is missing."""
        return Verifier(self, secret)


class Verifier:
    """Tells a genuine webhook from a forged or replayed one. Raises TransientError at once if a secret is missing."""

    def __init__(self, webhook: Webhook, secret: Callable[[str], str]) -> None:
        self._verify = webhook.verify
        self._window = webhook.window
        names = webhook.verify.secret
        texts = [reveal(name, secret).strip() for name in ([names] if isinstance(names, str) else names)]
        standard = webhook.verify.scheme == "standard-webhooks"
        self._secrets = [_key_of(text) if standard else text.encode() for text in texts]

    def problem(self, body: bytes, headers: Mapping[str, str], now: int) -> str | None:
        """Return why a webhook is not to be believed, or None. ``headers`` have lower-case names, ``now`` is our clock."""
        if self._verify.scheme == "standard-webhooks":
            return self._standard(body, headers, now)
        return self._hmac(body, headers, now)

    def _standard(self, body: bytes, headers: Mapping[str, str], now: int) -> str | None:
        missing = [name for name in (ID, TIME, SIGNATURE) if not headers.get(name)]
        if missing:
            return f"no {missing[0]} header"
        given = [sign[3:] for sign in headers[SIGNATURE].split(" ") if sign.startswith("v1,")]
        message = b".".join((_raw(headers[ID]), _raw(headers[TIME]), body))
        wanted = [base64.b64encode(hmac.digest(secret, message, "sha256")) for secret in self._secrets]
        if not _any_equal(given, wanted):
            return "the signature does not match"
        return self._outside(headers[TIME], now)

    def _hmac(self, body: bytes, headers: Mapping[str, str], now: int) -> str | None:
        verify = self._verify
        given = headers.get((verify.header or "").lower(), "")
        if not given.startswith(verify.prefix) or len(given) == len(verify.prefix):
            return f"no {verify.header} header" if not given else "the signature does not match"
        moment = headers.get(verify.timestamp.lower(), "") if verify.timestamp else ""
        if verify.timestamp and not moment:
            return f"no {verify.timestamp} header"
        messages = [_raw(moment) + b"." + body, _raw(moment) + body, body] if moment else [body]
        digests = [hmac.digest(secret, message, verify.digest) for secret in self._secrets for message in messages]
        sign = given.removeprefix(verify.prefix)
        if verify.encoding == "hex":
            matches = _any_equal([sign.lower()], [digest.hex().encode() for digest in digests])
        else:
            matches = _any_equal([sign], [base64.b64encode(digest) for digest in digests])
        if not matches:
            return "the signature does not match"
        return self._outside(moment, now) if moment else None

    def _outside(self, moment: str, now: int) -> str | None:
        at = parse_time(moment)
        if at is None:
            return "the time stamp is no time"
        return None if abs(now - at) <= self._window else "the time stamp is outside the window"


def _key_of(text: str) -> bytes:
    try:
        return base64.b64decode(text.removeprefix("whsec_"), validate=True)
    except (binascii.Error, ValueError) as error:
        raise TransientError("login: the webhook secret is no base64") from error


def _any_equal(given: list[str], wanted: list[bytes]) -> bool:
    """Compare everything with everything, in a time that tells nothing."""
    equal = [hmac.compare_digest(_raw(one), other) for one in given for other in wanted]
    return any(equal)


def _raw(text: str) -> bytes:
    """Return the bytes of a header as they came."""
    return text.encode("utf-8", "surrogateescape")


def fingerprint(body: bytes) -> str:
    """Return what a webhook is known by that has no id of its own."""
    return hashlib.sha256(body).hexdigest()
