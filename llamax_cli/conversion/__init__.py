"""Conversion of corpora: from and to the formats that people have."""
