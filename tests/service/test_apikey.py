"""Keys as texts: what secret scanners look for, keys that follow from a name, and two peppers."""

import re
import zlib
from pathlib import Path

from service import apikey
from service.apikey import Peppers

PAGE = Path(__file__).parents[2] / "docs" / "access.md"


def test_a_scanner_finds_keys_as_the_page_says() -> None:
    page = PAGE.read_text()
    (pattern,) = re.findall(r"^gt_live_\[.*$", page, re.MULTILINE)
    text = apikey.make().text()
    assert re.fullmatch(pattern, text)
    body, _, crc = text.rpartition("_")
    assert crc == f"{zlib.crc32(body.encode()):08x}"


def test_a_derived_key_is_the_same_again_and_no_other() -> None:
    key = apikey.derived("pepper", "a" * 12, "a name")
    assert apikey.parse(key.text()) == key == apikey.derived("pepper", "a" * 12, "a name")
    others = [("other", "a" * 12, "a name"), ("pepper", "b" * 12, "a name"), ("pepper", "a" * 12, "another")]
    assert len({apikey.derived(*each).secret for each in others} | {key.secret}) == 4


def test_a_digest_is_found_under_either_pepper_and_no_third() -> None:
    key, peppers = apikey.make(), Peppers("new", "old")
    assert peppers.under(key, key.digest("new")) == "new"
    assert peppers.under(key, key.digest("old")) == "old"
    assert peppers.under(key, key.digest("third")) is None
    assert peppers.under(key, None) is None
    assert Peppers("new").under(key, key.digest("")) is None
    assert Peppers("new").under(key, key.digest("old")) is None


def test_peppers_are_told_apart_and_not_shown() -> None:
    assert apikey.fingerprint("new") != apikey.fingerprint("old")
    assert "secret" not in repr(Peppers("secret one", "secret two"))
