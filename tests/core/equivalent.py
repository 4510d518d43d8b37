"""Mutants that no test can catch: what they change makes no difference, for the reason given."""

EQUIVALENT: dict[str, str] = {}
