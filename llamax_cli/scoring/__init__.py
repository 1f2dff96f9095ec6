"""From translations to numbers: metrics by direction, the all-pairs matrix, summaries, significance."""
