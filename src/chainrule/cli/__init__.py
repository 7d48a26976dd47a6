"""The command line: `chainrule COMMAND`."""
