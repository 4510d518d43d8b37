"""Sanity's Content Lake, as far as syncd speaks with it: real GROQ (groq-js), transactions, listeners, signed webhooks.

What is emulated and what is not stands in docs/connectors/sanity.md.
"""

from tests.emulators.sanity.faults import Asked, Faults
from tests.emulators.sanity.lake import DATASET, PROJECT, Lake, WebhookRule
from tests.emulators.sanity.server import hang_up, serving

__all__ = ["DATASET", "PROJECT", "Asked", "Faults", "Lake", "WebhookRule", "hang_up", "serving"]
