"""One file per family of dictionary formats; opening.py beside this folder holds the table of them."""
