"""Checks of the family `postgres`."""
