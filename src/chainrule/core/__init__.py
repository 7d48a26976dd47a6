"""Op records, programs, recording and the reverse sweep. Knows no op by name but add, sum, broadcast_to, cast."""
