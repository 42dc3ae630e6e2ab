"""Writes the generated pages of docs/; not shipped."""
