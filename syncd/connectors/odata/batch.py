"""``$batch``: several writes in one request, each for itself, and what the service answers to each.

In multipart form every write stands in a change set of its own: what is in one change set is done or refused together, and
one bad record must not keep its neighbours out. In JSON form (OData 4) a request of no group is for itself anyway. Services
go on behind an error in OData 2; OData 4 is asked to. Answers come in the order of the requests, in JSON with their numbers.
"""

import re
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import replace

from multidict import CIMultiDict, CIMultiDictProxy

from syncd.connectors.body import BadBody, decode, encode
from syncd.connectors.http import Reply
from syncd.connectors.odata.writes import Request
from syncd.core.model import Native

PREFER = "odata.continue-on-error"
_BOUNDARY = re.compile(r'boundary="?([^";]+)"?', re.IGNORECASE)
_STATUS = re.compile(rb"HTTP/1\.[01] (\d{3})[^\r\n]*\r?\n")
_BLANK = re.compile(rb"\r?\n\r?\n")
END = b"\r\n"


def as_multipart(requests: Sequence[Request]) -> tuple[str, bytes]:
    """Return the content type and the body of a batch; raises BadBody for what is no JSON."""
    outer = f"batch_{secrets.token_hex(8)}"
    lines: list[bytes] = []
    for number, request in enumerate(requests, 1):
        inner = f"changeset_{number}_{secrets.token_hex(8)}"
        lines += [f"--{outer}".encode(), f"Content-Type: multipart/mixed; boundary={inner}".encode(), b""]
        lines += [f"--{inner}".encode(), b"Content-Type: application/http", b"Content-Transfer-Encoding: binary"]
        lines += [f"Content-ID: {number}".encode(), b"", _written(request), f"--{inner}--".encode()]
    return f"multipart/mixed; boundary={outer}", END.join([*lines, f"--{outer}--".encode(), b""])


def _written(request: Request) -> bytes:
    body = b"" if request.content is None else encode(request.content)
    headers = request.headers | ({"Content-Length": str(len(body))} if body else {})
    lines = [f"{request.method} {request.path.removeprefix('/')} HTTP/1.1"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    return "\r\n".join(lines).encode() + END + END + body


def as_json(requests: Sequence[Request]) -> tuple[str, bytes]:
    """Return the content type and the body of a batch; raises BadBody for what is no JSON."""
    listed: list[Native] = []
    for number, request in enumerate(requests, 1):
        one: dict[str, Native] = {"id": str(number), "method": request.method, "url": request.path.removeprefix("/")}
        one["headers"] = {name.lower(): value for name, value in request.headers.items()}
        listed.append(one if request.content is None else one | {"body": request.content})
    return "application/json", encode({"requests": listed})


def answers_of(reply: Reply, requests: Sequence[Request]) -> list[Reply | None]:
    """Return the answer to each request of a batch, None where there is none that can be read."""
    kind = reply.headers.get("Content-Type", "")
    found = _of_json(reply) if "json" in kind.lower() else _of_multipart(reply, kind)
    if len(found) > len(requests):
        return [None] * len(requests)
    return [_placed(found.get(number), request) for number, request in enumerate(requests, 1)]


def _placed(reply: Reply | None, request: Request) -> Reply | None:
    return reply if reply is None else replace(reply, place=f"{request.method} {request.path} in $batch")


def _of_json(reply: Reply) -> dict[int, Reply]:
    try:
        value = decode(reply.body)
    except BadBody:
        return {}
    listed = value.get("responses") if isinstance(value, dict) else None
    found: dict[int, Reply] = {}
    for one in listed if isinstance(listed, list) else []:
        if not isinstance(one, dict) or not str(one.get("id", "")).isdecimal() or not isinstance(one.get("status"), int):
            continue
        told = one.get("headers")
        body = one.get("body")
        content = b"" if body is None else body.encode() if isinstance(body, str) else encode(body)
        found[int(str(one["id"]))] = _inner(reply, one["status"], told if isinstance(told, dict) else {}, content)
    return found


def _of_multipart(reply: Reply, kind: str) -> dict[int, Reply]:
    boundary = _BOUNDARY.search(kind)
    parts = _split(reply.body, boundary[1]) if boundary else []
    found = [_answer(reply, part) for part in parts]
    return {number: one for number, one in enumerate(found, 1) if one is not None}


def _split(body: bytes, boundary: str) -> list[bytes]:
    """Return the parts between the boundaries; what comes after a missing end is no part."""
    pieces = re.split(rb"(?:^|\r?\n)--" + re.escape(boundary.encode()) + rb"(--)?[ \t]*(?:\r?\n|$)", body)
    return pieces[2:-1:2]


def _answer(reply: Reply, part: bytes) -> Reply | None:
    """Return the answer in a part: itself one, or a change set with one in it."""
    headers, content = _headed(part)
    kind = headers.get("Content-Type", "")
    if kind.lower().startswith("multipart/"):
        boundary = _BOUNDARY.search(kind)
        inner = _split(content, boundary[1]) if boundary else []
        return _answer(reply, inner[0]) if len(inner) == 1 else None
    status = _STATUS.match(content)
    if not status:
        return None
    told, body = _headed(content[status.end() :])
    length = told.get("Content-Length", "")
    cut = body[: int(length)] if length.isdecimal() else body
    return None if length.isdecimal() and len(cut) < int(length) else _inner(reply, int(status[1]), told, cut)


def _headed(part: bytes) -> tuple[CIMultiDict[str], bytes]:
    """Return the headers and the rest of a part."""
    if part.startswith((b"\r\n", b"\n")):  # no headers at all
        return CIMultiDict(), part.lstrip(b"\r\n")
    found = _BLANK.search(part)
    head, rest = (part[: found.start()], part[found.end() :]) if found else (part, b"")
    headers: CIMultiDict[str] = CIMultiDict()
    for line in head.decode("utf-8", "replace").splitlines():
        name, colon, value = line.partition(":")
        if colon:
            headers.add(name.strip(), value.strip())
    return headers, rest


def _inner(reply: Reply, status: int, headers: Mapping[str, Native], body: bytes) -> Reply:
    told = CIMultiDict((str(name), str(value)) for name, value in headers.items())
    return replace(reply, status=status, headers=CIMultiDictProxy(told), body=body)
