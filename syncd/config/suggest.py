"""Did you mean: as the core has it, for the messages of the config and of the command line."""

from syncd.core.likeness import MOST, did_you_mean, distance, near

__all__ = ["MOST", "did_you_mean", "distance", "near"]
