"""Frozen types and pure functions. Imports the standard library and nothing else."""
