"""From what was seen to what is wrong: pure, deterministic, and nothing asked of anyone."""
