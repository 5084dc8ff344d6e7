"""The formats of lists: their names, media types, and what their files are called."""

from collections.abc import Mapping
from typing import Final, Literal, NamedTuple

FormatName = Literal["json", "ndjson", "csv", "parquet", "arrow"]


class Medium(NamedTuple):
    """`types`: the media types that ask for it, the first one is that of its answers; `suffix` of its files."""

    types: tuple[str, ...]
    suffix: str
    parameters: str = ""

    @property
    def content_type(self) -> str:
        return self.types[0] + self.parameters


# In the order of preference where a caller has none.
MEDIA: Final[Mapping[FormatName, Medium]] = {
    "json": Medium(("application/json",), "json"),
    "ndjson": Medium(("application/x-ndjson", "application/ndjson", "application/jsonl"), "ndjson"),
    "csv": Medium(("text/csv",), "csv", "; charset=utf-8; header=present"),
    "parquet": Medium(("application/vnd.apache.parquet",), "parquet"),
    "arrow": Medium(("application/vnd.apache.arrow.stream",), "arrows"),
}
PAGE: Final = "text/html"  # what browsers ask for: they are shown JSON
VARY: Final = "Accept, Accept-Encoding, Authorization, X-API-Key"
