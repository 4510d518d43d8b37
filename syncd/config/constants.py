"""Values written in rules (``const``, ``default``): read by the field's type, kept in canonical form."""

from syncd.config import literals
from syncd.config.nodes import Node, Scalar, plain
from syncd.config.source import Source
from syncd.core.model import Value
from syncd.core.rules import FieldType
from syncd.core.values import Invalid


def constant(source: Source, node: Node, kind: FieldType | None, key: str) -> Value:
    """Return a value in canonical form, None if it is null or does not fit its type (noted)."""
    if isinstance(node, Scalar) and node.value is None:
        return None
    if kind is None:
        return plain(node)
    if kind.is_text or kind.name == "enum":
        return _text(source, node, kind, key)
    try:
        return kind.read(plain(node))
    except Invalid as error:
        literals.bad_value(source, node, f"does not fit its type: {error}", why=f"the field is of type {kind.name}")
        return None


def _text(source: Source, node: Node, kind: FieldType, key: str) -> Value:
    text = literals.text(source, node, key)
    try:
        return None if text is None else kind.read(text)
    except Invalid as error:
        words = list(getattr(kind, "words", ()))
        if words and isinstance(node, Scalar):
            literals.not_one_of(source, node, words)
        else:
            literals.bad_value(source, node, f"does not fit its type: {error}", why=f"the field is of type {kind.name}")
        return None
