"""Checks of the family `stripe`."""
