"""How the service signs a webhook: milliseconds, a dot, the body; base64url without padding."""

import base64
import hmac


def signed(body: bytes, secret: str, at: int) -> str:
    """Return the header ``sanity-webhook-signature``."""
    digest = hmac.digest(secret.encode(), f"{at}.".encode() + body, "sha256")
    return f"t={at},v1={base64.urlsafe_b64encode(digest).decode().rstrip('=')}"
