"""Dictionary formats, the multilingual lexicon, hops, the store on disk."""
