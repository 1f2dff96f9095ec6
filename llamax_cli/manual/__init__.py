"""The manual: a page of Markdown for each command and topic, and what is made from the declarations in it."""
