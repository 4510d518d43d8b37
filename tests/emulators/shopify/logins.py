"""Tokens: static ones, those of client credentials, and expiring ones with refresh tokens that are good for one use."""

import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

SCOPES = (
    *("read_products", "write_products", "read_inventory", "write_inventory", "read_customers", "write_customers"),
    *("read_orders", "write_orders", "read_locations"),
)
NEEDED = {  # the scope that a root field needs, by what its name begins with
    "product": "products",
    "collection": "products",
    "tags": "products",
    "metafields": "products",
    "inventory": "inventory",
    "customer": "customers",
    "order": "orders",
    "location": "locations",
}


@dataclass
class Logins:
    """Who may come in. ``lifetime``: seconds that a token of ours lasts."""

    static: set[str] = field(default_factory=lambda: {"shpat_test"})
    client_id: str = "client"
    client_secret: str = "hush"
    scopes: list[str] = field(default_factory=lambda: list(SCOPES))
    lifetime: float = 86399
    clock: Callable[[], float] = time.monotonic
    issued: int = 0
    rotated: int = 0
    refused: list[str] = field(default_factory=list)
    _tokens: dict[str, float] = field(default_factory=dict)
    _refresh: set[str] = field(default_factory=set)

    def admits(self, token: str | None) -> bool:
        """Return whether a token is good now."""
        good = token in self.static or self._tokens.get(token or "", 0) > self.clock()
        if not good:
            self.refused.append(token or "")
        return good

    def expire(self) -> None:
        """Let every token that was issued end now, also the static ones."""
        self._tokens.clear()
        self.static.clear()

    def refresh_token(self) -> str:
        """Return a refresh token, as an app has it once it is installed."""
        made = f"shprt_{secrets.token_hex(8)}"
        self._refresh.add(made)
        return made

    def grant(self, asked: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        """Answer a request for a token."""
        if (asked.get("client_id"), asked.get("client_secret")) != (self.client_id, self.client_secret):
            return 400, {"error": "invalid_client", "error_description": "Client authentication failed"}
        match asked.get("grant_type"):
            case "client_credentials":
                return 200, self._token()
            case "refresh_token":
                if asked.get("refresh_token") not in self._refresh:
                    return 400, {
                        "error": "invalid_grant",
                        "error_description": "The refresh token is invalid or was used before",
                    }
                self._refresh.remove(asked["refresh_token"])
                self.rotated += 1
                return 200, self._token() | {"refresh_token": self.refresh_token(), "refresh_token_expires_in": 7_776_000}
        return 400, {"error": "unsupported_grant_type"}

    def _token(self) -> dict[str, Any]:
        token = f"shpca_{secrets.token_hex(8)}"
        self._tokens[token] = self.clock() + self.lifetime
        self.issued += 1
        return {"access_token": token, "scope": ",".join(self.scopes), "expires_in": int(self.lifetime)}

    def lacks(self, root: str, *, mutation: bool) -> str | None:
        """Return the scope that is missing for a root field."""
        kind = next((scope for name, scope in NEEDED.items() if root.startswith(name)), None)
        needed = f"{'write' if mutation else 'read'}_{kind}" if kind is not None else None
        granted = set(self.scopes) | {scope.replace("write_", "read_") for scope in self.scopes}
        return needed if needed is not None and needed not in granted else None
