"""Every document that is sent but the mutations. Names of the search language are the shop's: ``updated_at:>='...'``.

A value in a search stands in single quotes, with a backslash before a quote or a backslash.
"""

from datetime import UTC, timedelta

from syncd.connectors.shopify.objects import Kind
from syncd.connectors.shopify.selection import Selection
from syncd.connectors.times import moment_of

LEVELS = "location.inventoryLevels"
PAGE = "pageInfo { hasNextPage endCursor }"
SCOPES = "query Scopes { currentAppInstallation { accessScopes { handle } } }"
LOCATIONS = (
    "query Locations($first: Int!, $after: String) { locations(first: $first, after: $after)"
    f" {{ nodes {{ id name }} {PAGE} }} }}"
)
SUBSCRIPTIONS = (
    "query Subscriptions($first: Int!, $after: String) { webhookSubscriptions(first: $first, after: $after)"
    f" {{ nodes {{ id topic uri format }} {PAGE} }} }}"
)
SUBSCRIBE = (
    "mutation Subscribe($topic: WebhookSubscriptionTopic!, $subscription: WebhookSubscriptionInput!) {"
    " subscribed: webhookSubscriptionCreate(topic: $topic, webhookSubscription: $subscription)"
    " { webhookSubscription { id } userErrors { field message } } }"
)
RUN_BULK = (
    "mutation Bulk($query: String!) { bulk: bulkOperationRunQuery(query: $query, groupObjects: true)"
    " { bulkOperation { id status } userErrors { field message code } } }"
)
BULK = "query Bulk($id: ID!) { bulkOperation(id: $id) { id status errorCode objectCount rootObjectCount url } }"


def listing(kind: Kind, selection: Selection, *, by_time: bool) -> tuple[str, str]:
    """Return the document that lists things, and the path of the connection in its answer.

    Variables: ``first``, ``after``, ``query``, and for the levels of stock ``location``.
    """
    nodes = f"{{ nodes {{ {selection.text} }} {PAGE} }}"
    paged = "first: $first, after: $after, query: $query"
    if kind.name == "InventoryLevel":
        head = "query List($first: Int!, $after: String, $query: String, $location: ID!)"
        return f"{head} {{ location(id: $location) {{ inventoryLevels({paged}) {nodes} }} }}", LEVELS
    sort = kind.by_time if by_time else kind.by_id
    ordered = f"{paged}, sortKey: {sort}" if sort else paged
    return f"query List($first: Int!, $after: String, $query: String) {{ {kind.root}({ordered}) {nodes} }}", kind.root


def reading(kind: Kind, selection: Selection) -> str:
    """Return the document that reads things by their global ids."""
    return f"query Read($ids: [ID!]!) {{ nodes(ids: $ids) {{ ... on {kind.name} {{ {selection.text} }} }} }}"


def resting(kind: Kind, selection: Selection, name: str) -> tuple[str, str]:
    """Return the document that reads a nested list of one thing on from a cursor, and the path of that list."""
    inner = f"{name}(first: $first, after: $after) {{ nodes {{ {selection.nested(name)} }} {PAGE} }}"
    head = "query Rest($id: ID!, $first: Int!, $after: String)"
    return f"{head} {{ node(id: $id) {{ ... on {kind.name} {{ {inner} }} }} }}", f"node.{name}"


def unique(kind: Kind, selection: Selection) -> tuple[str, str]:
    """Return the document that finds one thing by what names it, and the path in its answer. Variable: ``identifier``."""
    root = f"{kind.name[0].lower()}{kind.name[1:]}ByIdentifier"
    head = f"query Find($identifier: {kind.name}IdentifierInput!)"
    return f"{head} {{ found: {root}(identifier: $identifier) {{ {selection.text} }} }}", "found"


def bulk(kind: Kind, selection: Selection, query: str | None) -> str:
    """Return the query of a bulk operation: as a list, without pages, on the top level and below."""
    argument = f'(query: "{_in_quotes(query)}")' if query else ""
    text = selection.in_bulk
    return f"{{ {kind.root}{argument} {{ edges {{ node {{ {text} }} }} }} }}"


def since(kind: Kind, scope: str | None, at: int | None) -> str | None:
    """Return the search for what changed at or after a moment (microseconds), within a scope; None for everything.

    Where the shop takes a time for its whole day, the day before is asked for: whose midnight it means is not said.
    """
    bounds = [f"({scope})"] if scope else []
    if at is not None:
        bounds.append(f"updated_at:>='{_moment(kind, at)}'")
    return " AND ".join(bounds) or None


def term(name: str, value: str) -> str:
    """Return the search for a value."""
    escaped = value.replace("\\", "\\\\").replace("'", "\\'")
    return f"{name}:'{escaped}'"


def _moment(kind: Kind, at: int) -> str:
    moment = moment_of(max(at, 0)).astimezone(UTC)
    if kind.moment == "day":
        return (moment - timedelta(days=1)).date().isoformat() if at > 0 else "1970-01-01"
    return moment.replace(microsecond=0).isoformat().replace("+00:00", "Z")


def _in_quotes(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"')
