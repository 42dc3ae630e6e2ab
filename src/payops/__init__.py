"""payops: the on-call engineer's command line for payment incidents."""

__version__ = "0.1.0.dev0"
