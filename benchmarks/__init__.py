"""Speed, memory and start-up beside peers: `make bench`, or `python -m benchmarks NAME`."""
