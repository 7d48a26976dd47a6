"""Speed, memory and start-up, side by side with peers: `make bench`, or `python -m benchmarks NAME`."""
