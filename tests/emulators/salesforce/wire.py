"""One call and one answer, whichever way they came: by HTTP, or inside another call."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from syncd.connectors.body import BadBody, decode, encode
from tests.emulators.salesforce.values import Refused


@dataclass
class Call:
    """One call to the data API. ``path`` starts behind ``/services/data/vNN.N`` and is unquoted part by part."""

    method: str
    path: str
    query: dict[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""

    @classmethod
    def of(cls, method: str, url: str, headers: Mapping[str, str], body: bytes) -> "Call":
        """Return a call from its raw address."""
        parts = urlsplit(url)
        return cls(method, parts.path, dict(parse_qsl(parts.query, keep_blank_values=True)), headers, body)

    @property
    def parts(self) -> list[str]:
        """Return the parts of the path."""
        return [unquote(part) for part in self.path.strip("/").split("/")]

    def json(self) -> Any:
        """Return the body; raises Refused."""
        try:
            return decode(self.body) if self.body else {}
        except BadBody as error:
            raise Refused("JSON_PARSER_ERROR", str(error)) from error

    def header(self, name: str) -> str:
        """Return a header whatever its case, or nothing."""
        return next((value for key, value in self.headers.items() if key.lower() == name.lower()), "")


@dataclass
class Answer:
    """One answer. ``value`` becomes JSON; ``raw`` is sent as it is."""

    status: int = 200
    value: Any = None
    headers: dict[str, str] = field(default_factory=dict)
    raw: bytes | None = None
    kind: str = "application/json"

    @property
    def body(self) -> bytes:
        """Return the bytes of the answer."""
        if self.raw is not None:
            return self.raw
        return b"" if self.status == 204 else encode(self.value)


Route = Callable[[Call], Answer]


def failed(refused: Refused) -> Answer:
    """Return the answer of an error: a list with one element."""
    return Answer(refused.status, [refused.shown()])
