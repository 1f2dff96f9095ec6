"""Augmentation: words replaced by translations out of a lexicon."""
