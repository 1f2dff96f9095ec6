"""Training on Samples, from one CPU to many GPUs.

flags         what `llamax train` and `llamax tune` share on the command line
request       from flags to a job
job           what the launcher tells the worker
launching     what `llamax train` does before torch is loaded: checks, estimates, the command line of accelerate
accelerating  accelerate's launcher, ending as its workers do
estimates     memory of a GPU, size of checkpoints, days
opening       files of data, looked at before they are used
preparing     the data made ready once: index, token lengths, plan
samples       where each record of the data lies, and reading any of them
encoding      a Sample as tokens, and which of them the loss is on
packing       samples into blocks
plan          which samples stand in which block, in which order, and where a run is in it
batches       blocks as tensors, shared out among the ranks, read ahead
attention     documents packed in one row that do not see each other
learner       the model with its loss: loading, freezing, LoRA, sharding
kernels       Liger's kernels for GPUs
optimiser     AdamW, its groups and its schedule
assembling    data, model and optimiser of a run, ready on all ranks
stepping      one step: gradients, judged, and the weights moved
validating    the loss of held-out records
lines         held-out lines to translate on the way: read, put as prompts, scored, written
translating   those lines translated with the model as it stands
checkpoints   whole or not there, sharded, for any number of ranks
saving        when a checkpoint is written, what it says, and how a run begins at one
counts        what a run has done so far
meters        losses by origin, language and direction
reports       metrics as lines of JSON, trackers and the bar
trackers      TensorBoard and W&B
exporting     the plain Hugging Face folder at the end
worker        the loop, in each process that accelerate starts
"""
