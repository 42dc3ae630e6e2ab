"""Checks of the family `webhooks`."""
