"""``python -m motiflens``."""

from motiflens.cli import main

main()
