"""Runbooks as payops reads them: found, decoded, and checked before the first step."""
