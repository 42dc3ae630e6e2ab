"""API keys and secrets: whether they fit together and work, and where they have leaked."""
