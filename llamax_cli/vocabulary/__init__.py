"""The extension of a vocabulary: new pieces, the tokenizer that has them, and their embeddings (section 3.1)."""
