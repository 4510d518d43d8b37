"""The edit times of single fields, from the history that Salesforce keeps of the fields it was told to track."""

from collections.abc import Sequence
from dataclasses import replace

from syncd.connectors.salesforce.org import Org
from syncd.connectors.salesforce.query import records_of
from syncd.connectors.salesforce.rows import Rows
from syncd.connectors.salesforce.soql import fitting, full_id, in_ids
from syncd.connectors.times import parse_time
from syncd.core.model import Change

ODD = {"Opportunity": ("OpportunityFieldHistory", "OpportunityId")}


def history_of(object_name: str) -> tuple[str, str]:
    """Return the history object of an object, and its field that names the record."""
    if object_name in ODD:
        return ODD[object_name]
    if object_name.endswith("__c"):
        return f"{object_name.removesuffix('__c')}__History", "ParentId"
    return f"{object_name}History", f"{object_name}Id"


async def with_times(org: Org, rows: Rows, changes: Sequence[Change]) -> list[Change]:
    """Return the changes with the edit times of those fields that have a history; raises ConnectorError."""
    if rows.options.field_times is None:
        return list(changes)
    ids = [one.id for one in changes if one.item is not None]
    times = await _times(org, rows, ids)
    return [replace(one, times=times[one.id]) if one.id in times and one.item is not None else one for one in changes]


async def _times(org: Org, rows: Rows, ids: Sequence[str]) -> dict[str, dict[str, int]]:
    history, parent = history_of(rows.options.object)
    select = f"SELECT {parent},Field,CreatedDate FROM {history} WHERE "  # noqa: S608 - names, no values
    found: dict[str, dict[str, int]] = {}
    for some in fitting(ids, select):
        for sheet in await records_of(org, select + in_ids(parent, some)):
            for record in sheet.records:
                if not isinstance(record, dict):
                    continue
                path, at = record.get("Field"), parse_time(record.get("CreatedDate"))
                if isinstance(path, str) and at is not None:
                    times = found.setdefault(full_id(str(record.get(parent))), {})
                    times[path] = max(at, times.get(path, at))
    return found
