"""How frames travel between the stages: Arrow IPC streams inside msgpack."""

from typing import Final

import msgspec
import polars as pl

from pipeline.arrow import from_stream, to_stream
from pipeline.errors import DataProcessingError

_ENCODER: Final = msgspec.msgpack.Encoder()


class _Part(msgspec.Struct, array_like=True, gc=False):
    """`alike`: a row of the columns that hold one value throughout; `varied`: the others; both Arrow IPC streams."""

    columns: list[str]
    alike: bytes
    varied: bytes


class _Frame(msgspec.Struct, array_like=True, gc=False):
    """Columns of one height, in parts."""

    height: int
    parts: list[_Part]


_FRAMES: Final = msgspec.msgpack.Decoder(_Frame)


def frame_to_bytes(frame: pl.DataFrame) -> bytes:
    """A frame as bytes; of the ticks of a document half of the columns are the same in every row."""
    return _ENCODER.encode(_Frame(frame.height, [_part(frame)]))


def with_columns(blob: bytes, more: pl.DataFrame) -> bytes:
    """A frame as bytes (`frame_to_bytes`) with further columns of as many rows; what it holds is not written again.

    Raises `DataProcessingError` for other bytes, or another number of rows.
    """
    packed = _decoded(blob)
    if packed.height != more.height:
        raise DataProcessingError(f"{more.height} rows beside {packed.height}", "enrich")
    return _ENCODER.encode(_Frame(packed.height, [*packed.parts, _part(more)]))


def frame_from_bytes(blob: bytes) -> pl.DataFrame:
    """What `frame_to_bytes` wrote. Raises `DataProcessingError` for other bytes."""
    packed = _decoded(blob)
    try:
        return pl.concat([_read_part(part, packed.height) for part in packed.parts], how="horizontal")
    except (pl.exceptions.PolarsError, OSError) as error:
        raise _no_frame(error) from None


def _decoded(blob: bytes) -> _Frame:
    try:
        return _FRAMES.decode(blob)
    except msgspec.MsgspecError as error:
        raise _no_frame(error) from None


def _no_frame(error: Exception) -> DataProcessingError:
    return DataProcessingError(f"a claim check holds no frame: {error}", "aggregate")


def _part(frame: pl.DataFrame) -> _Part:
    alike = [column.name for column in frame if _is_alike(column)]
    return _Part(frame.columns, to_stream(frame.select(alike).head(1)), to_stream(frame.drop(alike)))


def _read_part(part: _Part, height: int) -> pl.DataFrame:
    spread = [column.new_from_index(0, height) for column in from_stream(part.alike)]
    return pl.DataFrame([*from_stream(part.varied), *spread]).select(part.columns)


def _is_alike(column: pl.Series) -> bool:
    """Every value is the same, or none is there."""
    if not column.len() or column.null_count():
        return 0 < column.len() == column.null_count()
    return column[0] == column[-1] and bool((column == column[0]).all())
