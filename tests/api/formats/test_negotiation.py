import pytest

from api.formats.media import FormatName
from api.formats.negotiation import negotiated
from api.problems import Problem

_BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8"


@pytest.mark.parametrize(
    ("accept", "expected"),
    [
        (None, "json"), ("", "json"), (" , ", "json"), ("*/*", "json"), (_BROWSER, "json"), ("text/html", "json"),
        ("application/json", "json"), ("Application/JSON; charset=utf-8", "json"), ("application/*", "json"),
        ("application/x-ndjson", "ndjson"), ("application/ndjson", "ndjson"), ("text/csv", "csv"),
        ("text/csv; header=present", "csv"), ("text/*", "csv"), ("application/vnd.apache.parquet", "parquet"),
        ("application/vnd.apache.arrow.stream", "arrow"), ("text/csv, */*", "csv"), ("*/*, text/csv", "csv"),
        ("text/csv;q=0.5, application/json", "json"), ("text/csv, application/json;q=0.5", "csv"),
        ("text/csv, application/json", "json"), ("text/csv;q=0.9, */*;q=0.1", "csv"),
        ("application/json;q=0, */*", "ndjson"), ("application/json;q=0, application/*;q=0.3", "ndjson"),
        ("image/png, text/csv;q=0.001", "csv"), ("text/csv;q=1.000", "csv"), ("text/html, text/csv;q=0.9", "json"),
        ("text/csv;q=2, application/x-ndjson;q=0.1", "ndjson"), ("text/csv;q=abc, */*;q=0.1", "json"),
    ],
)  # fmt: skip
def test_the_format_that_is_liked_best_is_taken(accept: str | None, expected: FormatName) -> None:
    assert negotiated(accept, None) == expected


def test_the_name_of_a_format_wins() -> None:
    assert negotiated("text/csv", "parquet") == "parquet"
    assert negotiated("image/png", "json") == "json"


@pytest.mark.parametrize("accept", ["image/png", "application/xml, text/plain", "*/*;q=0", "application/json;q=0"])
def test_an_accept_without_a_format_of_ours_is_refused_with_all_of_them(accept: str) -> None:
    with pytest.raises(Problem, match="application/json, application/x-ndjson, text/csv, application/vnd") as raised:
        negotiated(accept, None)
    assert (raised.value.status, raised.value.kind) == (406, "not-acceptable")
