"""A hand of one's own in the shop: for tests as methods, for examples over HTTP under ``/_control``.

``POST /_control/{what}`` with a JSON object of arguments: product, edit, stock, remove, order, customer, subscribe, fault, set,
courier. ``GET /_control/requests`` has every request so far, ``GET /_control/things?kind=Product`` what the shop holds.
"""

from typing import TYPE_CHECKING, Any

import orjson
from aiohttp import web

from tests.emulators.shopify.groups import collection
from tests.emulators.shopify.others import contacts, customer, subscribe
from tests.emulators.shopify.products import assign_item, remove_product, tags_of
from tests.emulators.shopify.reads import available
from tests.emulators.shopify.state import Node, money

if TYPE_CHECKING:
    from tests.emulators.shopify.server import Emulator


class Hand:
    """Somebody else in the shop's admin. Every change sends its webhooks."""

    def __init__(self, emulator: "Emulator") -> None:
        self._emulator = emulator
        self.shop = emulator.shop

    def product(self, *, variants: list[Node] | None = None, **values: Any) -> str:
        """Make a product. A variant: ``options`` by name, ``price``, ``sku``, ``barcode``, ``stock``."""
        shop = self.shop
        values["tags"] = tags_of(values.get("tags") or [])
        metafields = values.pop("metafields", {})
        product = shop.product(**values)
        for n, given in enumerate(variants or [{}]):
            rest = dict(given)
            options = rest.pop("options", {"Title": "Default Title"} if n == 0 else {"Title": f"No. {n + 1}"})
            self._options(product, options)
            sku, stock = rest.pop("sku", None), rest.pop("stock", None)
            if "price" in rest:
                rest["price"] = money(rest["price"])
            variant = shop.variant(product, options, **rest)
            variant["_item"]["sku"] = sku
            if stock is not None:
                shop.level(variant["_item"], shop.location)["_quantities"] |= {"available": stock, "on_hand": stock}
        self.metafields(product["id"], metafields)
        shop.touch(product, "create")
        return self._done(product)

    def _options(self, product: Node, options: dict[str, str]) -> None:
        for name, value in options.items():
            option = next((one for one in product["_options"] if one["name"] == name), None)
            if option is None:
                place = len(product["_options"]) + 1
                option = {"id": self.shop.gid("ProductOption"), "name": name, "position": place, "optionValues": []}
                product["_options"] = [*product["_options"], option]
            if value not in [one["name"] for one in option["optionValues"]]:
                option["optionValues"].append({"id": self.shop.gid("ProductOptionValue"), "name": value, "hasVariants": True})

    def metafields(self, one: str, values: dict[str, Any]) -> None:
        """Set metafields: ``{"custom.colour": "red"}``, or with a type ``{"custom.size": ["number_integer", "4"]}``."""
        owner = self.shop.get(one)
        assert owner is not None
        for name, given in values.items():
            namespace, _, key = name.partition(".")
            kind, value = given if isinstance(given, list | tuple) else ("single_line_text_field", given)
            self.shop.set_metafield(owner, namespace, key, kind, str(value))

    def edit(self, one: str, **values: Any) -> str:
        """Change fields of a thing by the schema's own names; ``metafields``, and ``sku`` of a variant, too."""
        node = self.shop.get(one)
        assert node is not None, one
        self.shop.keep(node)
        self.metafields(one, values.pop("metafields", {}))
        if "sku" in values and "_item" in node:
            assign_item(self.shop, node["_item"], {"sku": values.pop("sku")})
        if "price" in values:
            values["price"] = money(values["price"])
        if "tags" in values:
            values["tags"] = tags_of(values["tags"])
        if "handle" in values:
            self.shop.name(node, values["handle"])
        node |= values
        if node["__typename"] == "Customer":
            contacts(node)
        self.shop.touch(node)
        if "_product" in node:
            self.shop.keep(node["_product"])
            self.shop.touch(node["_product"])
        return self._done(node)

    def stock(self, one: str, quantity: int, location: str | None = None) -> str:
        """Set what is available of a variant or an inventory item."""
        node = self.shop.get(one)
        place = self.shop.get(location or self.shop.location["id"])
        assert node is not None
        assert place is not None
        self.shop.stock(node.get("_item", node), place, quantity)
        return self._done(node)

    def remove(self, one: str) -> str:
        """Delete a thing."""
        node = self.shop.get(one)
        assert node is not None, one
        if node["__typename"] == "Product":
            remove_product(self.shop, node)
        else:
            self.shop.drop(node)
        return self._done(node)

    def customer(self, **values: Any) -> str:
        """Make a customer."""
        metafields = values.pop("metafields", {})
        made = customer(self.shop, **values)
        self.metafields(made["id"], metafields)
        self.shop.touch(made, "create")
        return self._done(made)

    def order(self, *, total: str = "10.00", **values: Any) -> str:
        """Make an order."""
        nothing = dict.fromkeys(("email", "phone", "note", "poNumber", "cancelledAt", "closedAt", "customer"))
        base = nothing | {"name": f"#{1001 + len(self.shop.all('Order'))}", "tags": [], "displayFinancialStatus": "PAID"}
        base |= {"displayFulfillmentStatus": "UNFULFILLED", "currencyCode": "EUR", "_lines": []}
        bag = {"shopMoney": {"amount": total, "currencyCode": "EUR"}}
        made = self.shop.make("Order", **(base | {"currentTotalPriceSet": bag, "totalPriceSet": bag} | values))
        self.shop.touch(made, "create")
        return self._done(made)

    def collection(self, title: str, **values: Any) -> str:
        """Make a collection."""
        made = collection(self.shop, title, **values)
        self.shop.touch(made, "create")
        return self._done(made)

    def subscribe(self, topic: str, uri: str, *, of_the_app: bool = False) -> str:
        """Subscribe to a topic, as PRODUCTS_UPDATE."""
        return str(subscribe(self.shop, topic, uri, of_the_app=of_the_app)["id"])

    def _done(self, node: Node) -> str:
        self._emulator.notify()
        return str(node["id"])


class Control:
    """The hand, over HTTP."""

    def __init__(self, emulator: "Emulator") -> None:
        self._emulator = emulator

    def join(self, app: web.Application) -> None:
        """Add the paths to a server."""
        app.router.add_get("/_control/requests", self._requests)
        app.router.add_get("/_control/things", self._things)
        app.router.add_get("/_control/ready", self._ready)
        app.router.add_post("/_control/{what}", self._do)

    async def _ready(self, _: web.Request) -> web.Response:
        return web.json_response({"ready": True})

    async def _requests(self, _: web.Request) -> web.Response:
        return web.Response(body=orjson.dumps(self._emulator.recorded(), default=str), content_type="application/json")

    async def _things(self, request: web.Request) -> web.Response:
        nodes = self._emulator.shop.all(request.query.get("kind", "Product"))
        return web.Response(body=orjson.dumps([plain(node) for node in nodes]), content_type="application/json")

    async def _do(self, request: web.Request) -> web.Response:
        given, what = orjson.loads(await request.read() or b"{}"), request.match_info["what"]
        emulator = self._emulator
        match what:
            case "fault":
                emulator.faults.add(given.pop("kind"), given.pop("times", 1), **given)
            case "set":
                for name, value in given.items():
                    target, _, last = name.rpartition(".")
                    setattr(getattr(emulator, target) if target else emulator, last, value)
            case "courier":
                for name, value in given.items():
                    if name == "url":
                        emulator.courier.url = value
                    else:
                        getattr(emulator.courier, name)(value)
            case "again":
                return web.json_response(len(await emulator.courier.again()))
            case "product" | "edit" | "stock" | "remove" | "customer" | "order" | "collection" | "subscribe" | "metafields":
                one = given.pop("id", None)
                done = getattr(Hand(emulator), what)(*([one] if one is not None else []), **given)
                return web.json_response(done)
            case _:
                return web.json_response({"error": f"{what} is nothing that can be done"}, status=404)
        return web.json_response(None)


def plain(node: Node) -> dict[str, Any]:
    """Return a thing with what belongs to it, as JSON."""
    shown = {name: value for name, value in node.items() if not name.startswith("_") and not callable(value)}
    shown["metafields"] = {".".join(name): one["value"] for name, one in node.get("_metafields", {}).items()}
    if "_variants" in node:
        shown["variants"] = [plain(variant) for variant in node["_variants"]]
    if "_item" in node:
        shown |= {"sku": node["_item"]["sku"], "stock": available(node["_item"]), "inventoryItem": node["_item"]["id"]}
        shown["options"] = node.get("_options", {})
    return shown
