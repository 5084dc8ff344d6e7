"""The servers alone, for tests and for work on Gridtick itself.

python -m local servers --data-dir D [--detach]   start them; prints the DATA_PROC_* that reach them
python -m local env --data-dir D                  print them again
python -m local stop --data-dir D                 stop what runs on that folder
"""

import argparse
import shlex
import signal
import sys
import time
from pathlib import Path
from typing import Final

from local import state
from local.background import detach
from local.stack import servers
from pipeline.errors import DataProcessingError

_LOOK: Final = 0.2


def _say(line: str) -> None:
    sys.stderr.write(line + "\n")


def exports(variables: dict[str, str]) -> str:
    """Shell lines that set the variables."""
    return "".join(f"export {name}={shlex.quote(value)}\n" for name, value in sorted(variables.items()))


def _run_servers(data_dir: Path) -> None:
    signal.signal(signal.SIGTERM, lambda _signal, _frame: sys.exit(0))
    with servers(data_dir, say=_say) as stack:
        stack.publish()
        sys.stdout.write(exports(dict(stack.environ)))
        sys.stdout.flush()
        while True:
            if stack.supervisor.look():
                stack.publish()
            time.sleep(_LOOK)


def _running(data_dir: Path) -> state.StackState:
    running = state.read(data_dir)
    if running is None:
        raise DataProcessingError(f"No stack runs on {data_dir}. Start one with `gridtick up`.", "local")
    return running


def main() -> int:
    """1 with a sentence when it cannot be done."""
    options = argparse.ArgumentParser(prog="python -m local")
    options.add_argument("what", choices=["servers", "env", "stop"])
    options.add_argument("--data-dir", type=Path, default=Path(".gridtick"))
    options.add_argument("--detach", action="store_true")
    given = options.parse_args()
    data_dir: Path = given.data_dir.expanduser().absolute()
    try:
        if given.what == "stop":
            state.stop(_running(data_dir))
        elif given.what == "env":
            sys.stdout.write(exports(_running(data_dir).variables()))
        elif given.detach:
            command = [sys.executable, "-m", "local", "servers", "--data-dir", str(data_dir)]
            sys.stdout.write(exports(detach(command, data_dir, data_dir / "logs" / "servers.log").variables()))
        else:
            _run_servers(data_dir)
    except DataProcessingError as error:
        _say(str(error))
        return 1
    except KeyboardInterrupt:
        pass
    return 0


if __name__ == "__main__":
    sys.exit(main())
