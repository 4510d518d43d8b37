"""x"""
from typing import Any


async def report_drift(runtime: Any, request: Any, progress: Any, finish: Any) -> dict[str, Any]:
    """x"""
    return {}
