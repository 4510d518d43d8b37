"""Which columns a database lets us write, asked of its catalogue without writing anything."""

from collections.abc import Sequence

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

POSTGRESQL = "SELECT has_column_privilege(CAST(:place AS text), CAST(:name AS text), 'UPDATE')"
MARIADB = (
    "SELECT count(*) FROM ({}) AS granted WHERE PRIVILEGE_TYPE IN ('UPDATE', 'ALL PRIVILEGES')"
    " AND REPLACE(GRANTEE, '''', '') = REPLACE(CURRENT_USER(), '''', '')"
)
ANYWHERE = "SELECT GRANTEE, PRIVILEGE_TYPE FROM information_schema.USER_PRIVILEGES"
SCHEMA = "SELECT GRANTEE, PRIVILEGE_TYPE FROM information_schema.SCHEMA_PRIVILEGES WHERE DATABASE() LIKE TABLE_SCHEMA"
TABLE = (
    "SELECT GRANTEE, PRIVILEGE_TYPE FROM information_schema.TABLE_PRIVILEGES"
    " WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = :place"
)
COLUMN = (
    "SELECT GRANTEE, PRIVILEGE_TYPE FROM information_schema.COLUMN_PRIVILEGES"
    " WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = :place AND COLUMN_NAME = :name"
)


async def refused_columns(connection: AsyncConnection, dialect: str, table: str, columns: Sequence[str]) -> list[str] | None:
    """Return the columns that may not be updated; None where the database does not say it."""
    if dialect == "sqlite":  # who may write the file may write it all
        try:
            await connection.exec_driver_sql("BEGIN IMMEDIATE")
            await connection.rollback()
        except sa.exc.OperationalError as error:
            return None if "locked" in str(error) else list(columns)
        return []
    granted = MARIADB.format(" UNION ALL ".join((ANYWHERE, SCHEMA, TABLE, COLUMN)))
    query = sa.text(POSTGRESQL if dialect == "postgresql" else granted)
    refused = []
    for name in columns:
        allowed = (await connection.execute(query, {"place": table, "name": name})).scalar()
        if not allowed:
            refused.append(name)
    return refused
