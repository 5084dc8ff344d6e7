"""The documents inside a ZIP or gzip, unpacked within a stated bound whatever the archive claims about itself."""

import struct
import zipfile
import zlib
from collections.abc import Iterator
from io import BytesIO
from typing import Final

from pipeline.errors import DataProcessingError

LIMIT: Final = 512 * 1024 * 1024
_CHUNK: Final = 1024 * 1024
_MEMBERS: Final = 1000
_DEPTH: Final = 2  # a container, and a container in it
_ZIP: Final = b"PK\x03\x04"
_EMPTY_ZIP: Final = b"PK\x05\x06"
_GZIP: Final = b"\x1f\x8b"
_ENCRYPTED: Final = 0x1
_METHODS: Final = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_CORRUPT: Final = (zipfile.BadZipFile, zlib.error, EOFError, struct.error, ValueError, OSError, NotImplementedError)

Member = tuple[str, bytes]


def unpack(data: bytes, name: str, limit: int = LIMIT) -> list[Member]:
    """(name, bytes) of every document in `data`: itself, or the members of a ZIP or gzip, one archive nested.

    Unpacks at most `limit` bytes in all and stops there. Raises `DataProcessingError` (context `field`, `value`)
    for what is empty, encrypted, corrupt, nested deeper or larger than the limit.
    """
    return list(_documents(data, name, _Budget(limit), 0))


class _Budget:
    """Bytes that may still be unpacked."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.left = limit

    def take(self, size: int, name: str) -> None:
        self.left -= size
        if self.left < 0:
            raise _refused(f"the archive unpacks beyond {self.limit} bytes: send it in parts", name)


def _documents(data: bytes, name: str, budget: _Budget, depth: int) -> Iterator[Member]:
    if not data:
        raise _refused("the document is empty", name)
    packed = data.startswith((_ZIP, _EMPTY_ZIP, _GZIP))
    if not packed:
        if not depth:
            budget.take(len(data), name)
        yield name, data
        return
    if depth == _DEPTH:
        raise _refused("archives are nested more than once: send the inner one", name)
    members = _gunzip(data, name, budget) if data.startswith(_GZIP) else _unzip(data, name, budget)
    for member, content in members:
        yield from _documents(content, member, budget, depth + 1)


def _unzip(data: bytes, name: str, budget: _Budget) -> Iterator[Member]:
    try:
        with zipfile.ZipFile(BytesIO(data)) as archive:
            entries = [entry for entry in archive.infolist() if not entry.filename.endswith("/")]
            if not entries:
                raise _refused("the ZIP holds no file", name)
            if len(entries) > _MEMBERS:
                raise _refused(f"the ZIP holds {len(entries)} files, more than {_MEMBERS}", name)
            for entry in entries:
                yield entry.filename, _member(archive, entry, budget)
    except _CORRUPT as error:
        raise _refused(f"the ZIP is corrupt: {error}", name) from None


def _member(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, budget: _Budget) -> bytes:
    if entry.flag_bits & _ENCRYPTED:
        raise _refused("the ZIP is encrypted: send it without a password", entry.filename)
    if entry.compress_type not in _METHODS:
        raise _refused(f"the ZIP uses compression method {entry.compress_type}: use deflate", entry.filename)
    if entry.file_size > budget.left:
        budget.take(entry.file_size, entry.filename)
    chunks: list[bytes] = []
    with archive.open(entry) as stream:
        while chunk := stream.read(_CHUNK):
            budget.take(len(chunk), entry.filename)
            chunks.append(chunk)
    return b"".join(chunks)


def _gunzip(data: bytes, name: str, budget: _Budget) -> Iterator[Member]:
    chunks: list[bytes] = []
    rest = data
    try:
        while rest.startswith(_GZIP):
            stream = zlib.decompressobj(wbits=31)
            while not stream.eof:
                chunk = stream.decompress(rest, _CHUNK)
                if not chunk and not stream.eof and not stream.unconsumed_tail:
                    raise _refused("the gzip is cut off", name)
                budget.take(len(chunk), name)
                chunks.append(chunk)
                rest = stream.unconsumed_tail
            rest = stream.unused_data
    except zlib.error as error:
        raise _refused(f"the gzip is corrupt: {error}", name) from None
    yield name.removesuffix(".gz"), b"".join(chunks)


def _refused(reason: str, name: str) -> DataProcessingError:
    return DataProcessingError(reason, "normalize", {"field": "document", "value": name})
