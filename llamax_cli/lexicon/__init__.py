"""The multilingual lexicon: dictionary formats, building with one or two hops, and the store on disk."""
