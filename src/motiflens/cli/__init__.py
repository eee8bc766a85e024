"""The command line: one function = one sub-command = one Python call."""

from motiflens.cli.app import main

__all__ = ["main"]
