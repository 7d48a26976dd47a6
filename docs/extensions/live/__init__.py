"""Pages whose numbers are those of a run: the site executes their code, and so do the tests."""
