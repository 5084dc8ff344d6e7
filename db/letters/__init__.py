"""Dead letters as they are administered: found, grouped by cause, read, sent again."""
