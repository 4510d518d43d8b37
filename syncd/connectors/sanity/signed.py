"""Webhooks of Sanity: HMAC-SHA256 over the time in milliseconds, a dot and the raw body; base64url without padding."""

import base64
import hmac
import re
from collections.abc import Callable, Mapping

from syncd.connectors.options import reveal

HEADER = "sanity-webhook-signature"
FORM = re.compile(r"t=([0-9]{1,17})[, ]+v1=([A-Za-z0-9_-]+)")


class Verifier:
    """Tells a genuine webhook from a forged or replayed one. Raises TransientError at once if a secret is missing."""

    def __init__(self, names: str | list[str], window: int, secret: Callable[[str], str]) -> None:
        self._window = window
        self._secrets = [reveal(name, secret).strip().encode() for name in ([names] if isinstance(names, str) else names)]

    def problem(self, body: bytes, headers: Mapping[str, str], now: int) -> str | None:
        """Return why a webhook is not to be believed, or None. ``headers`` have lower-case names, ``now`` is our clock."""
        given = headers.get(HEADER, "")
        if not given:
            return f"no {HEADER} header"
        found = FORM.fullmatch(given)
        if found is None:
            return f"the {HEADER} header is not t=TIME,v1=SIGNATURE"
        wanted = [signature(body, found[1], secret) for secret in self._secrets]
        equal = [hmac.compare_digest(found[2].encode(), one) for one in wanted]  # all of them, in a time that tells nothing
        if not any(equal):
            return "the signature does not match"
        if abs(now - int(found[1]) * 1000) > self._window:
            return "the time stamp is outside the window"
        return None


def signature(body: bytes, moment: str, secret: bytes) -> bytes:
    """Return the signature of a body at a moment (milliseconds)."""
    digest = hmac.digest(secret, moment.encode() + b"." + body, "sha256")
    return base64.urlsafe_b64encode(digest).rstrip(b"=")
