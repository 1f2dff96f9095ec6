"""Training on Samples, from one CPU to many GPUs.

`job` describes a run. `launcher` checks it (`checks`), can estimate what it takes (`preflight`), and becomes
`accelerate launch` on the machines that it finds (`machines`). That starts a `worker` on each rank: `setup` makes the
components (`packed_dataset` over `dataset`, `dataloader`, `optimizer`, ...), and `trainer` has the loop.
"""
