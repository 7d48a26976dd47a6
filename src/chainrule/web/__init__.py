"""What speaks HTTP: the prediction service, and what a local page shares with it.

Starlette and uvicorn are the extra `web`; they load when a server starts.
"""
