"""llamax: the LLaMAX recipe (Lu et al. 2024) as composable Unix tools."""

__version__ = "0.1.0"
