"""OData services, version 2 and 4, SAP's first among them.

``metadata`` and ``schema`` are what a service says of itself, ``check`` holds the config against it. ``values``, ``moments``
and ``literals`` write values as each version wants them. ``walk`` reads lists, ``feed`` what changed; ``writes``, ``batch``
and ``csrf`` send. ``service`` puts them together.
"""

from syncd.connectors.odata.kind import KIND

__all__ = ["KIND"]
