"""Models at work: prompts, engines that generate, and the stages that translate records."""
