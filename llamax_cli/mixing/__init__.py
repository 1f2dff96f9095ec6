"""One epoch of training data from parallel, monolingual, augmented and machine-translated text (Algorithm 1).

subsets          what is counted and sampled together: an origin and a direction or language
algorithm1       how many samples each subset gives
samples          what records become: lines of Samples, and entries that say where in the mixture they go
chunk_reader     chunks of input to rows of samples; empty, truncated and excluded records are left out
rows             the same from plain lines of pairs, compiled, and lines in another order
decontamination  sentences of evaluation sets, found in pairs and inside texts
near_duplicates  records that have most of their n-grams in common, found by MinHash
blocks           monolingual text cut into blocks of limited tokens
buckets          rows on disk, partitioned by the key that also orders the mixture
sampling_plan    which records of a bucket are sampled, and how often
replay           the share of general text that is in every epoch
shuffle_passes   what a worker does in each pass: partition, count, copy, write
mixture          one epoch, from the request to the last line
"""
