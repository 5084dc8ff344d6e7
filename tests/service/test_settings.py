from pathlib import Path

import pytest

from pipeline.errors import DataProcessingError
from service.settings import described, load


@pytest.mark.parametrize(
    "address",
    ["127.0.0.1:8123", "tcp://127.0.0.1:9000", "http://", "http://me:hunter/two@h:1", "http://me:hunter@h:x", "http://h:0"],
)  # fmt: skip
def test_a_wrong_address_of_clickhouse_is_refused_without_being_shown(address: str) -> None:
    with pytest.raises(
        DataProcessingError, match=r"DATA_PROC_CLICKHOUSE_URL=\(hidden\).*http://user:password"
    ) as caught:
        load({"DATA_PROC_CLICKHOUSE_URL": address})
    assert "hunter" not in str(caught.value)


@pytest.mark.parametrize("address", ["http://h", "https://h:8443", "http://me:hunter%2Ftwo@127.0.0.1:8123"])
def test_an_address_with_a_password_is_read_and_not_shown(address: str) -> None:
    settings = load({"DATA_PROC_CLICKHOUSE_URL": address})
    assert settings.clickhouse.url.get_secret_value() == address
    assert "hunter" not in repr(settings)


def test_the_list_of_settings_shows_no_address_that_may_hold_a_password() -> None:
    shown = {name: default for name, default, _ in described()}
    assert set(shown["DATA_PROC_CLICKHOUSE_URL"]) == {"*"}


def test_the_user_for_reads_is_there_where_its_address_is(tmp_path: Path) -> None:
    name = "DATA_PROC_CLICKHOUSE_READ_URL"
    assert not load({}).clickhouse.has_reader
    assert not load({name: ""}).clickhouse.has_reader
    file = tmp_path / "url"
    file.write_text("http://reader:hunter@h:8123\n")
    settings = load({f"{name}_FILE": str(file)})
    assert settings.clickhouse.has_reader
    assert "hunter" not in repr(settings)
    with pytest.raises(DataProcessingError, match=rf"{name}=\(hidden\).*http://user:password"):
        load({name: "reader:hunter@h:8123"})


@pytest.mark.parametrize(
    "text", ["ercot", "ercot@2022-02-30=0..1", "ercot@2022-01-01=5..1", "@2022-01-01=0..1", "1..2"]
)
def test_bands_that_cannot_be_read_stop_the_start(text: str) -> None:
    with pytest.raises(DataProcessingError, match=r"DATA_PROC_QUALITY_BANDS=.*ercot@2022-01-01=-251\.\.5000"):
        load({"DATA_PROC_QUALITY_BANDS": text})


def test_a_secret_may_be_in_a_file(tmp_path: Path) -> None:
    file = tmp_path / "pepper"
    file.write_text("a long random text\n")
    settings = load({"DATA_PROC_API_KEY_PEPPER_FILE": str(file)})
    assert settings.api.key_pepper.get_secret_value() == "a long random text"


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"DATA_PROC_API_KEY_PEPPER_FILE": "/nowhere"}, "KEY_PEPPER_FILE=/nowhere cannot be read"),
        ({"DATA_PROC_API_KEY_PEPPER_FILE": "/x", "DATA_PROC_API_KEY_PEPPER": "y"}, "are both set"),
        ({"DATA_PROC_API_HOST_FILE": "/x"}, "DATA_PROC_API_HOST_FILE is not a setting"),
        ({"DATA_PROC_API_TLS_KEY": "/x"}, r"DATA_PROC_API_TLS_KEY=/x .*together"),
        ({"DATA_PROC_API_TLS_CERTIFICATE": "/x"}, r"DATA_PROC_API_TLS_KEY= .*together"),
        ({"DATA_PROC_API_CORS_ORIGINS": "https://a,desk.example.com"}, "desk.example.com is no origin"),
        ({"DATA_PROC_API_CORS_ORIGINS": "*"}, "is no origin"),
    ],
)
def test_what_cannot_be_used_stops_the_start(given: dict[str, str], says: str) -> None:
    with pytest.raises(DataProcessingError, match=says):
        load(given)
