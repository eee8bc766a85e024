"""The version of motiflens, in one place."""

__version__ = "0.5.0"
