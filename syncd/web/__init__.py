"""The two listeners: hooks (public, webhooks and nothing else) and the private one (health, metrics).

Both are aiohttp apps made of functions that ``daemon/run.py`` gives them; nothing here knows the ledger or a platform.
They never share a port.
"""
