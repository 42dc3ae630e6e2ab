"""Work that waits in Redis: how much, since when, and what hangs in a worker."""
