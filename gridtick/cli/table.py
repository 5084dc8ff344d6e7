"""Tables of text."""

from collections.abc import Iterable, Mapping, Sequence
from typing import TextIO

from rich.console import Console, JustifyMethod
from rich.table import Table
from rich.text import Text


def draw(out: TextIO, columns: Mapping[str, JustifyMethod], rows: Iterable[Sequence[str]]) -> None:
    """Draws the rows; every cell is shown as it is, also one that looks like markup."""
    table = Table(box=None, header_style="bold")
    for name, justify in columns.items():
        table.add_column(name, justify=justify, overflow="fold")
    for row in rows:
        table.add_row(*map(Text, row))
    width = None if out.isatty() else 1_000  # a file takes lines of any length
    Console(file=out, width=width, markup=False, emoji=False, highlight=False).print(table)
