"""What each part of the HTTP API answers."""

from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp import web

from syncd.connectors.body import BadBody, decode, encode
from tests.emulators.sanity.dataset import RefusedError, Transaction
from tests.emulators.sanity.evaluator import BadQueryError
from tests.emulators.sanity.faults import Asked
from tests.emulators.sanity.lake import Lake
from tests.emulators.sanity.listening import KEEP_ALIVE, Listener, framed

Answer = tuple[int, Any]
TRUE = {"true", "1"}
ROLES = {"viewer": (), "contributor": ("drafts",), "editor": ("all",), "administrator": ("all",)}


def failed(status: int, error: str, message: str) -> Answer:
    """Return an error as the outer API words it."""
    return status, {"statusCode": status, "error": error, "message": message}


def role_of(lake: Lake, request: web.Request) -> str | None:
    """Return the role of the token of a request, None without one that is good."""
    token = request.headers.get("Authorization", "").removeprefix("Bearer ")
    return None if token in lake.faults.expired else lake.roles.get(token)


def params_of(query: dict[str, str]) -> dict[str, Any]:
    """Return the GROQ parameters of a URL: ``$name=JSON``."""
    return {name[1:]: decode(value.encode()) for name, value in query.items() if name.startswith("$")}


def perspective_of(asked: Asked) -> str:
    """Return what a query sees: told, or by the version of the API."""
    told = asked.query.get("perspective", "").replace("previewDrafts", "drafts")
    newer = asked.path.split("/")[1] >= "v2025-02-19" or asked.path.startswith("/vX")
    return told or ("published" if newer else "raw")


async def query(lake: Lake, asked: Asked) -> Answer:
    """Answer a query, by GET or POST."""
    posted = asked.body if isinstance(asked.body, dict) else {}
    text = posted.get("query", asked.query.get("query", ""))
    params = posted.get("params") or params_of(asked.query)
    window = {"window": lake.window, "after": params["after"]} if lake.window and "after" in params else {}
    try:
        found = await lake.evaluator.query(text, params, perspective_of(asked), **window)
    except BadQueryError as error:
        place = {"start": error.start, "end": error.start + 1}
        return 400, {"error": {"type": "queryParseError", "description": str(error), "query": text, **place}}
    return 200, encode({"ms": 1, "query": text, "syncTags": ["s1:abc"]})[:-1] + b',"result":' + found + b"}"


async def mutate(lake: Lake, asked: Asked, role: str) -> Answer:
    """Answer a transaction."""
    body = asked.body
    if not isinstance(body, dict) or not isinstance(body.get("mutations"), list):
        return failed(400, "Bad Request", "Malformed request body")
    refused = forbidden(role, body["mutations"])
    if refused:
        return refused
    number = asked.query.get("transactionId") or body.get("transactionId")
    dry = asked.query.get("dryRun") in TRUE
    try:
        done = lake.data.apply(body["mutations"], transaction=number, author=role, dry=dry)
    except RefusedError as error:
        return error.status, refusal(error)
    if not dry:
        await lake.spread(done, asked.query.get("visibility", "sync"))
    return 200, results_of(done, asked.query)


def forbidden(role: str, mutations: list[dict[str, Any]]) -> Answer | None:
    """Return the refusal of a token that may not write (all of) this."""
    allowed = ROLES[role]
    for index, mutation in enumerate(mutations):
        [(verb, what)] = mutation.items()
        native = str(what.get("id") or what.get("_id") or "")
        if "all" in allowed or ("drafts" in allowed and native.startswith("drafts.")):
            continue
        permission = {"patch": "update", "delete": "update"}.get(verb, "create")
        text = f'Insufficient permissions; permission "{permission}" required'
        error = {"type": "insufficientPermissionsError", "description": text, "permission": permission}
        return 403, {"error": {"type": "mutationError", "description": text, "items": [{"index": index, "error": error}]}}
    return None


def refusal(error: RefusedError) -> dict[str, Any]:
    """Return the body of a refused transaction."""
    if error.index is None:
        return {"error": {"type": error.kind, "description": str(error)}}
    item = {"type": error.kind, "description": str(error), **error.more}
    description = f"The mutation(s) failed: {error}"
    return {"error": {"type": "mutationError", "description": description, "items": [{"index": error.index, "error": item}]}}


def results_of(done: Transaction, options: dict[str, str]) -> dict[str, Any]:
    """Return the body of a transaction that was committed."""
    shown = options.get("returnIds") in TRUE or options.get("returnDocuments") in TRUE
    steps = [step for step in done.steps if shown and step.operation != "none"]
    results: list[dict[str, Any]] = [{"id": step.id, "operation": step.operation} for step in steps]
    if options.get("returnDocuments") in TRUE:
        for result, step in zip(results, steps, strict=True):
            result["document"] = step.after or step.before
    return {"transactionId": done.id, "results": results}


async def listen(lake: Lake, request: web.Request, asked: Asked) -> web.StreamResponse:
    """Hold a stream open until it is ended from either side."""
    response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
    await response.prepare(request)
    asked.status = 200
    text, params = asked.query.get("query", ""), params_of(asked.query)
    try:
        await lake.evaluator.match(text, params, [{"_id": "x"}])
    except BadQueryError as error:
        await response.write(framed("channelError", {"message": str(error)}))
        return response
    listener = Listener(text, params, asked.query)
    if lake.faults.silent:
        await listener.queue.get()
        return response
    await response.write(framed("welcome", {"listenerName": "listener"}) + KEEP_ALIVE)
    lake.listeners.add(listener)
    try:
        while (event := await listener.queue.get()) is not None:
            await response.write(event)
    except ConnectionError:
        pass
    finally:
        lake.listeners.discard(listener)
        listener.ended.set()
    return response


async def document(lake: Lake, asked: Asked) -> Answer:
    """Answer a read by id, which sees what is committed."""
    ids = asked.path.rsplit("/", 1)[-1].split(",")
    found = [lake.documents[one] for one in ids if one in lake.documents]
    omitted = [{"id": one, "reason": "existence"} for one in ids if one not in lake.documents]
    return 200, {"documents": found, "omitted": omitted}


async def history(lake: Lake, asked: Asked) -> Answer:
    """Answer the transactions of a document as lines, oldest first."""
    ids = set(asked.path.rsplit("/", 1)[-1].split(","))
    lines = [
        encode({"id": one.id, "timestamp": one.at, "author": one.author, "documentIDs": sorted(one.documents)})
        for one in lake.data.transactions.values()
        if ids & one.documents.keys()
    ]
    return 200, b"\n".join(lines) + b"\n"


async def export(lake: Lake, asked: Asked) -> Answer:
    """Answer everything as lines, in no order."""
    return 200, b"".join(encode(one) + b"\n" for one in lake.documents.values())


async def me(lake: Lake, asked: Asked, role: str) -> Answer:
    """Answer who the token is."""
    return 200, {"id": f"robot-{role}", "name": role, "roles": [{"name": role, "title": role.title()}]}


READS: dict[str, Callable[[Lake, Asked], Awaitable[Answer]]] = {
    "query": query,
    "doc": document,
    "history": history,
    "export": export,
}


async def body_of(request: web.Request) -> Any:
    """Return the body of a request, None where it is none or no JSON."""
    data = await request.read()
    try:
        return decode(data) if data else None
    except BadBody:
        return None
