"""The loops: intake, reconcile, deliver, sweep, reload, and ``run``, which puts them together.

Nothing here decides anything: what a change means is asked of ``core``, in the ledger's thread, one function per batch. What is
kept in memory can be lost at any moment; whatever matters is in the ledger first.
"""
