"""Instruction data: its forms, the files of tasks, and the rendering of both as Samples."""
