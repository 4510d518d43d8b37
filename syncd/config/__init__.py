"""Strict YAML with positions, compiled into settings and the rules of the core; every error says where, why and how."""
