"""``$metadata`` read: EDMX of OData 2 with SAP's annotations, and CSDL of OData 4 with those of its vocabularies.

Elements are known by their local names: the namespaces differ from version to version, the words do not. SAP's attributes are
known by their names likewise. Annotations are known by the last part of their term: services choose the alias before it.
"""

import xml.etree.ElementTree as ET
from collections.abc import Iterator
from dataclasses import replace

from syncd.connectors.body import is_page, plainly
from syncd.connectors.odata.schema import EntitySet, Navigation, Property, Service, Structure, Version
from syncd.errors import TransientError

SAP = "{http://www.sap.com/Protocols/SAPData}"
_DAY = frozenset(("Edm.Date",))


def parse_metadata(body: bytes, place: str) -> Service:
    """Return what a service says of itself; raises TransientError if this is no EDMX. ``place`` is for messages."""
    if is_page(body):
        text = f"{place}: no EDMX but {plainly(body, 200)} (is base_url the service's own address, and is the login right?)"
        raise TransientError(text)
    if b"<!DOCTYPE" in body or b"<!ENTITY" in body:  # entities that unfold without end; EDMX knows none
        raise TransientError(f"{place}: a document type where EDMX was expected")
    try:
        root = ET.fromstring(body)  # noqa: S314 - without a document type there is nothing to unfold
    except ET.ParseError as error:
        raise TransientError(f"{place}: no XML: {error}") from error
    if _word(root) != "Edmx":
        raise TransientError(f"{place}: no EDMX but <{_word(root)}>")
    return _Reader(root).service()


class _Reader:
    """One document, its types by their full names."""

    def __init__(self, root: ET.Element) -> None:
        self.version: Version = "v4" if root.get("Version", "1.0").startswith("4") else "v2"
        self.schemas = list(_below(root, "Schema"))
        self.alias = {one.get("Alias", ""): one.get("Namespace", "") for one in self.schemas if one.get("Alias")}
        self.named = {
            f"{schema.get('Namespace')}.{one.get('Name')}": one for schema in self.schemas for one in schema if one.get("Name")
        }
        self.notes: dict[str, list[ET.Element]] = {}
        for block in (one for schema in self.schemas for one in schema if _word(one) == "Annotations"):
            self.notes.setdefault(self.full(block.get("Target", "")), []).extend(_children(block, "Annotation"))

    def service(self) -> Service:
        """Return all of it."""
        kinds = {"EntityType", "ComplexType"}
        types = {name: self.structure(name) for name, one in self.named.items() if _word(one) in kinds}
        boxes = [(name, one) for name, one in self.named.items() if _word(one) == "EntityContainer"]
        return Service(self.version, {one.name: one for name, box in boxes for one in self.sets(name, box)}, types)

    def full(self, name: str) -> str:
        """Return a qualified name with its namespace for the alias."""
        path, slash, rest = name.partition("/")
        before, _, last = path.rpartition(".")
        return f"{self.alias.get(before, before)}.{last}{slash}{rest}" if before else name

    def structure(self, name: str) -> Structure:
        """Return a type with all that it has from its base types."""
        one = self.named[name]
        base = self.full(one.get("BaseType", ""))
        above = self.structure(base) if base in self.named and base != name else Structure("", (), {}, {})
        key = tuple(ref.get("Name", "") for box in _children(one, "Key") for ref in _children(box, "PropertyRef"))
        properties = {p.get("Name", ""): self.property(name, p) for p in _children(one, "Property")}
        ways = {n.get("Name", ""): self.navigation(n) for n in _children(one, "NavigationProperty")}
        return Structure(name, key or above.key, above.properties | properties, above.navigations | ways)

    def property(self, owner: str, one: ET.Element) -> Property:
        """Return one property."""
        name = one.get("Name", "")
        kind, many = self.type(one.get("Type", "Edm.String"))
        notes = {_term(note): note for note in self.annotations(f"{owner}/{name}", one)}
        computed, fixed = _is_true(notes.get("Computed")), _is_true(notes.get("Immutable"))
        return Property(
            name,
            kind,
            many,
            day=kind in _DAY or (kind == "Edm.DateTime" and one.get(f"{SAP}display-format") == "Date"),
            creatable=not computed and one.get(f"{SAP}creatable") != "false",
            updatable=not computed and not fixed and one.get(f"{SAP}updatable") != "false",
        )

    def type(self, written: str) -> tuple[str, bool]:
        """Return the full name of a type and whether it is a list of them; a definition is what it defines."""
        many = written.startswith("Collection(")
        name = self.full(written.removeprefix("Collection(").rstrip(")") if many else written)
        one = self.named.get(name)
        if one is not None and _word(one) == "TypeDefinition":
            name = one.get("UnderlyingType", "Edm.String")
        return name, many

    def navigation(self, one: ET.Element) -> Navigation:
        """Return one way: V4 names its type, V2 a role in an association."""
        if one.get("Type"):
            return Navigation(one.get("Name", ""), *self.type(one.get("Type", "")))
        ends = _children(self.named.get(self.full(one.get("Relationship", "")), one), "End")
        end = next((end for end in ends if end.get("Role") == one.get("ToRole")), None)
        target = self.full(end.get("Type", "")) if end is not None else ""
        return Navigation(one.get("Name", ""), target, end is not None and end.get("Multiplicity") == "*")

    def sets(self, container: str, box: ET.Element) -> Iterator[EntitySet]:
        """Yield the entity sets of a container."""
        for one in _children(box, "EntitySet"):
            name = one.get("Name", "")
            told = EntitySet(
                name,
                self.full(one.get("EntityType", "")),
                creatable=one.get(f"{SAP}creatable") != "false",
                updatable=one.get(f"{SAP}updatable") != "false",
                deletable=one.get(f"{SAP}deletable") != "false",
                countable=one.get(f"{SAP}countable") != "false",
            )
            for note in self.annotations(f"{container}/{name}", one):
                told = _restricted(told, note)
            yield told

    def annotations(self, target: str, one: ET.Element) -> list[ET.Element]:
        """Return what is noted about an element, inside of it or elsewhere."""
        return [*_children(one, "Annotation"), *self.notes.get(target, [])]


def _restricted(told: EntitySet, note: ET.Element) -> EntitySet:
    """Return an entity set with what one annotation of the capabilities vocabulary takes away."""
    values = {one.get("Property", ""): one for one in _below(note, "PropertyValue")}
    match _term(note):
        case "InsertRestrictions":
            allowed = told.creatable and not _is_false(values.get("Insertable"))
            return replace(told, creatable=allowed, given=_paths(values.get("NonInsertableProperties")))
        case "UpdateRestrictions":
            allowed = told.updatable and not _is_false(values.get("Updatable"))
            return replace(told, updatable=allowed, fixed=_paths(values.get("NonUpdatableProperties")))
        case "DeleteRestrictions":
            return replace(told, deletable=told.deletable and not _is_false(values.get("Deletable")))
        case "CountRestrictions":
            return replace(told, countable=told.countable and not _is_false(values.get("Countable")))
    return told


def _word(one: ET.Element) -> str:
    return one.tag.rpartition("}")[2]


def _children(one: ET.Element, word: str) -> list[ET.Element]:
    return [child for child in one if _word(child) == word]


def _below(one: ET.Element, word: str) -> Iterator[ET.Element]:
    return (child for child in one.iter() if _word(child) == word)


def _term(note: ET.Element) -> str:
    return note.get("Term", "").rpartition(".")[2]


def _told(one: ET.Element | None) -> str | None:
    """Return the boolean that stands in an annotation, as text; None if there is none."""
    if one is None:
        return None
    inner = next((child.text for child in one if _word(child) == "Bool"), None)
    return (one.get("Bool") or inner or "").strip() or None


def _is_true(one: ET.Element | None) -> bool:
    return one is not None and _told(one) != "false"


def _is_false(one: ET.Element | None) -> bool:
    return _told(one) == "false"


def _paths(one: ET.Element | None) -> frozenset[str]:
    found = _below(one, "PropertyPath") if one is not None else ()
    return frozenset((path.text or "").strip() for path in found)
