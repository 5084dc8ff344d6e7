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


GOOD = oasis(*interval(), *interval(5, LMP="-3.10", MCE="-4.60"))


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


def group(*kinds: str) -> bytes:
    """A group report: one CSV for each kind of price component."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for kind in kinds:
            rows = [row for row in (*interval(), *interval(5, MCC="x")) if f",{kind}," in row]
            archive.writestr(f"PRC_LMP_{kind}.csv", oasis(*rows))
    return packed.getvalue()


def test_the_files_of_a_group_are_one_report() -> None:
    result = run("-", "--market", "CAISO", "--product", "RT_5min", stdin=group("MCC", "LMP", "MCE", "MCL"))
    assert result.exit_code == 1
    lines = [json.loads(line) for line in result.stdout.splitlines()]
    assert [[line[name] for name in ("price", "energy", "congestion", "loss")] for line in lines] == [
        [31.5, 30, 1.25, 0.25], [31.5, 30, None, 0.25],
    ]  # fmt: skip
    assert result.stderr == "-(PRC_LMP_MCC.csv):3: VALUE 'x' is not a finite decimal number\n"


def test_every_refused_member_is_told(tmp_path: Path) -> None:
    packed = tmp_path / "a.zip"
    with zipfile.ZipFile(packed, "w") as archive:
        for name, content in (("empty.csv", b""), ("good.csv", GOOD), ("other.csv", b"a,b\n1,2\n")):
            archive.writestr(name, content)
    result = run(str(packed))
    assert (result.exit_code, len(result.stdout.splitlines())) == (2, 2)
    assert f"{packed}(empty.csv): refused: the document is empty" in result.stderr
    assert f"{packed}(other.csv): refused: whose document" in result.stderr


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
