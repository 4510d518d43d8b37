"""What syncd shows: machine-format dicts as text, JSON, CSV, Markdown, HTML and JUnit. Nothing here asks a platform.

A noun has one module (``drift``, ``status``, ``history``, ...). Where its facts stand in the ledger the module has
``collect(db, ...)``, which returns the machine format of ``docs/cli.md``; each has ``page(doc, look)``, which lays such
a dict out for people. ``text``, ``markdown`` and ``html`` write pages, ``machine`` writes JSON, NDJSON and CSV. Heavy
imports (Jinja2) stand in ``html`` alone, so that a table in a terminal does not pay for them.
"""
