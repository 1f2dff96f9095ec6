"""What `llamax tune` adds to training: the evaluation of models on tasks, and averages of models."""
