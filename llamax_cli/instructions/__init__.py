"""Instructions: the forms in which people have data to tune on, and the tasks."""
