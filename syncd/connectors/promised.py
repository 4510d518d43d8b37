"""Kinds of platforms whose options are known before their connectors are there: checked and tested, never connected."""

import re
from typing import Never

from syncd.connectors.protocol import Setup
from syncd.errors import PermanentError


class Promised:
    """The half of a kind that is the same for all of them."""

    name = ""

    def connect(self, setup: Setup) -> Never:
        """Raise PermanentError: nothing here speaks to such a platform yet. ``run`` refuses the config before (E190)."""
        raise PermanentError(f'{setup.platform}: connector "{self.name}" is not in this version')


def web_address(url: str) -> str:
    """Return the address of a service; raises ValueError if it is none."""
    if not re.match(r"https?://[^/\s]+", url):
        raise ValueError("an address starts with https:// and a host")
    return url
