"""Translation: records through an engine, directly or through a third language."""
