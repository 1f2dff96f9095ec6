"""What translation and training share: contracts, loading, prompts, encodings, attention and beam search."""
