"""`python -m payops`, and the `payops` script."""

from __future__ import annotations

import os
import sys
from typing import NoReturn


def main() -> NoReturn:
    """Run the command line. ^C while it is still being imported is no traceback either."""
    try:
        from payops.cli.main import main as command_line  # noqa: PLC0415  see above

        command_line()
    except KeyboardInterrupt:
        sys.stderr.write("payops: interrupted\n")
        sys.stderr.flush()
        os._exit(130)


if __name__ == "__main__":
    main()
