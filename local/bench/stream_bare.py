"""`python -m local.bench.stream_bare`: a bare `websockets` broadcast, which `gridtick bench stream` measures beside.

Arguments: port, clients that it waits for, and a file with the text of one frame. Once all are there it writes a line;
for a number on its standard input it sends so many frames to all of them.
"""

import asyncio
import sys
from pathlib import Path

import uvloop
from websockets.asyncio.server import ServerConnection, broadcast, serve


async def run(port: int, clients: int, text: str) -> None:
    """Until its standard input ends."""
    here, all_here = set[ServerConnection](), asyncio.Event()

    async def hold(connection: ServerConnection) -> None:
        here.add(connection)
        if len(here) == clients:
            all_here.set()
        await connection.wait_closed()

    async with serve(hold, "127.0.0.1", port, compression=None, max_queue=None):
        print("listening", flush=True)  # noqa: T201  the parent waits for it
        await all_here.wait()
        loop = asyncio.get_running_loop()
        while line := await loop.run_in_executor(None, sys.stdin.readline):
            for _ in range(int(line)):
                broadcast(here, text)
                await asyncio.sleep(0)  # what the system takes leaves now


def main() -> None:
    port, clients, file = sys.argv[1:]
    uvloop.run(run(int(port), int(clients), Path(file).read_text()))


if __name__ == "__main__":
    main()
