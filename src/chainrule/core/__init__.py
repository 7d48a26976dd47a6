"""Op records, programs, recording and the reverse sweep; hardly an op is known here by name."""
