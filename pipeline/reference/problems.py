"""What is wrong with a row of reference data."""

from typing import NamedTuple


class Problem(NamedTuple):
    """`line` of the file from 1 (0: the file as a whole), the column, its value, and what mends it."""

    line: int
    column: str
    value: str
    problem: str

    def __str__(self) -> str:
        where = f"line {self.line}, " if self.line else ""
        value = f"{self.value!r} " if self.value else ""
        return f"{where}{self.column}: {value}{self.problem}"
