"""Ports on 127.0.0.1, remembered for each data folder so that addresses stay what they were."""

import json
import random
import socket
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from local.claims import claim

# Below the range that the system hands to outgoing connections: none of those takes a remembered port.
_RANGE: Final = (20_000, 32_000)
_TRIES: Final = 500


def is_free(port: int, host: str = "127.0.0.1") -> bool:
    """Whether a server could listen there now."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
        return True


def choose(data_dir: Path, wanted: Mapping[str, int | None]) -> dict[str, int]:
    """A free port for each name: the remembered one, else the wanted one, else any. All differ.

    They are claimed for this folder until the process ends: stacks that start at once choose different ones.
    """
    path = data_dir / "ports.json"
    remembered: dict[str, int] = json.loads(path.read_text()) if path.exists() else {}
    chosen: dict[str, int] = {}
    for name, preferred in wanted.items():
        taken = set(chosen.values()) | {p for n, p in remembered.items() if n != name}
        first = [p for p in (remembered.get(name), preferred) if p is not None and p not in chosen.values()]
        chosen[name] = next((p for p in first if is_free(p) and claim(p, data_dir)), None) or _any_free(data_dir, taken)
    path.write_text(json.dumps(remembered | chosen, indent=1))
    return chosen


def _any_free(data_dir: Path, taken: set[int]) -> int:
    for _ in range(_TRIES):
        port = random.randint(*_RANGE)  # noqa: S311  no secret: a port
        if port not in taken and is_free(port) and claim(port, data_dir):
            return port
    raise OSError(f"no free port between {_RANGE[0]} and {_RANGE[1]} on 127.0.0.1")
