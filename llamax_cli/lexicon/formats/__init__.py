"""One file per family of dictionary formats; detection.py above this folder has the table of them."""
