"""Checks of the family `app`."""
