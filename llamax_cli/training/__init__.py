"""Training on Samples, from one CPU to many GPUs.

On the command line, `request` turns flags into a `job`, and `launching` checks it, estimates what it takes and becomes
`accelerate launch`. That starts a `worker` on each rank: `setup` assembles the components (`packed_dataset` on top of
`dataset`, `dataloader`, `optimizer`, ...), and `trainer` holds the loop.
"""
