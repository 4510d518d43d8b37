"""A Shopify shop on this machine: the vendor's own 2026-10 schema, executed, with everything that makes it hard to talk to."""
