"""PostgreSQL and Redis as real, private servers on loopback, one file a server.

Both are found on this machine or in a wheel of the `lab` extra; nothing is installed or downloaded.
"""
