"""The local page: runs as they go, their steps opened, runs compared, and a playground."""
