"""The only importers of stripe, psycopg, redis and urllib3.

Importing this package loads none of them: each is imported when its source is first asked for.
Every failure comes out as a `SourceError`, and no call outlives the run's deadline.
"""

from payops.sources.sources import Sources, borrowed

__all__ = ["Sources", "borrowed"]
