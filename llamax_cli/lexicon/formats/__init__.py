"""Dictionary formats, one module for each family of formats; detection.py has the table of all formats."""
