"""The compiled lexicon: its format, its reader and its writer."""
