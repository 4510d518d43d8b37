"""What all tests share."""

import asyncio

# Before a first async test pytest-asyncio asks for the current loop; asyncio would make one, and nobody would close it.
asyncio.set_event_loop(None)
