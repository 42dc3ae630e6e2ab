"""`payops diagnose` and `payops impact` for people: the impact, the cause, what to do now."""
