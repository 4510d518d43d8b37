"""syncd keeps sources of truth consistent across platforms.

The rooms, from the ground up; each imports only rooms below it (the contracts stand in ``pyproject.toml``):

- ``errors``      what can go wrong, one class each
- ``core``        pure decisions: no clock, no I/O
- ``config``      strict YAML with positions, compiled into the core's rules
- ``ledger``      the SQLite file that remembers everything
- ``connectors``  one file per kind of platform
- ``reports``     drift, explanations and lists as text, JSON and HTML
- ``web``         the two listeners: hooks (public) and console, API, metrics (private)
- ``daemon``      the loops that run it all
- ``demo``        three platforms on loopback
- ``cli``         the commands

Reading order for a newcomer: ``core/model.py``, ``core/decide.py``, ``daemon/reconcile.py``, any one connector.
"""

__version__ = "0.1.0"
