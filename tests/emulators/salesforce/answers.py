"""Carries out a query on the organisation's visible rows."""

import re
from collections.abc import Callable, Iterable
from datetime import datetime
from decimal import Decimal
from typing import Any

from tests.emulators.salesforce.ids import known
from tests.emulators.salesforce.objects import NUMBERS, Field, Object
from tests.emulators.salesforce.org import Fields, Org
from tests.emulators.salesforce.soql import Condition, Literal, Query, Tree
from tests.emulators.salesforce.values import Refused, moment

Test = Callable[[Fields], bool]


class Answerer:
    """Answers queries. ``whole_seconds``: times in queries are cut to seconds, as the documentation says of filters."""

    def __init__(self, org: Org, base: str, *, whole_seconds: bool = False) -> None:
        self.org, self.base, self.whole_seconds = org, base, whole_seconds

    def ids(self, query: Query, *, deleted: bool) -> list[str]:
        """Return the ids of the rows that a query finds, in its order; raises Refused."""
        source = self._source(query.source)
        for name in query.fields:
            if not name.startswith(("COUNT(", "FIELDS(")):
                self._getter(source, name)
        test = self._test(source, query.where)
        rows = [row for row in self.org.rows(source.name, deleted=deleted or query.every) if test(row)]
        for path, down, last in reversed(query.order):
            rows = self._sorted(source, rows, path, down=down, last=last)
        end = None if query.limit is None else query.offset + query.limit
        return [row["Id"] for row in rows[query.offset : end]]

    def shown(self, query: Query, ids: Iterable[str]) -> list[Fields]:
        """Return the records of an answer: with the fields asked for, parents inside."""
        source = self._source(query.source)
        paths = self._paths(source, query)
        table = self.org.table(source.name)
        rows = (table[one].shown for one in ids if one in table)
        return [self.record(source, row, paths) for row in rows if row is not None]

    def cells(self, query: Query, ids: Iterable[str]) -> tuple[list[str], list[list[Any]]]:
        """Return the head and the lines of an answer as a table."""
        source = self._source(query.source)
        getters = {path: self._getter(source, path)[1] for path in self._paths(source, query)}
        table = self.org.table(source.name)
        rows = [row for one in ids if one in table and (row := table[one].shown) is not None]
        return list(getters), [[shown(*getter(row)) for getter in getters.values()] for row in rows]

    def record(self, source: Object, row: Fields, paths: Iterable[str]) -> Fields:
        """Return one row as a record of JSON."""
        found: Fields = {"attributes": self.attributes(source, row["Id"])}
        for path in paths:
            *parents, _ = path.split(".")
            inside, target, at = found, source, row
            for name in parents:
                relation = target.relation(name)
                assert relation is not None
                above = self._row(relation.refers, at.get(relation.name))
                if above is None:
                    inside[relation.relation] = None
                    break
                target, at = self.org.object(relation.refers), above
                inside = inside.setdefault(relation.relation, {"attributes": self.attributes(target, above["Id"])})
            else:
                one, getter = self._getter(target, path.split(".")[-1])
                inside[one.name] = shown(*getter(at))
        return found

    def attributes(self, source: Object, native_id: str) -> Fields:
        """Return what every record begins with."""
        return {"type": source.name, "url": f"{self.base}/sobjects/{source.name}/{native_id}"}

    def _paths(self, source: Object, query: Query) -> list[str]:
        if any(name.startswith("FIELDS(") for name in query.fields):
            return list(source.fields)
        return query.fields

    def _source(self, name: str) -> Object:
        try:
            return self.org.object(name)
        except Refused as error:
            say = f"sObject type '{name}' is not supported. If you are attempting to use a custom object, append '__c'"
            raise Refused("INVALID_TYPE", say) from error

    def _row(self, name: str, native_id: str | None) -> Fields | None:
        row = self.org.table(name).get(native_id or "")
        return row.shown if row else None

    def _getter(self, source: Object, path: str) -> tuple[Field, Callable[[Fields], tuple[Field, Any]]]:
        *parents, last = path.split(".")
        if parents and parents[0].lower() == source.name.lower():
            parents = parents[1:]
        if not parents:
            one = source.field(last)
            if one is None:
                raise Refused("INVALID_FIELD", f"No such column '{last}' on entity '{source.name}'.")
            return one, lambda row: (one, row.get(one.name))
        relation = source.relation(parents[0])
        if relation is None:
            raise Refused("INVALID_FIELD", f"Didn't understand relationship '{parents[0]}' in field path.")
        one, above = self._getter(self.org.object(relation.refers), ".".join([*parents[1:], last]))

        def through(row: Fields) -> tuple[Field, Any]:
            parent = self._row(relation.refers, row.get(relation.name))
            return (one, None) if parent is None else above(parent)

        return one, through

    def _sorted(self, source: Object, rows: list[Fields], path: str, *, down: bool, last: bool) -> list[Fields]:
        getter = self._getter(source, path)[1]
        empty = [row for row in rows if getter(row)[1] is None]
        full = [row for row in rows if getter(row)[1] is not None]
        full.sort(key=lambda row: comparable(*getter(row)), reverse=down)
        return full + empty if last else empty + full

    def _test(self, source: Object, where: Tree | Condition | None) -> Test:
        if where is None:
            return lambda row: True
        if isinstance(where, Condition):
            return self._condition(source, where)
        tests = [self._test(source, part) for part in where.parts]
        if where.word == "NOT":
            return lambda row: not tests[0](row)
        if where.word == "AND":
            return lambda row: all(test(row) for test in tests)
        return lambda row: any(test(row) for test in tests)

    def _condition(self, source: Object, condition: Condition) -> Test:
        one, getter = self._getter(source, condition.path)
        wanted = [self._wanted(one, literal) for literal in condition.values]
        sign = condition.sign
        if sign == "LIKE":
            pattern = re.compile(condition.values[0].pattern, re.IGNORECASE | re.DOTALL)
            return lambda row: pattern.fullmatch(str(getter(row)[1] or "")) is not None
        if sign in {"IN", "NOT IN"}:
            among = set(wanted)
            return lambda row: (_of(one, getter(row)[1]) in among) == (sign == "IN")
        value = wanted[0]
        if sign in {"=", "!="}:
            return lambda row: (_of(one, getter(row)[1]) == value) == (sign == "=")
        return _ordered(one, getter, sign, value)

    def _wanted(self, one: Field, literal: Literal) -> Any:
        if literal.kind == "word" and literal.text == "NULL":
            return None
        if one.type == "datetime":
            if literal.kind != "time":
                raise _misfit(one, literal)
            found = moment(literal.text)
            return found.replace(microsecond=0) if self.whole_seconds else found
        kinds = {"boolean": {"word"}, "date": {"date"}} | {name: {"number"} for name in NUMBERS}
        if literal.kind not in kinds.get(one.type, {"text"}):
            raise _misfit(one, literal)
        if one.type == "boolean":
            return literal.text == "TRUE"
        if one.type in {"id", "reference"} and literal.text and known(literal.text) is None:
            raise Refused("INVALID_QUERY_FILTER_OPERATOR", f"invalid ID field: {literal.text}")
        return comparable(one, literal.text) if literal.text else None


def _ordered(one: Field, getter: Callable[[Fields], tuple[Field, Any]], sign: str, value: Any) -> Test:
    signs: dict[str, Callable[[Any, Any], bool]] = {
        "<": lambda a, b: a < b,
        "<=": lambda a, b: a <= b,
        ">": lambda a, b: a > b,
        ">=": lambda a, b: a >= b,
    }
    compare = signs[sign]

    def test(row: Fields) -> bool:
        found = getter(row)[1]
        return found is not None and value is not None and compare(comparable(one, found), value)

    return test


def _of(one: Field, value: Any) -> Any:
    return None if value is None else comparable(one, value)


def comparable(one: Field, value: Any) -> str | Decimal | datetime | bool:
    """Return a stored value, or a written one, as it compares."""
    if one.type == "boolean":
        return bool(value)
    if one.type in NUMBERS:
        return Decimal(value)
    if one.type == "datetime":
        return moment(value)
    if one.type in {"id", "reference"}:
        return str(value)[:15]
    return str(value) if one.type == "date" else str(value).casefold()


def shown(one: Field, value: Any) -> Any:
    """Return a value as JSON has it: numbers with a fraction have one, even of nought."""
    if isinstance(value, Decimal):
        plain = value.normalize()
        return plain if -int(plain.as_tuple().exponent) >= 1 else plain.quantize(Decimal("0.1"))
    return value


def _misfit(one: Field, literal: Literal) -> Refused:
    say = f"value of filter criterion for field '{one.name}' must be of type {one.type} and should not be enclosed in quotes"
    return Refused("INVALID_FIELD" if literal.kind != "time" else "MALFORMED_QUERY", say)
