"""Both sides fetched into a spool on disk, matched by one SQL file, told as discrepancies."""
