"""How runbooks are shown: as a list (`listing.py`), as a page (`page.py`), as JSON (`data.py`).

A page may come from somebody else: all its text goes through `harmless`, the whole through the
redactor.
"""
