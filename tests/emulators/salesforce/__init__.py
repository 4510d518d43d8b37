"""A Salesforce organisation on loopback: REST, Bulk 2.0 and the event bus, with faults on demand."""

from tests.emulators.salesforce.server import DOWN, EXPIRED, LOCKED, USED_UP, Fault, Salesforce, serving

__all__ = ["DOWN", "EXPIRED", "LOCKED", "USED_UP", "Fault", "Salesforce", "serving"]
