"""Streams: what every filter shares between its input and its output."""
