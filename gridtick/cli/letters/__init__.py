"""Dead letters on the command line: grouped by cause, shown, sent again."""
