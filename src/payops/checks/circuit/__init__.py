"""Checks of the family `circuit`."""
