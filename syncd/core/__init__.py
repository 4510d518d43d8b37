"""The pure core: values, rules, identity, and the decisions. No clock, no I/O, no logging, no async.

Reading order: ``model`` (the nouns), ``space`` (the working set), ``decide`` (one observation), ``conclude``, ``plan``.
"""
