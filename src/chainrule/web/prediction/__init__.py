"""The prediction service: a model behind HTTP."""
