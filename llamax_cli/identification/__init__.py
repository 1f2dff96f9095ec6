"""Which language a text is in, and what follows from it: annotation, selection, the off-target rates of Table 7."""
