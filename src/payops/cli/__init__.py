"""The command line: one file a command group; the boundary turns errors into exit codes."""
