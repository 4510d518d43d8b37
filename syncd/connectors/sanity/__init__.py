"""Sanity's Content Lake by its HTTP API: GROQ queries, listeners, signed webhooks, transactions.

The things are published documents. Drafts are kept apart: one without a published document is a thing that is unpublished.
"""

from syncd.connectors.sanity.kind import KIND

__all__ = ["KIND"]
