"""Whether an unpacked workbook stays within bounds when it is read: a few bytes of XML can stand for a very large one.

A reader holds the whole rectangle around a sheet's cells, however far they lie apart, and copies a shared text into
every cell that shows it. What is written in an odd way is counted as the worst that it may be.
"""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from operator import mul
from typing import Final

from pipeline.errors import DataProcessingError
from pipeline.rejects import SHOWN

MOST_COLUMNS: Final = 1_000
MOST_CELLS: Final = 10_000_000  # of a sheet, empty ones among them
_NEAR: Final = MOST_CELLS // MOST_COLUMNS - 1  # lines that need no count
_LETTERS: Final = 26
_LONGEST: Final = 20  # digits of a line's number that are read

_SHEET: Final = b"sheetData"
_USUAL: Final = b'<c r="'  # begins a cell with its address
_ODD: Final = re.compile(rb"<c[>/\t\r\n]|:c[ >/\t\r\n]")
_CELL: Final = re.compile(rb"[<:]c[\s>/]")
_USUAL_COLUMN: Final = re.compile(rb'<c r="([A-Za-z]+)[0-9]')
_USUAL_LINE: Final = re.compile(rb'<c r="[A-Za-z]+([0-9]{5,})')
_COLUMN: Final = re.compile(rb"""r\s*=\s*["']([A-Za-z]+)[0-9]""")
_LINE: Final = re.compile(rb"""r\s*=\s*["'][A-Za-z]*([0-9]{5,})""")
_LINE_END: Final = re.compile(rb"row\s*>")
_SHARED: Final = (b'"s"', b"'s'")  # the type of a cell that shows a shared text
_INDEX: Final = re.compile(rb"""t\s*=\s*["']s["'][^<>]*>\s*<[^<>]*>\s*([0-9]{1,9})\s*</""")
_MAY_END: Final = re.compile(rb"si\s*>")
_TEXT_END: Final = re.compile(rb"</(?:[^<>]*:)?si\s*>")


def check(parts: Iterable[bytes], name: str, limit: int) -> None:
    """Raises `DataProcessingError` where a sheet of these unpacked parts is too large, or where the texts that its
    cells show have more than `limit` bytes."""
    held = list(parts)
    sheets = [part for part in held if _SHEET in part]
    for sheet in sheets:
        columns, lines = _extent(sheet)
        if columns > MOST_COLUMNS or columns * lines > MOST_CELLS:
            most = f"more than {MOST_COLUMNS} columns or {MOST_CELLS} cells"
            raise _refused(f"a sheet has {columns} columns and {lines} lines, {most}: send it in parts", name)
    if _repeated(sheets, [size for part in held for size in _texts(part)], limit) > limit:
        raise _refused(f"the workbook unpacks beyond {limit} bytes: send it in parts", name)


def _extent(sheet: bytes) -> tuple[int, int]:
    """(columns, lines) at most. A cell without an address stands behind the one before it."""
    cells = sheet.count(_USUAL)
    if cells == sheet.count(b"<c ") and not _ODD.search(sheet):
        return _farthest(_USUAL_COLUMN.findall(sheet)), _last(_USUAL_LINE.findall(sheet))
    rows = _LINE_END.split(sheet)
    columns = _farthest(_COLUMN.findall(sheet)) + max(len(_CELL.findall(row)) for row in rows)
    return columns, _last(_LINE.findall(sheet)) + len(rows)


def _last(lines: Sequence[bytes]) -> int:
    return max((int(line[:_LONGEST]) for line in set(lines)), default=_NEAR)


def _farthest(columns: Sequence[bytes]) -> int:
    return max((_column(letters) for letters in set(columns)), default=0)


def _column(letters: bytes) -> int:
    """Of a cell's address: A is 1, XFD is 16384."""
    number = 0
    for letter in letters.upper()[:5]:
        number = number * _LETTERS + letter - ord("A") + 1
    return number


def _texts(part: bytes) -> list[int]:
    """Bytes that each shared text of a part has at most; all as one where an end may be none, as in a comment."""
    if _MAY_END.search(part) is None:
        return []
    if b"<!" in part or part.count(b"<?") > 1:
        return [len(part)]
    return [len(text) for text in _TEXT_END.split(part)]


def _repeated(sheets: Sequence[bytes], texts: Sequence[int], limit: int) -> int:
    """Bytes of the shared texts, each as often as it is shown: at most. Which text a cell shows is looked at only where
    the longest one in all of them would be too much; and the longest is then taken for the one most often shown."""
    shown = sum(sheet.count(kind) for sheet in sheets for kind in _SHARED)
    longest = max(texts, default=0)
    if shown * longest <= limit:
        return shown * longest
    read = [int(index) for sheet in sheets for index in _INDEX.findall(sheet)]
    often = sorted(Counter(read).values(), reverse=True)
    return (shown - len(read)) * longest + sum(map(mul, often, sorted(texts, reverse=True)))


def _refused(reason: str, name: str) -> DataProcessingError:
    return DataProcessingError(reason, "normalize", {"field": "document", "value": name[:SHOWN]})
