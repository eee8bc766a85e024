"""Files: text of any origin read line by line, TOML, and writing that leaves no half a file."""

from __future__ import annotations

import difflib
import errno
import gzip
import io
import os
import re
import sys
import tempfile
import threading
import tomllib
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, BinaryIO

from motiflens.errors import InputError, one_of

_GZIP_MAGIC = b"\x1f\x8b"
_UMASK_LOCK = threading.Lock()
_BLOCK = 1 << 22
_LINES_A_STEP = 4096

#: What stands for standard input and output in place of a path.
STDIN = STDOUT = "-"

#: How files begin that are often taken for text, what they are, and what can be done.
_BINARY = (
    (_GZIP_MAGIC, "gzip data", "give it a name that ends in .gz"),
    (b"PK\x03\x04", "an Excel workbook or a zip file", "save the sheet as CSV, or unzip the file"),
    (b"\xd0\xcf\x11\xe0", "an Excel workbook of the old kind", "save the sheet as CSV"),
    (b"PAR1", "a Parquet table", "give it a name that ends in .parquet"),
    (b"%PDF", "a PDF", "export the table or the sequences as text"),
)
_UTF_16 = (b"\xff\xfe", b"\xfe\xff")

#: What a disk says that is full, over a quota, or damaged.
_DISK = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO}


@contextmanager
def open_content(path: Path | str) -> Iterator[tuple[BinaryIO, BinaryIO]]:
    """Open a file, and its content, which is another stream if its name ends in ``.gz``.

    Raises
    ------
    InputError
        When the file cannot be read, or is named ``.gz`` and no whole gzip file.
    """
    with open_binary(path) as file:
        if Path(path).suffix.lower() != ".gz":
            yield file, file
            return
        try:
            yield file, gzip.GzipFile(fileobj=file)  # type: ignore[misc]
        except (EOFError, zlib.error, gzip.BadGzipFile) as error:
            raise _damaged(path, error) from None


def read_bytes(path: Path | str) -> bytes:
    """Read a file, unpacking it when its name ends in ``.gz``.

    Raises
    ------
    InputError
        When there is no such file (the nearest name in the folder is offered), when it cannot
        be read, is empty, or is named ``.gz`` without being a whole gzip file.
    """
    with open_content(path) as (_, content):
        data = content.read()
    if not data.strip():
        raise _empty(path)
    return data


def stream_text(
    path: Path | str, advance: Callable[[int], None] = lambda n_bytes: None
) -> Iterator[str]:
    r"""Read a text file line by line: UTF-8, or UTF-16 with its mark; plain or gzip.

    Parameters
    ----------
    path
        The file. Every line ends in ``\n`` whatever its end in the file, but perhaps the last.
    advance
        Told the bytes of the file that have been read since the last call.

    Raises
    ------
    InputError
        When the file is missing, empty, damaged or no text (with the line).
    """
    done = 0
    with open_content(path) as (file, content):
        for number, line in enumerate(text_lines(content, path), start=1):
            if number % _LINES_A_STEP == 0:
                advance(file.tell() - done)
                done = file.tell()
            yield line
        advance(file.tell() - done)


def text_lines(content: BinaryIO, name: Path | str) -> Iterator[str]:
    """Read the lines of an open file; see `stream_text`.

    Parameters
    ----------
    content
        Open to read bytes, such as a pipe.
    name
        For messages.

    Raises
    ------
    InputError
        As `stream_text`.
    """
    blank = True
    start = content.peek(4)  # type: ignore[attr-defined]
    for magic, what, remedy in _BINARY:
        if start.startswith(magic):
            raise InputError(f"{name} holds {what}, not text", remedy=remedy)
    decode = _utf_16 if start.startswith(_UTF_16) else _utf_8
    for number, line in enumerate(decode(content, name), start=1):
        if "\0" in line:
            raise _no_text("a zero byte", number, name)
        blank = blank and not line.strip()
        yield line
    if blank:  # a byte order mark or blanks beyond ASCII may be there
        raise _empty(name)


def is_pipe(path: Path | str) -> bool:
    """Return whether a path is ``-``, standard input, or a pipe, which can be read only once."""
    return str(path) == STDIN or Path(path).is_fifo()


def stream_pipe(path: Path | str) -> Iterator[str]:
    """Read a pipe, or standard input, line by line, plain or gzip; see `stream_text`.

    Raises
    ------
    InputError
        As `stream_text`.
    """
    name = "standard input" if str(path) == STDIN else str(path)
    with ExitStack() as opened:
        pipe: Any = (
            sys.stdin.buffer if str(path) == STDIN else opened.enter_context(open_binary(path))
        )
        packed = pipe.peek(2).startswith(_GZIP_MAGIC)
        try:
            yield from text_lines(gzip.GzipFile(fileobj=pipe) if packed else pipe, name)  # type: ignore[arg-type]
        except (EOFError, zlib.error, gzip.BadGzipFile) as error:
            raise _damaged(name, error) from None


def _utf_8(content: BinaryIO, path: Path | str) -> Iterator[str]:
    number = 0
    for raw in content:
        try:
            line = raw.decode("utf-8" if number else "utf-8-sig")
        except UnicodeDecodeError as error:
            line_number = number + 1 + raw.count(b"\r", 0, error.start)
            raise _no_text(f"the byte 0x{raw[error.start]:02x}", line_number, path) from None
        if "\r" in line:
            ended = line.replace("\r\n", "\n").replace("\r", "\n")
            lines = re.findall(r"[^\n]*\n|[^\n]+", ended)
        else:
            lines = [line]
        number += len(lines)
        yield from lines


def _utf_16(content: BinaryIO, path: Path | str) -> Iterator[str]:
    number, text = 0, io.TextIOWrapper(content, encoding="utf-16")
    try:
        for line in text:
            number += 1
            yield line
    except UnicodeError:
        raise _no_text("bytes that are no UTF-16", number + 1, path) from None
    finally:
        text.detach()  # or it would close the file


def _no_text(what: str, number: int, path: Path | str) -> InputError:
    return InputError(
        f"{what} in line {number} of {path} is no text",
        remedy="check that this is the right file, or save it as UTF-8",
    )


def read_text(path: Path | str) -> str:
    """Read a whole text file; see `stream_text`."""
    return "".join(stream_text(path))


def read_toml(path: Path) -> dict[str, Any]:
    """Read a TOML file.

    Raises
    ------
    InputError
        When the file is missing or is no TOML.
    """
    try:
        return tomllib.loads(read_text(path))
    except tomllib.TOMLDecodeError as error:
        raise InputError(f"{path} is no TOML: {error}", remedy="correct the file") from None


def check_keys(table: Mapping[str, Any], known: Iterable[str], what: str) -> None:
    """Raise :class:`InputError` for a key that is not known, with the nearest that is."""
    known = list(known)
    for key in table:
        one_of(f"a key of {what}", key, known)


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
        problem = f"{path} is a folder" if is_folder else f"{path} cannot be read: {error}"
        raise InputError(problem, remedy="give the path of a file") from None


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
    OSError
        When the disk is full or damaged: no mistake of the call.
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
        raise _cannot_write(path, error, "make its folder, or choose another path") from None


def make_folder(path: Path) -> None:
    """Make a folder, with those around it, unless it is there.

    Raises
    ------
    InputError
        When it cannot be made.
    OSError
        When the disk is full or damaged: no mistake of the call.
    """
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise _cannot_write(path, error, "choose another path") from None


def _cannot_write(path: Path, error: OSError, remedy: str) -> Exception:
    if error.errno in _DISK:
        return OSError(error.errno, error.strerror, str(path))
    return InputError(f"{path} cannot be written: {error.strerror}", remedy=remedy)


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
    return InputError(f"{path} is empty", remedy="check how it was made")


def _umask() -> int:
    # It can be read by setting it only: a second thread in between would set 0 for good.
    with _UMASK_LOCK:
        mask = os.umask(0)
        os.umask(mask)
    return mask


def _damaged(path: Path | str, error: Exception) -> InputError:
    return InputError(
        f"{path} is no whole gzip file: {error}",
        remedy="copy or download it again, or rename it if it is not compressed",
    )


def _no_such_file(path: Path) -> InputError:
    names = os.listdir(path.parent) if os.access(path.parent, os.R_OK) else []
    near = difflib.get_close_matches(path.name, names, n=1)
    remedy = f"did you mean {path.parent / near[0]}?" if near else "check the path"
    return InputError(f"no such file: {path}", remedy=remedy)
