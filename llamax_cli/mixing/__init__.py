"""One epoch of training data out of parallel, monolingual, augmented and machine-translated text (Algorithm 1).

reading     lines to rows: a Sample as it will be written, and 32 bytes that say where it goes
exclusion   sentences of evaluation sets, found in pairs and inside texts
blocks      monolingual text in pieces of at most so many tokens
shares      how many samples each direction gives: the numbers of Algorithm 1
buckets     rows on disk, parted by the hash that is also their place in the mixture
drawing     which records of a bucket are drawn, and how often
passes      what a worker does: part, count, copy, write
mixture     one epoch from its recipe to its last line
"""
