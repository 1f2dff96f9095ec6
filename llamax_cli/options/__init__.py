"""The command line: the flags that several commands share."""
