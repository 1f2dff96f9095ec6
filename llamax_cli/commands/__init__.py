"""Commands: one file for each, which declares its options and calls the step of the recipe."""
