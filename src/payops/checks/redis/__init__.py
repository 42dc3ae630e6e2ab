"""Checks of the family `redis`."""
