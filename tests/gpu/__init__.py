"""The checks that need a GPU: what each step measures, and where its figures are kept."""
