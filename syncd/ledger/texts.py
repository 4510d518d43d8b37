"""How the ledger writes JSON and times as text, and reads them back.

Native numbers with a fraction are exact decimals: they are written as JSON numbers and read back as ``Decimal``.
"""

import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import lru_cache
from typing import Any

import orjson

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)


def dump(value: object) -> str:
    """Return JSON text with sorted keys; raises TypeError for what is no JSON: a lone surrogate, 2^64, NaN."""
    return orjson.dumps(value, default=exact, option=orjson.OPT_SORT_KEYS).decode()


def exact(value: object) -> orjson.Fragment:
    """Return a decimal as a JSON number that is read back as the same decimal; raises TypeError for anything else."""
    if not isinstance(value, Decimal) or not value.is_finite():
        raise TypeError(f"{type(value).__name__} is not JSON: {value!r}")
    text = str(value)
    return orjson.Fragment(text if "." in text or "E" in text else f"{text}E0")  # 12 would come back as an int


def load(text: str) -> Any:
    """Return what JSON text of canonical values stands for."""
    return orjson.loads(text)


def load_native(text: str) -> Any:
    """Return what JSON text of native values stands for: numbers with a fraction are ``Decimal``."""
    return json.loads(text, parse_float=Decimal)


@lru_cache(maxsize=1024)
def when(micros: int) -> str:
    """Return microseconds since 1970 as RFC 3339 text of fixed width, which sorts as time does."""
    return (EPOCH + timedelta(microseconds=micros)).isoformat(timespec="microseconds")[:26] + "Z"


def micros(text: str) -> int:
    """Return RFC 3339 text as microseconds since 1970."""
    return (datetime.fromisoformat(text) - EPOCH) // MICROSECOND
