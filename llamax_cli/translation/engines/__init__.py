"""One file for each engine that translates."""
