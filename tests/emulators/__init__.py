"""Platforms that run on this machine, as far as the connectors use them: real servers on loopback that misbehave on demand."""
