"""A folder that cannot be used is said before anything is started in it."""

from pathlib import Path

import pytest

from local.background import detach
from pipeline.errors import DataProcessingError

NEVER = ["false"]


def test_a_file_is_no_data_folder(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.touch()
    for folder in (file, file / "below"):
        with pytest.raises(DataProcessingError, match="cannot be used: Not a directory"):
            detach(NEVER, folder, folder / "logs" / "up.log")


def test_a_log_that_is_a_folder_is_refused(tmp_path: Path) -> None:
    log = tmp_path / "logs" / "up.log"
    log.mkdir(parents=True)
    with pytest.raises(DataProcessingError, match="cannot be used: Is a directory"):
        detach(NEVER, tmp_path, log)
