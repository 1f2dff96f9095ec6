"""Filters of bitext: which pairs and texts stay, by measures of their texts or by scores that they carry."""
