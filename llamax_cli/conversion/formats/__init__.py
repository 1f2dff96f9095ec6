"""One file per corpus format: `open_corpora(request)` says which corpora are there and reads their segments."""
