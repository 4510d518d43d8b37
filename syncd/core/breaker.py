"""When many writes at once are more likely a mistake than the truth."""

from syncd.core.rules import Limit


def trips(limit: Limit, count: int, total: int) -> bool:
    """Return whether ``count`` of ``total`` records exceeds every figure that the limit names. No figure never trips."""
    if limit.max is None and limit.ratio is None:
        return False
    by_number = limit.max is None or count > limit.max
    by_ratio = limit.ratio is None or (total > 0 and count > limit.ratio * total)
    return by_number and by_ratio


def shrunk(limit: Limit, lost: int, known: int, total: int) -> bool:
    """Return whether a scan that lost records is not believed. An empty listing (total 0) where there were any never is."""
    if known > 0 and total == 0:
        return True
    return lost > 0 and trips(limit, lost, known)
