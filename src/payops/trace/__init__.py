"""One payment's whole story: gathered, put on one timeline, and where the sides part."""
