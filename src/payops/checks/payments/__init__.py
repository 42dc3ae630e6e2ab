"""Checks of the family `payments`."""
