"""Salesforce: records by its REST and Bulk APIs, changes by queries or by its Pub/Sub API.

Built on https://developer.salesforce.com/docs: the REST API, Bulk API 2.0 and Pub/Sub API developer guides.
"""

from syncd.connectors.salesforce.kind import KIND

__all__ = ["KIND"]
