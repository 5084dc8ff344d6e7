import platform
import subprocess
import sys

import pytest

_AGAIN = """
import resource, sys
from workers import memory
if "keep" in sys.argv:
    memory.keep()
for _ in range(2):
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    block = b"x" * 100_000_000
    faults = resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before
    del block
print(faults)
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="mallopt is glibc's")
def test_a_block_that_was_used_is_used_again() -> None:
    given_back, kept = (
        int(subprocess.run([sys.executable, "-c", _AGAIN, word], capture_output=True, check=True).stdout)
        for word in ("", "keep")
    )
    assert given_back > 20_000  # pages
    assert kept < 1_000
