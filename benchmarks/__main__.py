"""`python -m benchmarks` is `make bench`."""

from benchmarks.all import main

main()
