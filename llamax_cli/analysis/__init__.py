"""Analyses of tokenizers, models, lexicons and corpora (section 3.1, appendices D, E and F)."""
