"""Translation: records through an engine, directly or by way of a third language."""
