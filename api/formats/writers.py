"""What writes the rows of a list, in each format but JSON."""

from typing import Protocol

import polars as pl

from api.formats.columns import Arrow, Parquet
from api.formats.media import FormatName
from api.formats.text import Csv, Ndjson


class Writer(Protocol):
    """Every call gives the next bytes. The first frame tells the columns, and may have no rows."""

    def write(self, rows: pl.DataFrame) -> bytes: ...

    def finish(self) -> bytes: ...


def writer(name: FormatName, *, decimals_as_text: bool) -> Writer:
    """A new writer; `decimals_as_text` matters to NDJSON alone: the others keep every digit anyway."""
    match name:
        case "csv":
            return Csv()
        case "parquet":
            return Parquet()
        case "arrow":
            return Arrow()
        case "ndjson" | "json":
            return Ndjson(decimals_as_text=decimals_as_text)


def whole(name: FormatName, rows: pl.DataFrame, *, decimals_as_text: bool) -> bytes:
    """All rows at once."""
    made = writer(name, decimals_as_text=decimals_as_text)
    return made.write(rows) + made.finish()
