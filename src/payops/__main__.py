"""`python -m payops`."""

from payops.cli.main import main

main()
