"""The exit codes, as the help and the README tell them."""

DONE = 0
SOME_FAILED = 1
USAGE = 2
UNAVAILABLE = 3
ACCESS = 4
INTERRUPTED = 130
NOBODY_READS = 141
