"""Tools for those who work on payops; not shipped."""
