"""The settings under which torchtitan trains our 1B: `python -m torchtitan.train --module gpu.titan --config ours`.

Written for torchtitan 0.3, which isolates documents by flex attention. TITAN_TEXTS is a folder of JSON lines with
`text`, TITAN_TOKENIZER one of a tokenizer.
"""

import os
from typing import Any

from torchtitan.models.llama3 import model_registry
from torchtitan.models.llama3.config_registry import llama3_8b

from gpu.speed import BATCH, BLOCK, LOG_EVERY, MICRO_BATCH, STEPS


def ours() -> Any:
    """Return the settings of the 1B: those of the 8B, with the sizes of the other trainers, compiled, in bf16."""
    settings = llama3_8b()
    settings.model_spec = model_registry("1B")
    settings.hf_assets_path = os.environ["TITAN_TOKENIZER"]
    settings.dataloader.dataset = "c4_test"  # the one that is read from a folder
    settings.dataloader.dataset_path = os.environ["TITAN_TEXTS"]
    settings.training.seq_len = BLOCK
    settings.training.local_batch_size = MICRO_BATCH
    settings.training.global_batch_size = BATCH
    settings.training.steps = STEPS
    settings.activation_checkpoint = None
    settings.compile.enable = True
    settings.checkpoint.enable = False
    settings.validator.enable = False
    settings.profiler.enable_profiling = False
    settings.metrics.enable_tensorboard = False
    settings.metrics.disable_color_printing = True
    settings.metrics.log_freq = LOG_EVERY
    return settings
