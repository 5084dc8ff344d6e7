import csv
import io
import json
import zipfile
from pathlib import Path

import polars as pl
import typer
from typer.testing import CliRunner, Result

from gridtick.cli import parse
from pipeline.shown import FIELDS
from tests.pipeline.making import interval, oasis


def run(*arguments: str, stdin: bytes = b"") -> Result:
    app = typer.Typer()
    app.callback()(lambda: None)
    parse.register(app)
    return CliRunner().invoke(app, ["parse", *arguments], input=stdin)


GOOD = oasis(*interval(), *interval(5, LMP="-3.10"))


def test_a_document_from_standard_input() -> None:
    result = run("-", stdin=GOOD)
    assert result.exit_code == 0
    lines = [json.loads(line) for line in result.stdout.splitlines()]
    assert [(line["price"], line["flags"], line["known_at"]) for line in lines] == [
        (31.5, ["VALID"], None), (-3.1, ["VALID", "PRICE_NEGATIVE"], None),
    ]  # fmt: skip


def test_a_zip_with_a_broken_row_and_every_format(tmp_path: Path) -> None:
    packed = tmp_path / "a.zip"
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("doc.csv", oasis(*interval(), "broken", *interval(5)))
    for form in ("ndjson", "csv", "parquet", "table"):
        result = run(str(packed), "--format", form)
        assert result.exit_code == 1
        assert result.stderr == f"{packed}(doc.csv):6: the row holds 1 of 16 fields\n"
        assert _rows(result.stdout_bytes, form) == 2


def _rows(output: bytes, form: str) -> int:
    if form == "parquet":
        frame = pl.read_parquet(io.BytesIO(output))
        assert tuple(frame.columns) == FIELDS
        return frame.height
    text = output.decode()
    if form == "csv":
        assert next(csv.reader(io.StringIO(text))) == list(FIELDS)
    return len(text.splitlines()) - (form != "ndjson")


def test_refusals_do_not_hide_the_other_files(tmp_path: Path) -> None:
    good, bad = tmp_path / "good.csv", tmp_path / "bad.csv"
    good.write_bytes(GOOD)
    bad.write_bytes(b"a,b\n1,2\n")
    result = run(str(bad), str(tmp_path / "absent.csv"), str(good))
    assert result.exit_code == 2
    assert len(result.stdout.splitlines()) == 2
    assert "name the market" in result.stderr
    assert "absent.csv: refused: cannot be opened" in result.stderr


def test_a_second_document_shows_its_revision(tmp_path: Path) -> None:
    first, second = tmp_path / "1.csv", tmp_path / "2.csv"
    first.write_bytes(oasis(*interval()))
    second.write_bytes(oasis(*interval(LMP="40")))
    lines = [json.loads(line) for line in run(str(first), str(second)).stdout.splitlines()]
    assert [(line["price"], line["revision"]) for line in lines] == [(31.5, 0), (40, 1)]
