"""From mapped paths to a selection set, and from what it brings back to a thing with these paths.

Connections become lists (``variants.0.price``), metafields an object by namespace and key (``metafields.custom.erp``), and
the quantities of stock one by name (``quantities.available``). Three names are ours: ``inventoryQuantity`` is the stock at
the collection's ``location`` where it has one, ``weight`` of a variant is in grams, and a metafield's value is the shop's
``jsonValue``: a number for an integer, text for a decimal, a list for a list.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import Decimal

from syncd.connectors.body import Bad, salvage, steps_of
from syncd.connectors.shopify.objects import LISTS, NESTED, WITH_METAFIELDS, WITHOUT_ID
from syncd.core.model import Native
from syncd.core.rules import Pick
from syncd.errors import PermanentError

NAMES = ("available", "on_hand", "committed", "incoming", "reserved", "damaged", "safety_stock", "quality_control")
PART = 20  # elements of a nested list that come with the thing; the rest is fetched for itself
MOST = 250  # elements of a page
GRAMS = {"GRAMS": Decimal(1), "KILOGRAMS": Decimal(1000), "OUNCES": Decimal("28.349523125"), "POUNDS": Decimal("453.59237")}
WEIGHT = ("inventoryItem", "measurement", "weight")


@dataclass(slots=True)
class Part:
    """What is selected below one field. ``size``: how many elements are needed of a list, None for all of them."""

    kind: str = ""
    connection: bool = False
    listed: bool = False
    size: int | None = 0
    below: dict[str, "Part"] = field(default_factory=dict)
    metafields: dict[tuple[str, str], str] = field(default_factory=dict)  # (namespace, key) -> alias
    quantities: dict[str, None] = field(default_factory=dict)
    stock: bool = False  # ``inventoryQuantity`` means the location's
    weight: bool = False

    @property
    def is_deep(self) -> bool:
        """Return whether anything is selected below it."""
        return bool(self.below or self.metafields or self.quantities or self.stock or self.weight)

    @property
    def asked(self) -> int:
        """Return how many elements are asked for at once."""
        return min(PART if self.size is None else self.size, MOST)


@dataclass(frozen=True, slots=True)
class Rest:
    """A nested list that did not come whole."""

    name: str
    cursor: str


class Selection:
    """What is read of one kind of object. Raises PermanentError for a path that leads nowhere."""

    def __init__(self, kind: str, paths: Iterable[str], *, location: str | None = None, digests: bool = False) -> None:
        self.kind = kind
        self.location = location
        self.digests = digests  # metafields come with what guards them
        self.root = Part(kind)
        for path in ("id", *paths):
            self._add(path)

    @property
    def text(self) -> str:
        """Return the fields, as they stand between braces."""
        return " ".join(self._fields(self.root))

    @property
    def cost(self) -> int:
        """Return about how many points one thing costs: an object 1, a connection its page size times that."""
        return cost_of(self.root)

    @property
    def in_bulk(self) -> str:
        """Return the fields as a bulk operation wants them: lists without sizes, their elements with ids and types.

        Raises PermanentError where the lines of the file could not be told apart.
        """
        lists = [part.kind for part in self.root.below.values() if part.connection]
        if len(set(lists)) < len(lists) or WITHOUT_ID & set(lists):
            raise PermanentError(f"{self.kind}: full_read: bulk cannot tell its nested lists apart; use full_read: pages")
        return " ".join(self._fields(self.root, bulk=True))

    def shaped_in_bulk(self, thing: Native) -> Native:
        """Return a thing of a bulk operation's file, its lines below it put into the lists they belong to."""
        lists = {part.kind: name for name, part in self.root.below.items() if part.connection}
        return self._shaped(_gathered(thing, lists), self.root, [])

    def shaped(self, element: Native) -> tuple[Native, list[Rest]]:
        """Return an element with the mapped paths, and which of its nested lists go on."""
        rests: list[Rest] = []
        return self._shaped(element, self.root, rests), rests

    def proofs(self, element: Native) -> dict[tuple[str, str], tuple[str | None, str | None]]:
        """Return what guards each metafield of an element, and its type: (digest, type); (None, None) where there is none."""
        found = {}
        for place, alias in self.root.metafields.items():
            one = element.get(alias) if isinstance(element, dict) else None
            found[place] = (one.get("compareDigest"), one.get("type")) if isinstance(one, dict) else (None, None)
        return found

    def nested(self, name: str) -> str:
        """Return the fields of an element of a nested list."""
        return self._element(self.root.below[name])

    def shaped_below(self, name: str, element: Native) -> Native:
        """Return an element of a nested list, as it stands in a thing."""
        return self._shaped(element, self.root.below[name], [])

    # ---- paths

    def _add(self, path: str) -> None:
        here, steps = self.root, list(steps_of(path))
        if not steps:
            raise PermanentError(f"{self.kind}: the empty path names no field; name one, as in title")
        while steps:
            step = steps.pop(0)
            if not isinstance(step, str):
                raise PermanentError(f'{self.kind}: "{path}" has a place in a list where there is no list')
            if self._is_ours(here, step, steps, path):
                return
            here = self._below(here, step, steps, path)

    def _is_ours(self, here: Part, step: str, rest: list[str | int | Pick], path: str) -> bool:
        """Take in a path with a name of ours; return whether it was one."""
        if step == "metafields" and here.kind in WITH_METAFIELDS:
            if len(rest) < 2:
                raise PermanentError(f'{self.kind}: "{path}" names no metafield; write metafields.NAMESPACE.KEY')
            here.metafields.setdefault((str(rest[0]), str(rest[1])), f"m{len(here.metafields)}")
            return True
        if step == "quantities" and here.kind == "InventoryLevel":
            if len(rest) != 1 or rest[0] not in NAMES:
                text = f"names no quantity; write quantities.available, or {', '.join(NAMES[1:])}"
                raise PermanentError(f'{self.kind}: "{path}" {text}')
            here.quantities[str(rest[0])] = None
            return True
        if step == "inventoryQuantity" and here.kind == "ProductVariant" and self.location is not None:
            here.stock = True
            return True
        if step == "weight" and here.kind == "ProductVariant":
            here.weight = True
            return True
        return False

    def _below(self, here: Part, step: str, rest: list[str | int | Pick], path: str) -> Part:
        kind, connection = NESTED.get(here.kind, {}).get(step, ("", False))
        found = here.below.setdefault(step, Part(kind, connection))
        if not rest or isinstance(rest[0], str):
            if connection:
                text = f"{step} is a list of things; name one of them, as in {step}.0.id"
                raise PermanentError(f'{self.kind}: in "{path}" {text}')
            return found
        place = rest.pop(0)
        found.listed = True
        if found.size is not None:
            found.size = max(found.size, place + 1) if isinstance(place, int) else None
        if not isinstance(place, int):  # [field=value]: all are needed, and that field of them
            found.below.setdefault(str(getattr(place, "field", "id")), Part())
        return found

    # ---- as text

    def _fields(self, part: Part, *, bulk: bool = False) -> list[str]:
        found = [self._field(name, below, bulk=bulk) for name, below in part.below.items()]
        extra = " compareDigest type" if self.digests else ""
        for (namespace, key), alias in part.metafields.items():
            found.append(f'{alias}: metafield(namespace: "{quoted(namespace)}", key: "{quoted(key)}") {{ jsonValue{extra} }}')
        if part.quantities:
            names = ", ".join(f'"{name}"' for name in part.quantities)
            found.append(f"quantities(names: [{names}]) {{ name quantity }}")
        if part.stock:
            level = f'inventoryLevel(locationId: "{self.location}") {{ quantities(names: ["available"]) {{ name quantity }} }}'
            found.append(f"stockItem: inventoryItem {{ id {level} }}")
        if part.weight:
            found.append("weighed: inventoryItem { measurement { weight { value unit } } }")
        return found or ["__typename"]

    def _field(self, name: str, part: Part, *, bulk: bool) -> str:
        if part.connection and bulk:
            return f"{name} {{ edges {{ node {{ __typename {self._element(part, bulk=True)} }} }} }}"
        if part.connection:
            return f"{name}(first: {part.asked}) {{ nodes {{ {self._element(part)} }} pageInfo {{ hasNextPage endCursor }} }}"
        inner = " ".join(self._fields(part, bulk=bulk)) if part.is_deep else ""
        arguments = f'(locationId: "{self.location}")' if name == "inventoryLevel" and self.location else ""
        if name in LISTS and part.listed and part.size:
            arguments = f"({LISTS[name]}: {part.size})"
        return f"{name}{arguments} {{ {inner} }}" if inner else f"{name}{arguments}"

    def _element(self, part: Part, *, bulk: bool = False) -> str:
        """Return the fields of what stands in a list: with its id, where it has one."""
        inner = " ".join(self._fields(part, bulk=bulk)) if part.is_deep else ""
        return inner if part.kind in WITHOUT_ID or "id" in part.below else f"id {inner}".strip()

    # ---- back to a thing

    def _shaped(self, element: Native, part: Part, rests: list[Rest]) -> Native:
        element = element if isinstance(element, Bad) else salvage(element)
        if isinstance(element, list):
            return [self._shaped(one, part, []) for one in element]
        if not isinstance(element, dict):
            return element
        made = {name: value for name, value in element.items() if name not in part.metafields.values()}
        for name, below in part.below.items():
            if name in made:
                made[name] = self._shaped_field(name, made[name], below, rests)
        _with_metafields(made, element, part)
        if part.quantities and isinstance(made.get("quantities"), list):
            made["quantities"] = _by_name(made["quantities"])
        if part.stock:
            made["inventoryQuantity"] = _stock(made.pop("stockItem", None))
        if part.weight:
            made["weight"] = _grams(made.pop("weighed", None))
        return made

    def _shaped_field(self, name: str, value: Native, part: Part, rests: list[Rest]) -> Native:
        value = salvage(value) if isinstance(value, Bad) and part.below else value
        if not part.connection or not isinstance(value, dict):  # a list stands for itself: of a bulk operation
            return self._shaped(value, part, [])
        info = value.get("pageInfo")
        if part.size is None or part.size > part.asked:
            more = info.get("hasNextPage") if isinstance(info, dict) else None
            if more is not False:
                rests.append(Rest(name, str(info.get("endCursor") or "") if isinstance(info, dict) else ""))
        nodes = value.get("nodes")
        return [self._shaped(one, part, []) for one in nodes] if isinstance(nodes, list) else nodes


def cost_of(part: Part) -> int:
    """Return about how many points a part costs each time it comes."""
    found = 1 + len(part.metafields) + len(part.quantities) + (3 if part.stock else 0) + (3 if part.weight else 0)
    for below in part.below.values():
        if below.connection:
            found += 2 + below.asked * cost_of(below)
        elif below.below or below.metafields:
            found += (below.size or 1) * cost_of(below)
    return found


def quoted(text: str) -> str:
    """Return a text as it stands inside the quotes of a document."""
    return text.replace("\\", "\\\\").replace('"', '\\"')


def _gathered(thing: Native, lists: dict[str, str]) -> Native:
    """Return a thing whose children stand in lists by their type, and the lists that have none empty."""
    if not isinstance(thing, dict):
        return thing
    children = thing.get("__children") or []
    made = {name: value for name, value in thing.items() if not name.startswith("__")}
    for kind, name in lists.items():
        mine = [child for child in children if salvage(child.get("__typename")) == kind]
        made[name] = [{key: value for key, value in child.items() if not key.startswith("__")} for child in mine]
    return made


def _with_metafields(made: dict[str, Native], element: dict[str, Native], part: Part) -> None:
    if not part.metafields:
        return
    spaces: dict[str, dict[str, Native]] = {}
    for (namespace, key), alias in part.metafields.items():
        found = element.get(alias)
        spaces.setdefault(namespace, {})[key] = found.get("jsonValue") if isinstance(found, dict) else found
    made["metafields"] = spaces


def _by_name(quantities: list[Native]) -> Native:
    return {str(one["name"]): one.get("quantity") for one in quantities if isinstance(one, dict) and "name" in one}


def _stock(item: Native) -> Native:
    level = item.get("inventoryLevel") if isinstance(item, dict) else None
    found = _by_name(level.get("quantities") or []) if isinstance(level, dict) else {}
    return found.get("available")


def _grams(item: Native) -> Native:
    measured = item.get("measurement") if isinstance(item, dict) else None
    weight = measured.get("weight") if isinstance(measured, dict) else None
    if not isinstance(weight, dict) or not isinstance(weight.get("value"), int | Decimal):
        return None
    grams = Decimal(weight["value"]) * GRAMS.get(str(weight.get("unit")), Decimal(1))
    return int(grams) if grams == grams.to_integral_value() else grams
