"""The kinds of platforms that syncd speaks. A new one is one file and one line here."""

from syncd.connectors import file, memory, mqtt, rest, sql
from syncd.connectors.protocol import Kind

KINDS: dict[str, Kind] = {
    "file": file.KIND,
    "memory": memory.KIND,
    "mqtt": mqtt.KIND,
    "rest": rest.KIND,
    "sql": sql.KIND,
}
