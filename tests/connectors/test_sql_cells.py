"""What cells become, what natives become, and what the catalogue is asked."""

from collections.abc import AsyncIterator
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from pydantic import ValidationError

from syncd.connectors.sql import Sql, SqlKind
from syncd.connectors.sql_database import SqlConnection
from syncd.core.model import Change, Op, Receipt, Write
from syncd.core.values import Invalid, parse_type
from syncd.errors import ConnectorError, PermanentError, TransientError
from tests.connectors.contract import setup_for
from tests.connectors.sql_world import Hand


class Bench:
    """A database, a hand on it and connectors to one of its tables."""

    def __init__(self, url: sa.URL, folder: Path) -> None:
        self.url = url
        self.folder = folder
        self.hand = Hand(url)

    def connector(self, *fields: str, timezone: str = "UTC", writes: tuple[str, ...] | None = None, **options: Any) -> Sql:
        kind = SqlKind()
        write = {"guard": options.pop("guard")} if "guard" in options else {}
        setup = setup_for(
            kind,
            connection={"dsn": self.url.render_as_string()},
            watch={"poll": {"every": "5s", "overlap": "2s"}},
            collections={"things": {"table": "cells", "id": "id"} | options},
            fields=fields,
            writes=writes,
            write=write,
            folder=str(self.folder),
        )
        return Sql(replace(setup, timezone=timezone))

    async def look(self, *fields: str, **options: Any) -> dict[str, Any]:
        async with self.connector(*fields, **options) as connector:
            [found] = await connector.read("things", ["1"])
        assert found.item is not None
        return found.item

    async def written(self, values: dict[str, Any], **options: Any) -> dict[str, Any]:
        receipt = await self.send(values, **options)
        assert isinstance(receipt, Receipt), receipt
        assert receipt.look is not None
        assert receipt.look.item is not None
        return receipt.look.item

    async def send(self, values: dict[str, Any], **options: Any) -> Any:
        async with self.connector(*values, **options) as connector:
            [outcome] = await connector.apply([Write(Op.UPDATE, "there", "things", 1, "1", values=values)])
        return outcome


@pytest.fixture
async def lite(tmp_path: Path) -> AsyncIterator[Bench]:
    (tmp_path / "cells.db").touch()
    made = Bench(sa.make_url(f"sqlite:///{tmp_path}/cells.db"), tmp_path)
    yield made
    await made.hand.engine.dispose()


@pytest.fixture
async def pg(postgres: sa.URL, tmp_path: Path) -> AsyncIterator[Bench]:
    made = Bench(postgres, tmp_path)
    await made.hand.do("DROP TABLE IF EXISTS cells")
    yield made
    await made.hand.engine.dispose()


@pytest.fixture
async def maria(mariadb: sa.URL, tmp_path: Path) -> AsyncIterator[Bench]:
    made = Bench(mariadb, tmp_path)
    await made.hand.do("DROP TABLE IF EXISTS cells")
    yield made
    await made.hand.engine.dispose()


# ---- PostgreSQL


async def test_postgres_cells(pg: Bench) -> None:
    await pg.hand.do("""CREATE TABLE cells (id integer PRIMARY KEY, r real, d double precision, n numeric, i8 bigint, b boolean,
        c character(5), j jsonb, a text[], u uuid, day date, at timestamp, atz timestamptz, t time, iv interval, raw bytea,
        m money, ip inet)""")
    await pg.hand.do("""INSERT INTO cells VALUES (1, 0.1, 0.1, 12.50, 9223372036854775807, true, 'abc',
        '{"x": 1.10, "y": [1, null]}', '{b,a}', '0d4f2cf8-6c3e-4b0e-9d3a-0b8f4cf64b5e', '2026-01-31',
        '2026-07-31 10:00:00.25', '2026-07-31 10:00:00+05:30', '10:30', '1 day 02:00', '\\x00ff', '12.34', '10.0.0.1')""")
    expected = {
        "id": 1, "r": Decimal("0.1"), "d": Decimal("0.1"), "n": Decimal("12.50"), "i8": 2**63 - 1, "b": True, "c": "abc  ",
        "j": {"x": Decimal("1.10"), "y": [1, None]}, "a": ["b", "a"], "u": "0d4f2cf8-6c3e-4b0e-9d3a-0b8f4cf64b5e",
        "day": "2026-01-31", "at": "2026-07-31T08:00:00.250000Z", "atz": "2026-07-31T04:30:00Z", "t": "10:30:00",
        "iv": "1 day 02:00:00", "raw": "AP8=", "m": "$12.34", "ip": "10.0.0.1/32",
    }  # fmt: skip
    item = await pg.look(*expected, timezone="Europe/Berlin")
    assert item == expected
    assert str(item["n"]) == "12.50"


async def test_postgres_natives(pg: Bench) -> None:
    await pg.hand.do("""CREATE TABLE cells (id integer PRIMARY KEY, r real, d double precision, n numeric(12,3), i8 bigint,
        b boolean, v varchar(9), j jsonb, k json, a text[], u uuid, day date, at timestamp, atz timestamptz, t time,
        iv interval, raw bytea, ip inet, m money)""")
    await pg.hand.do("INSERT INTO cells (id) VALUES (1)")
    values: dict[str, Any] = {
        "r": Decimal("0.1"), "d": Decimal("2.5"), "n": Decimal("12.500"), "i8": 5, "b": False, "v": "x'y%s:z",
        "j": {"x": Decimal("1.10")}, "k": ["ü", None], "a": ["b", "a"], "u": "0d4f2cf8-6c3e-4b0e-9d3a-0b8f4cf64b5e",
        "day": "2026-01-31", "at": "2026-07-31T08:00:00.250000Z", "atz": "2026-07-31T04:30:00Z", "t": "10:30:00",
        "iv": "1 day 02:00:00", "raw": "AP8=", "ip": "10.0.0.1/32", "m": "$12.34",
    }  # fmt: skip
    assert (await pg.written(values, timezone="Europe/Berlin")) == {"id": 1} | values
    assert (await pg.hand.do("SELECT at::text FROM cells"))[0][0] == "2026-07-31 10:00:00.25"
    assert await pg.written(dict.fromkeys(values)) == {"id": 1} | dict.fromkeys(values)


async def test_one_bad_cell_spoils_one_field_and_no_other(pg: Bench) -> None:
    await pg.hand.do("""CREATE TABLE cells (id integer PRIMARY KEY, n numeric, d double precision, day date, at timestamptz,
        name text)""")
    await pg.hand.do("INSERT INTO cells VALUES (1, 'NaN', '-Infinity', 'infinity', '294276-01-01', 'fine')")
    item = await pg.look("n", "d", "day", "at", "name")
    assert item["name"] == "fine"
    for field, kind in {"n": "decimal(2)", "d": "decimal", "day": "date", "at": "datetime"}.items():
        with pytest.raises(Invalid):
            parse_type(kind).read(item[field])


async def test_a_document_inside_of_a_column_is_written_in_its_place(pg: Bench) -> None:
    await pg.hand.do("CREATE TABLE cells (id integer PRIMARY KEY, doc jsonb)")
    await pg.hand.do("""INSERT INTO cells VALUES (1, '{"a": {"b": 1, "c": 2}, "d": [1.5]}')""")
    assert (await pg.written({"doc.a.b": 7}))["doc"] == {"a": {"b": 7, "c": 2}, "d": [Decimal("1.5")]}


# ---- MariaDB


async def test_mariadb_cells_and_natives(maria: Bench) -> None:
    await maria.hand.do("""CREATE TABLE cells (id INT PRIMARY KEY, f FLOAT, d DOUBLE, n DECIMAL(12,3), u BIGINT UNSIGNED,
        b BOOLEAN, v VARCHAR(9), day DATE, at DATETIME(6), ts TIMESTAMP NULL, t TIME, e ENUM('a','b'), raw VARBINARY(9), y YEAR,
        j LONGTEXT)""")
    await maria.hand.do("INSERT INTO cells (id) VALUES (1)")
    values: dict[str, Any] = {
        "f": Decimal("0.1"), "d": Decimal("0.1"), "n": Decimal("12.500"), "u": 5, "b": 1, "v": "x'y%s:z", "day": "2026-01-31",
        "at": "2026-07-31T08:00:00.250000Z", "ts": "2026-07-31T04:30:00Z", "t": "10:30:00", "e": "b", "raw": "AP8=",
        "y": "2026", "j": '{"x": 1.10}',
    }  # fmt: skip
    assert (await maria.written(values, timezone="Europe/Berlin")) == {"id": 1} | values
    assert str((await maria.hand.do("SELECT at FROM cells"))[0][0]) == "2026-07-31 10:00:00.250000"
    await maria.hand.do("UPDATE cells SET u = 18446744073709551615, day = '0000-00-00'")
    item = await maria.look("u", "day", "v")
    assert item["v"] == "x'y%s:z"
    for field, kind in {"u": "integer", "day": "date"}.items():
        with pytest.raises(Invalid):
            parse_type(kind).read(item[field])


# ---- SQLite


async def test_sqlite_cells_are_taken_as_they_are_stored(lite: Bench) -> None:
    await lite.hand.do("""CREATE TABLE cells (id INTEGER PRIMARY KEY, n DECIMAL(12,2), r REAL, i INTEGER, b BOOLEAN, v TEXT,
        day DATE, at DATETIME, j JSON, raw BLOB, any)""")
    await lite.hand.do("""INSERT INTO cells VALUES (1, 12.5, 0.1, 7, 1, 'x', '2026-01-31', '2026-07-31 10:00:00', '{"x": 1.10}',
        x'00ff', x'00ff')""")
    expected = {
        "id": 1, "n": Decimal("12.5"), "r": Decimal("0.1"), "i": 7, "b": 1, "v": "x", "day": "2026-01-31",
        "at": "2026-07-31T08:00:00Z", "j": {"x": Decimal("1.10")}, "raw": "AP8=", "any": {"base64": "AP8="},
    }  # fmt: skip
    assert await lite.look(*expected, timezone="Europe/Berlin") == expected
    values = {"n": Decimal("9.99"), "r": Decimal("0.3"), "i": 8, "b": False, "v": "ü", "day": "2026-02-01",
              "at": "2026-07-31T08:00:00.250000Z", "j": [Decimal("0.10")], "raw": "/w=="}  # fmt: skip
    assert (await lite.written(values, timezone="Europe/Berlin")) == {"id": 1} | values
    assert await lite.hand.do("SELECT at, typeof(n), n, typeof(b) FROM cells") == [
        ("2026-07-31 10:00:00.250000", "real", 9.99, "integer")
    ]


async def test_broken_utf8_and_odd_types_spoil_one_field(lite: Bench) -> None:
    await lite.hand.do("CREATE TABLE cells (id INTEGER PRIMARY KEY, name TEXT, price NUMERIC, at DATETIME)")
    await lite.hand.do("INSERT INTO cells VALUES (1, CAST(x'ff41' AS TEXT), 9e999, 'yesterday')")
    await lite.hand.do("INSERT INTO cells VALUES (2, 'fine', 'cheap', 1767225600)")
    async with lite.connector("name", "price", "at") as connector:
        one, two = await connector.read("things", ["1", "2"])
    assert one.item is not None
    assert two.item == {"id": 2, "name": "fine", "price": "cheap", "at": 1767225600}
    for field, kind in {"name": "string", "price": "decimal", "at": "datetime"}.items():
        with pytest.raises(Invalid):
            parse_type(kind).read(one.item[field])


async def test_a_json_column_that_is_none_quarantines_its_row_and_no_other(lite: Bench) -> None:
    await lite.hand.do("CREATE TABLE cells (id INTEGER PRIMARY KEY, j JSON)")
    await lite.hand.do("""INSERT INTO cells VALUES (1, '{"a": NaN}'), (2, '[1]'), (3, '{"a":1,"a":2}'), (4, '"\\ud800"')""")
    async with lite.connector("j") as connector:
        [page] = [page async for page in connector.scan("things")]
        assert [change.id for change in page.changes] == ["2"]
        assert [(one.id, one.where) for one in page.broken] == [(n, f"cells {n}") for n in "134"]
        with pytest.raises(PermanentError, match="cells 1"):
            await connector.read("things", ["1"])


# ---- the catalogue


@pytest.mark.parametrize(
    ("options", "fields", "said"),
    [
        ({"table": "cels"}, (), 'no table "cels": did you mean cells?'),
        ({"table": "cells; DROP TABLE cells"}, (), "no table"),
        ({"id": "Id"}, (), 'no column "Id": did you mean id?'),
        ({"version": "row_version"}, (), 'no column "row_version" (there are: id, sku, unit_price)'),
        ({}, ("unitprice",), "did you mean unit_price?"),
        ({}, ("sku; --",), "no column"),
    ],
)
async def test_what_the_catalogue_does_not_know(lite: Bench, options: Any, fields: Any, said: str) -> None:
    await lite.hand.do("CREATE TABLE cells (id INTEGER PRIMARY KEY, sku TEXT, unit_price NUMERIC)")
    async with lite.connector(*fields, **options) as connector:
        with pytest.raises(PermanentError) as caught:
            await connector.read("things", ["1"])
    assert said in str(caught.value)
    assert (await lite.hand.do("SELECT count(*) FROM cells"))[0][0] == 0


NAMES = ["select", "Größe", "with space", "a'b", 'a"b', "per%cent", "co:lon"]


async def any_name_is_quoted(bench: Bench) -> None:
    metadata, name = sa.MetaData(), "or'der%s :x"
    columns = [sa.Column(n, sa.String(9)) for n in NAMES]
    there = sa.Table(name, metadata, sa.Column("id", sa.Integer, primary_key=True), *columns)
    async with bench.hand.engine.begin() as hand:
        await hand.run_sync(metadata.create_all)
        await hand.execute(there.insert().values({"id": 1} | dict.fromkeys(NAMES, "old")))
    async with bench.connector(*NAMES, table=name) as connector:
        values = {name: f"new {n}" for n, name in enumerate(NAMES)}
        before = dict.fromkeys(NAMES, "old")
        [receipt] = await connector.apply([Write(Op.UPDATE, "there", "things", 1, "1", values=values, before=before)])
        assert isinstance(receipt, Receipt), receipt
        assert receipt.look is not None
        assert receipt.look.item == {"id": 1} | values
        for column in NAMES:
            assert len(await connector.find("things", column, values[column])) == 1
        assert [len(page.changes) async for page in connector.scan("things")] == [1]
    async with bench.hand.engine.begin() as hand:
        await hand.run_sync(metadata.drop_all)


async def test_any_name_is_quoted_in_sqlite(lite: Bench) -> None:
    await any_name_is_quoted(lite)


async def test_any_name_is_quoted_in_postgres(pg: Bench) -> None:
    await any_name_is_quoted(pg)


async def test_any_name_is_quoted_in_mariadb(maria: Bench) -> None:
    await any_name_is_quoted(maria)


async def test_only_mapped_columns_are_selected(pg: Bench) -> None:
    await pg.hand.do("CREATE TABLE cells (id integer PRIMARY KEY, name text, secret text, w integer)")
    await pg.hand.do("INSERT INTO cells VALUES (1, 'a', 'b', 1)")
    assert await pg.look("name", where="w::int = 1 and name like 'a%' and name <> 'x:y'") == {"id": 1, "name": "a"}


# ---- reaching it


@pytest.mark.parametrize(
    ("dsn", "said"),
    [
        ("oracle://x/y", "use sqlite, postgresql or mysql"),
        ("postgresql://me:pw@localhost/erp", "password: secret:NAME"),
        ("nonsense", "write sqlite:///FILE"),
        ("sqlite://", "name the file"),
        ("postgresql://localhost", "name the database"),
    ],
)
def test_a_dsn_that_cannot_work_is_refused(dsn: str, said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        SqlConnection(dsn=dsn)


def names_in(folder: Path) -> list[str]:
    return [file.name for file in folder.iterdir()]


async def test_a_relative_file_starts_at_the_config_folder_and_none_is_made(tmp_path: Path) -> None:
    bench = Bench(sa.make_url("sqlite:///sub%20dir/erp.db"), tmp_path)
    async with bench.connector() as connector:
        with pytest.raises(TransientError, match="ReadWritePaths="):
            await connector.read("things", ["1"])
    assert names_in(tmp_path) == []


async def test_nobody_answers_or_lets_us_in(postgres: sa.URL, tmp_path: Path) -> None:
    for url in (postgres.set(host="127.0.0.1", port=1), postgres.set(database="not_there")):
        async with Bench(url, tmp_path).connector() as connector:
            with pytest.raises(TransientError) as caught:
                await connector.read("things", ["1"])
            assert not caught.value.about_record


async def test_values_a_column_can_never_take_are_the_records_fault(pg: Bench) -> None:
    await pg.hand.do("CREATE TABLE cells (id integer PRIMARY KEY, i integer, n numeric(4,1), d date, v varchar(3), b boolean)")
    await pg.hand.do("INSERT INTO cells (id) VALUES (1)")
    refused: list[dict[str, Any]] = [
        {"i": "five"}, {"i": 2**40}, {"n": Decimal(12345)}, {"d": "soon"}, {"v": "too long"}, {"v": ["x"]}
    ]  # fmt: skip
    for values in refused:
        outcome = await pg.send(values)
        assert isinstance(outcome, PermanentError), (values, outcome)
    assert isinstance(await pg.send({"i": Decimal(5)}), Receipt)


async def test_ids_that_the_column_cannot_have_are_gone(pg: Bench) -> None:
    await pg.hand.do("CREATE TABLE cells (id uuid PRIMARY KEY)")
    async with pg.connector() as connector:
        looks: list[Change] = await connector.read("things", ["x", "0d4f2cf8-6c3e-4b0e-9d3a-0b8f4cf64b5e"])
    assert [look.gone for look in looks] == [True, True]
    assert issubclass(PermanentError, ConnectorError)
