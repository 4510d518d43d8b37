"""Who knocks: the shop signs the raw body with a secret that only it and we know.

Protocol: base64 of HMAC-SHA256 over the body, the key is the app's client secret as text. There is no time in it, so a
repeat is known by its event id alone.
"""

import base64
import hmac
from collections.abc import Callable, Mapping, Sequence

from syncd.connectors.options import reveal


class Signed:
    """Checks signatures. While a secret is rotated the shop signs with the old one for a while: all of them are accepted.

    Raises TransientError at once if a secret is missing.
    """

    def __init__(self, names: Sequence[str], header: str, secret: Callable[[str], str]) -> None:
        self._header = header
        self._secrets = [reveal(name, secret).strip().encode() for name in names]

    def problem(self, body: bytes, headers: Mapping[str, str], now: int) -> str | None:
        """Return why a webhook is not to be believed, or None. Never raises on what a stranger sends."""
        given = headers.get(self._header.lower(), "").strip().encode("utf-8", "surrogateescape")
        if not given:
            return f"no {self._header} header"
        wanted = [base64.b64encode(hmac.digest(secret, body, "sha256")) for secret in self._secrets]
        matches = [hmac.compare_digest(given, one) for one in wanted]
        return None if any(matches) else "the signature does not match"
