"""The documents inside a ZIP, a gzip or a workbook, within a stated bound whatever the archive claims of itself."""

import struct
import zipfile
import zlib
from collections.abc import Iterator
from io import BytesIO
from typing import Final

from pipeline import workbook, workbook_bounds
from pipeline.errors import DataProcessingError

LIMIT: Final = 512 * 1024 * 1024
_CHUNK: Final = 1024 * 1024
_PIECE: Final = 16 * 1024  # of a gzip, at once: what lies behind its end is copied, member by member
_MEMBERS: Final = 1000
_GZIP_MEMBERS: Final = 10_000
_DEPTH: Final = 2  # a container, and a container in it
_ZIP: Final = b"PK\x03\x04"
_EMPTY_ZIP: Final = b"PK\x05\x06"
_ZIP_END: Final = 22  # bytes of a ZIP's last record, without its comment
_GZIP: Final = b"\x1f\x8b"
_ENCRYPTED: Final = 0x1
_METHODS: Final = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_CORRUPT: Final = (zipfile.BadZipFile, zlib.error, EOFError, struct.error, ValueError, OSError, NotImplementedError)

Member = tuple[str, bytes | DataProcessingError]


class _Beyond(DataProcessingError):
    """The one refusal of a member that ends the whole: there is no room for the others either."""


def unpack(data: bytes, name: str, limit: int = LIMIT) -> list[Member]:
    """(name, bytes) of every document in `data`: itself, or the members of a ZIP or gzip, one archive nested.

    A member that is empty, encrypted, corrupt or nested deeper comes as the error that says so. Unpacks at most
    `limit` bytes in all. Raises `DataProcessingError` (context `field`, `value`) for more than that, for an archive
    that cannot be opened or hides bytes, and where no member can be read.
    """
    found = list(_documents(data, name, _Budget(limit), 0))
    errors = [content for _, content in found if isinstance(content, DataProcessingError)]
    if len(errors) == len(found):
        raise errors[0]
    return found


class _Budget:
    """Bytes that may still be unpacked."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.left = limit

    def take(self, size: int, name: str) -> None:
        self.left -= size
        if self.left < 0:
            reason = f"the archive unpacks beyond {self.limit} bytes: send it in parts"
            raise _Beyond(reason, "normalize", _context(name))


def _documents(data: bytes, name: str, budget: _Budget, depth: int) -> Iterator[Member]:
    if not data:
        raise _refused("the document is empty", name)
    if _is_workbook(data, name, budget):
        yield from workbook.documents(data, name)
        return
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
        yield from _within(member, content, budget, depth + 1)


def _is_workbook(data: bytes, name: str, budget: _Budget) -> bool:
    """A spreadsheet is a ZIP too. What it holds is unpacked once here, for its reader knows no bounds."""
    if data.startswith(workbook.OLD):
        return True
    if not data.startswith(_ZIP) or not any(part.encode() in data for part in (workbook.PART, workbook.BINARY)):
        return False
    try:
        with zipfile.ZipFile(BytesIO(data)) as archive:
            held = archive.namelist()
            if workbook.BINARY in held:
                raise _refused("this is a binary workbook (.xlsb): save it as .xlsx or CSV", name)
            if workbook.PART not in held:
                return False
            _refuse_hidden(archive, data, name)
            workbook_bounds.check(_parts(archive, name, budget), name, budget.limit)
    except _CORRUPT as error:
        raise _refused(f"the workbook is corrupt: {error}", name) from None
    return True


def _parts(archive: zipfile.ZipFile, name: str, budget: _Budget) -> Iterator[bytes]:
    entries = archive.infolist()
    if len(entries) > _MEMBERS:
        raise _refused(f"the workbook holds {len(entries)} parts, more than {_MEMBERS}", name)
    for entry in entries:
        if isinstance(part := _member(archive, entry, budget), DataProcessingError):
            raise part
        yield part


def _within(member: str, content: bytes | DataProcessingError, budget: _Budget, depth: int) -> list[Member]:
    if isinstance(content, DataProcessingError):
        return [(member, content)]
    try:
        return list(_documents(content, member, budget, depth))
    except _Beyond:
        raise
    except DataProcessingError as error:
        return [(member, error)]


def _unzip(data: bytes, name: str, budget: _Budget) -> Iterator[Member]:
    try:
        with zipfile.ZipFile(BytesIO(data)) as archive:
            _refuse_hidden(archive, data, name)
            entries = [entry for entry in archive.infolist() if not entry.filename.endswith("/")]
            if not entries:
                raise _refused("the ZIP holds no file", name)
            if len(entries) > _MEMBERS:
                raise _refused(f"the ZIP holds {len(entries)} files, more than {_MEMBERS}", name)
            for entry in entries:
                yield entry.filename, _member(archive, entry, budget)
    except _CORRUPT as error:
        raise _refused(f"the ZIP is corrupt: {error}", name) from None


def _refuse_hidden(archive: zipfile.ZipFile, data: bytes, name: str) -> None:
    """A ZIP is read from its end: what stands before its first entry or behind its end is seen by nobody."""
    first = min((entry.header_offset for entry in archive.infolist()), default=0)
    end = data.rfind(_EMPTY_ZIP) + _ZIP_END + len(archive.comment)
    if first or end != len(data):
        hidden = f"{first} bytes before its first file and {len(data) - end} behind its end"
        raise _refused(f"the ZIP has {hidden}: send every archive on its own", name)


def _member(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, budget: _Budget) -> bytes | DataProcessingError:
    if entry.flag_bits & _ENCRYPTED:
        return _refused("the ZIP is encrypted: send it without a password", entry.filename)
    if entry.compress_type not in _METHODS:
        return _refused(f"the ZIP uses compression method {entry.compress_type}: use deflate", entry.filename)
    if entry.file_size > budget.left:
        budget.take(entry.file_size, entry.filename)
    try:
        with archive.open(entry) as stream:
            content = stream.read(entry.file_size + 1)  # whatever it holds; of more than it says, the checksum is wrong
    except _CORRUPT as error:
        return _refused(f"the ZIP is corrupt: {error}", entry.filename)
    budget.take(len(content), entry.filename)
    return content


def _gunzip(data: bytes, name: str, budget: _Budget) -> Iterator[Member]:
    """One document: the members of a gzip, one after the other. Zero bytes behind the last one are padding."""
    chunks: list[bytes] = []
    at = members = 0
    try:
        while data.startswith(_GZIP, at):
            members += 1
            if members > _GZIP_MEMBERS:
                raise _refused(f"the gzip holds more than {_GZIP_MEMBERS} parts: pack it as one", name)
            at = _inflated(data, at, name, budget, chunks)
    except zlib.error as error:
        raise _refused(f"the gzip is corrupt: {error}", name) from None
    if data[at:].strip(b"\0"):
        raise _refused(f"{len(data) - at} bytes behind the gzip's end are no gzip", name)
    yield name.removesuffix(".gz"), b"".join(chunks)


def _inflated(data: bytes, at: int, name: str, budget: _Budget, chunks: list[bytes]) -> int:
    """Unpacks the gzip member that begins at `at` into `chunks`; gives the place behind it."""
    stream = zlib.decompressobj(wbits=31)
    while not stream.eof:
        piece = stream.unconsumed_tail
        if not piece:
            piece = data[at : at + _PIECE]
            at += len(piece)
        chunk = stream.decompress(piece, _CHUNK)
        if not piece and not chunk and not stream.eof:
            raise _refused("the gzip is cut off", name)
        budget.take(len(chunk), name)
        chunks.append(chunk)
    return at - len(stream.unused_data)


def _refused(reason: str, name: str) -> DataProcessingError:
    return DataProcessingError(reason, "normalize", _context(name))


def _context(name: str) -> dict[str, str]:
    return {"field": "document", "value": name}
