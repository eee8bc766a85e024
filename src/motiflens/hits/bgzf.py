"""BGZF: gzip in blocks, which any program unpacks and ``tabix`` can index.

Heng Li, Bioinformatics 27:718 (2011); the format is in the SAM specification, section 4.1.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterable, Iterator

_CONTENT = 0xFF00  # bytes of content in a block, so that the block stays below 64 KiB
_HEADER = bytes.fromhex("1f8b08040000000000ff0600424302 00")
_END = bytes.fromhex("1f8b08040000000000ff0600424302001b0003000000000000000000")


def compress(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """Compress bytes as they come; without a time stamp, equal content gives equal bytes."""
    waiting = b""
    for chunk in chunks:
        waiting += chunk
        while len(waiting) >= _CONTENT:
            yield _block(waiting[:_CONTENT])
            waiting = waiting[_CONTENT:]
    if waiting:
        yield _block(waiting)
    yield _END


def _block(content: bytes) -> bytes:
    packer = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    packed = packer.compress(content) + packer.flush()
    size = len(_HEADER) + 2 + len(packed) + 8
    tail = struct.pack("<II", zlib.crc32(content), len(content))
    return _HEADER + struct.pack("<H", size - 1) + packed + tail
