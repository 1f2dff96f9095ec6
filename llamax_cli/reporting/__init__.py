"""Several systems side by side: tables, figures and one page, from records that other commands wrote."""
