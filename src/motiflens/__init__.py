"""motiflens: what DNA sequence models look at, and how far to believe it.

The public names stand in ``__init__.pyi``. Each is imported when it is first used, so that
``import motiflens`` and ``motiflens --help`` do not wait for PyTorch.
"""

from __future__ import annotations

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
