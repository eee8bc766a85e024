"""Files: text of any origin read into a string, and writing that leaves no half a file."""

from __future__ import annotations

import difflib
import gzip
import os
import tempfile
import threading
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from motiflens.errors import InputError

_GZIP_MAGIC = b"\x1f\x8b"
_UMASK_LOCK = threading.Lock()
_BLOCK = 1 << 22


def read_bytes(path: Path | str) -> bytes:
    """Read a file, unpacking it when its name ends in ``.gz``.

    Raises
    ------
    InputError
        When there is no such file (the nearest name in the folder is offered), when it cannot
        be read, is empty, or is named ``.gz`` without being a whole gzip file.
    """
    path = Path(path)
    with open_binary(path) as file:
        content = file.read()
    if path.suffix.lower() == ".gz":
        content = _unpack(content, path)
    elif content.startswith(_GZIP_MAGIC):
        raise InputError(
            "a gzip file has a name that ends in .gz",
            got=f"gzip data in {path}",
            remedy="rename the file",
        )
    if not content.strip():
        raise _empty(path)
    return content


def open_binary(path: Path | str) -> BinaryIO:
    """Open a file to read its bytes as they are.

    Raises
    ------
    InputError
        When there is no such file (the nearest name in the folder is offered), or it cannot be
        read.
    """
    path = Path(path)
    try:
        return path.open("rb")
    except FileNotFoundError:
        raise _no_such_file(path) from None
    except (OSError, ValueError) as error:
        is_folder = isinstance(error, IsADirectoryError)
        got = f"the directory {path}" if is_folder else f"{path}: {error}"
        raise InputError(
            "the input is a readable file", got=got, remedy="give the path of a file"
        ) from None


def read_text(path: Path | str) -> str:
    r"""Read a text file: UTF-8, plain or gzip, with any line ends (each becomes ``\n``).

    Raises
    ------
    InputError
        As `read_bytes`, and when the content is no UTF-8 text.
    """
    content = read_bytes(path)
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise InputError(
            "a text file is UTF-8",
            got=f"the byte 0x{content[error.start]:02x} in line {line} of {path}",
            remedy="check that this is the right file, or convert it to UTF-8",
        ) from None
    if "\0" in text:
        line = text.count("\n", 0, text.index("\0")) + 1
        raise InputError(
            "a text file holds no zero bytes",
            got=f"one in line {line} of {path}",
            remedy="check that this is the right file, or convert it to UTF-8",
        )
    if not text.strip():  # a byte order mark or blanks beyond ASCII
        raise _empty(path)
    return text.replace("\r\n", "\n").replace("\r", "\n")


def write_whole(path: Path | str, content: bytes) -> None:
    """Write a file aside, then rename it, so that it appears whole or not at all.

    A name that ends in ``.gz`` is compressed, without a time stamp: equal content gives equal
    bytes.

    Raises
    ------
    InputError
        When the folder does not exist or cannot be written to.
    """
    path = Path(path)
    if path.suffix.lower() == ".gz":
        content = gzip.compress(content, mtime=0)
    with whole_file(path) as file:
        file.write(content)


@contextmanager
def whole_file(path: Path | str) -> Iterator[BinaryIO]:
    """Open a file to write that appears whole when the block ends, and not at all if it fails.

    Raises
    ------
    InputError
        When the folder does not exist or cannot be written to.
    """
    path = Path(path)
    try:
        handle, aside = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        try:
            with os.fdopen(handle, "wb") as file:
                yield file
            os.chmod(aside, 0o666 & ~_umask())  # mkstemp makes files that only the owner can read
            os.replace(aside, path)
        except BaseException:
            os.unlink(aside)
            raise
    except OSError as error:
        raise InputError(
            "the output goes to a file in an existing folder that can be written to",
            got=f"{path}: {error.strerror}",
            remedy="make the folder or choose another path",
        ) from None


def unpack(path: Path | str, target: Path | str) -> None:
    """Write the content of a gzip file, of any size, into another, whole or not at all.

    Raises
    ------
    InputError
        When the file is missing or no whole gzip file, or the other cannot be written.
    """
    with open_binary(path) as packed, whole_file(target) as file, gzip.open(packed) as content:
        try:
            while block := content.read(_BLOCK):
                file.write(block)
        except (EOFError, zlib.error, gzip.BadGzipFile) as error:
            raise _damaged(path, error) from None


def _empty(path: Path | str) -> InputError:
    return InputError(
        "the input holds something", got=f"the empty file {path}", remedy="check how it was made"
    )


def _umask() -> int:
    # It can be read by setting it only: a second thread in between would set 0 for good.
    with _UMASK_LOCK:
        mask = os.umask(0)
        os.umask(mask)
    return mask


def _unpack(content: bytes, path: Path) -> bytes:
    try:
        return gzip.decompress(content) if content else content
    except (OSError, EOFError, zlib.error) as error:
        raise _damaged(path, error) from None


def _damaged(path: Path | str, error: Exception) -> InputError:
    return InputError(
        "a file named .gz is a whole gzip file",
        got=f"{path}: {error}",
        remedy="rename it, or copy or download it again",
    )


def _no_such_file(path: Path) -> InputError:
    names = os.listdir(path.parent) if os.access(path.parent, os.R_OK) else []
    near = difflib.get_close_matches(path.name, names, n=1)
    remedy = f"did you mean {path.parent / near[0]}?" if near else "check the path"
    return InputError("the input file exists", got=f"no such file: {path}", remedy=remedy)
