"""One value, spelt in several ways: could a platform have made the one of the other by itself?"""

from typing import Any

from syncd.core.folds import is_counter
from syncd.core.model import Known, ShadowField, Value, Word
from syncd.core.rules import Field


def folded_text(value: Any) -> str:
    """Return text without blanks and case."""
    return "".join(str(value or "").split()).casefold()


def only_spelling(field: Field, sent: Value, stored: Value) -> bool:
    """Return whether two values differ by blanks and case only, or are the same under the field's ``equal``."""
    if isinstance(sent, list) and isinstance(stored, list):
        return {folded_text(m) for m in sent} == {folded_text(m) for m in stored}
    if isinstance(sent, str) and isinstance(stored, str | None) and folded_text(sent) == folded_text(stored):
        return True
    return field.equal.same(sent, stored)


def explained(field: Field, sent: Value, stored: Value) -> bool:
    """Return whether a normaliser could have made ``stored`` of ``sent``: blanks, case, a cut that leaves two letters, or
    within the field's ``equal`` (R5.3). A counter is never explained.
    """
    if is_counter(field):
        return False
    if only_spelling(field, sent, stored):
        return True
    if not field.type.is_text or not isinstance(sent, str) or not isinstance(stored, str):
        return False
    cut = folded_text(stored)
    return len(cut) > 1 and folded_text(sent).startswith(cut)


def is_rewritten(known: ShadowField, field: Field) -> bool:
    """Return whether a platform settled on something beyond a spelling of what we wrote: drift of the cause ``rewritten``."""
    if known.word is not Word.OURS or known.known is Known.INVALID or known.raw == known.means:
        return False
    return not only_spelling(field, known.means, known.raw)
