"""The engines that translate, one file each, and the table that lists them."""
