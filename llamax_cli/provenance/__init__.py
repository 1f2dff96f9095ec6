"""Where files come from: the manifests that runs have left, the chain that they form, and the runs made again."""
