"""motiflens: what DNA sequence models look at, and how far to believe it."""

from motiflens.version import __version__

__all__ = ["__version__"]
