"""One thin file per command: parse, connect, run."""
