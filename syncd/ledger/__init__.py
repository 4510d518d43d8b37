"""The ledger: what syncd remembers, in one SQLite file, and the only room that speaks SQL to it.

Every operation is a plain function ``f(db, ...)`` over a batch. The daemon runs them through the one ``store``; the command
line and the console through ``reading``, without it. Knows nothing of platforms and rules beyond the core's nouns.
"""
