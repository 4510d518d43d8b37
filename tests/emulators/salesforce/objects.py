"""The objects of the emulated organisation: fields with their types, as ``describe`` shows them."""

from dataclasses import dataclass, replace
from typing import Any


@dataclass(frozen=True)
class Field:
    """One field. ``system``: only Salesforce sets it. ``refers``: the object that a reference leads to, by ``relation``."""

    name: str
    type: str = "string"
    length: int = 255
    required: bool = False
    system: bool = False
    unique: bool = False
    external: bool = False
    refers: str = ""
    relation: str = ""
    choices: tuple[str, ...] = ()
    scale: int = 2

    def described(self) -> dict[str, Any]:
        """Return the field as ``describe`` shows it."""
        return {
            "name": self.name,
            "label": self.name.removesuffix("__c").replace("_", " "),
            "type": self.type,
            "length": self.length if self.type in TEXTS else 0,
            "precision": 18 if self.type in NUMBERS else 0,
            "scale": self.scale if self.type in {"double", "currency", "percent"} else 0,
            "createable": not self.system,
            "updateable": not self.system,
            "nillable": not self.required and self.type != "boolean",
            "defaultedOnCreate": self.system or self.type == "boolean",
            "filterable": self.type != "textarea" or self.length <= 255,
            "sortable": self.type != "textarea" or self.length <= 255,
            "idLookup": self.name == "Id" or self.external or self.type == "email",
            "externalId": self.external,
            "unique": self.unique,
            "custom": self.name.endswith("__c"),
            "calculated": False,
            "caseSensitive": False,
            "referenceTo": [self.refers] if self.refers else [],
            "relationshipName": self.relation or None,
            "restrictedPicklist": bool(self.choices),
            "picklistValues": [{"value": one, "label": one, "active": True, "defaultValue": False} for one in self.choices],
        }


TEXTS = {"string", "textarea", "email", "phone", "url", "picklist", "multipicklist", "id", "reference", "encryptedstring"}
NUMBERS = {"double", "currency", "percent", "int", "long"}
TIMES = {"datetime", "date"}


@dataclass(frozen=True)
class Object:
    """One object. ``tracked``: the fields whose edits go to the history object. ``denied``: what the user may not do."""

    name: str
    prefix: str
    fields: dict[str, Field]
    tracked: frozenset[str] = frozenset()
    denied: frozenset[str] = frozenset()
    history_parent: str = ""

    def field(self, name: str) -> Field | None:
        """Return a field by its name, whatever its case."""
        found = self.fields.get(name)
        return found or next((one for one in self.fields.values() if one.name.lower() == name.lower()), None)

    def relation(self, name: str) -> Field | None:
        """Return the reference field of a relationship: ``Account`` gives ``AccountId``."""
        return next((one for one in self.fields.values() if one.relation.lower() == name.lower() and one.relation), None)

    @property
    def history(self) -> str:
        """Return the name of its history object."""
        return self.name.removesuffix("__c") + ("__History" if self.name.endswith("__c") else "History")

    def extended(self, *fields: Field, **other: Any) -> "Object":
        """Return the object with more or other fields."""
        return replace(self, fields=self.fields | {one.name: one for one in fields}, **other)

    def without(self, name: str) -> "Object":
        """Return the object without a field: an administrator took it away."""
        return replace(self, fields={key: one for key, one in self.fields.items() if key != name})

    def described(self) -> dict[str, Any]:
        """Return the object as ``describe`` shows it."""
        able = {verb: verb not in self.denied for verb in ("createable", "updateable", "deletable", "queryable")}
        return {
            "name": self.name,
            "label": self.name,
            "keyPrefix": self.prefix,
            "custom": self.name.endswith("__c"),
            "undeletable": True,
            "mergeable": self.name in {"Contact", "Account", "Lead"},
            "replicateable": True,
            "retrieveable": True,
            **able,
            "fields": [one.described() for one in self.fields.values()],
            "childRelationships": [],
            "recordTypeInfos": [],
        }


SYSTEM = (
    Field("Id", "id", 18, system=True),
    Field("IsDeleted", "boolean", system=True),
    Field("CreatedDate", "datetime", system=True),
    Field("CreatedById", "reference", 18, system=True, refers="User", relation="CreatedBy"),
    Field("LastModifiedDate", "datetime", system=True),
    Field("LastModifiedById", "reference", 18, system=True, refers="User", relation="LastModifiedBy"),
    Field("SystemModstamp", "datetime", system=True),
)
MERGED = Field("MasterRecordId", "reference", 18, system=True)


def made(name: str, prefix: str, *fields: Field, tracked: tuple[str, ...] = ()) -> Object:
    """Return an object with the fields that all have."""
    return Object(name, prefix, {one.name: one for one in (*SYSTEM, *fields)}, tracked=frozenset(tracked))


def history_of(one: Object) -> Object:
    """Return the history object of an object."""
    parent = "ParentId" if one.name.endswith("__c") else f"{one.name}Id"
    fields = (
        Field(parent, "reference", 18, system=True, refers=one.name, relation=parent.removesuffix("Id")),
        Field("Field", "picklist", system=True),
        Field("OldValue", "string", system=True),
        Field("NewValue", "string", system=True),
    )
    listed = {one.name: one for one in (*SYSTEM, *fields)}
    return Object(one.history, "017", listed, denied=frozenset({"createable", "updateable"}), history_parent=parent)


def ordinary() -> dict[str, Object]:
    """Return the objects that an organisation has before a test changes them."""
    account = made(
        "Account",
        "001",
        MERGED,
        Field("Name", required=True),
        Field("AccountNumber", length=40),
        Field("BillingStreet", "textarea"),
        Field("BillingCity", length=40),
        Field("BillingPostalCode", length=20),
        Field("BillingCountry", length=80),
        Field("Phone", "phone", 40),
        Field("Website", "url"),
        Field("ERP_Number__c", length=40, unique=True, external=True),
        tracked=("Name", "Phone"),
    )
    contact = made(
        "Contact",
        "003",
        MERGED,
        Field("AccountId", "reference", 18, refers="Account", relation="Account"),
        Field("FirstName", length=40),
        Field("LastName", length=80, required=True),
        Field("Email", "email", 80),
        Field("Phone", "phone", 40),
        Field("MailingStreet", "textarea"),
        Field("MailingCity", length=40),
        Field("MailingPostalCode", length=20),
        Field("MailingCountry", length=80),
        Field("Description", "textarea", 32000),
        Field("HasOptedOutOfEmail", "boolean"),
        Field("Birthdate", "date"),
        Field("ERP_Number__c", length=40, unique=True, external=True),
        Field("Credit_Limit__c", "currency"),
        Field("Consent__c", "picklist", choices=("granted", "withdrawn", "unknown")),
        Field("Last_Order__c", "datetime"),
        tracked=("Email", "Phone", "LastName", "FirstName"),
    )
    product = made(
        "Product2",
        "01t",
        Field("Name", required=True),
        Field("ProductCode"),
        Field("StockKeepingUnit", length=180),
        Field("IsActive", "boolean"),
        Field("Description", "textarea", 4000),
    )
    thing = made(
        "Thing__c",
        "a00",
        Field("sku", length=40, unique=True, external=True),
        Field("name", "textarea", 131072),
        Field("price", "currency"),
        Field("stock", "double", scale=0),
        tracked=("sku", "price"),
    )
    user = made("User", "005", Field("Username", required=True), Field("Name"), Field("Email", "email", 80))
    objects = [account, contact, product, thing]
    return {one.name: one for one in [*objects, user, *(history_of(one) for one in objects if one.tracked)]}
