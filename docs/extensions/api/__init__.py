"""Pages of the interface from docstrings: what is public, and plain text as markup."""
