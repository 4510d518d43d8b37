"""Topics and payloads: a topic with one level for the id is a thing, its payload is what the thing is."""

from collections.abc import Sequence
from typing import Literal

from pydantic import field_validator

from syncd.connectors.body import BadBody, decode, encode, placed
from syncd.connectors.options import CollectionOptions, Options
from syncd.core.model import Item, Native, Op, Write
from syncd.errors import PermanentError

ID = "{id}"


def _with_id(topic: str) -> str:
    levels = topic.split("/")
    if levels.count(ID) != 1 or "+" in topic or "#" in topic or topic.count("{") != 1:
        raise ValueError(f'write the topic with one level {ID} and no wildcard: "shelf/{ID}/level"')
    return topic


class MqttTarget(Options):
    """Where syncd publishes a thing."""

    topic: str
    retain: bool = False

    _check = field_validator("topic")(_with_id)


class MqttCollection(CollectionOptions):
    """Topics that are things. ``text`` payloads have the empty path; the id has the path ``id`` unless the payload has one."""

    topic: str
    payload: Literal["json", "text"] = "json"
    changed_at: str | None = None
    write: MqttTarget | None = None

    _check = field_validator("topic")(_with_id)


def id_in(template: str, topic: str) -> str | None:
    """Return the id in a topic, None if the topic is not of this form."""
    forms, levels = template.split("/"), topic.split("/")
    if len(forms) != len(levels) or any(form not in (level, ID) for form, level in zip(forms, levels, strict=True)):
        return None
    return levels[forms.index(ID)] or None


def topic_of(template: str, native_id: Native) -> str:
    """Return the topic of a thing; raises PermanentError if its id cannot be one level of a topic."""
    level = str(native_id) if isinstance(native_id, str | int) else ""
    if not level or set(level) & set("/+#\0"):
        raise PermanentError(f"{native_id!r} cannot be a level of {template}: map the id as  id")
    return template.replace(ID, level)


def item_of(payload: bytes, options: MqttCollection) -> Item:
    """Return what a payload says; raises BadBody or UnicodeDecodeError."""
    if options.payload == "text":
        return {"": payload.decode()}
    value = decode(payload)
    return value if isinstance(value, dict) else {"": value}


def payload_of(options: MqttCollection, write: Write, writes: Sequence[str]) -> bytes:
    """Return what is published: the written paths, the whole thing where it is published on its own topic, or nothing."""
    if write.op is Op.DELETE:
        return b""
    for path in write.values:
        if path not in writes:
            raise PermanentError(f"{write.collection}.{path} is not mapped for writing")
    values = {path: value for path, value in write.values.items() if path != "id"}
    if options.payload == "text":
        if values.get("") is None:
            raise PermanentError("an empty payload would delete the thing: text cannot be null")
        return str(values[""]).encode()
    item = dict(write.item or {}) if is_own_topic(options) else {}
    item.pop("id", None)
    try:
        for path, value in values.items():
            item = placed(item, path, value)
        return encode(item[""] if item.keys() == {""} else item)
    except (BadBody, ValueError) as error:
        raise PermanentError(str(error)) from error


def is_own_topic(options: MqttCollection) -> bool:
    """Return whether syncd publishes on the very topic that it reads."""
    return options.write is not None and options.write.topic == options.topic
