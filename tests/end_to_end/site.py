"""The whole product, started as a newcomer starts it: `./run`."""

import os
import re
import signal
import socket
import subprocess
import time
from pathlib import Path

import httpx2

ROOT = Path(__file__).resolve().parents[2]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Site:
    """A running `./run`; `stop()` presses Ctrl-C."""

    def __init__(
        self,
        var: Path,
        *arguments: str,
        first_page: str = "/sign-in/",
        **environment: str,
    ) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.env = {**os.environ, "FINETUNE_SITE_VAR": str(var)}
        # ./test may have pointed these elsewhere; a newcomer has none of them.
        for name in ("DATABASE_URL", "REDIS_URL", "DJANGO_SETTINGS_MODULE"):
            self.env.pop(name, None)
        self.env.update(environment)
        self.first_page = first_page
        self.var = var
        self.log = var / "run.log"
        var.mkdir(parents=True, exist_ok=True)
        self.started_at = time.monotonic()
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                ["./run", "--port", str(self.port), *arguments],
                cwd=ROOT,
                env=self.env,
                stdout=log,
                stderr=subprocess.STDOUT,
                stdin=subprocess.DEVNULL,
                start_new_session=True,
            )
        self.wait_until_ready()

    def wait_until_ready(self, seconds: float = 180) -> None:
        while time.monotonic() - self.started_at < seconds:
            try:
                if (
                    httpx2.get(f"{self.url}{self.first_page}", timeout=5).status_code
                    == 200
                ):
                    self.seconds_to_first_page = time.monotonic() - self.started_at
                    return
            except httpx2.TransportError:
                assert self.process.poll() is None, self.output()
            time.sleep(0.1)
        raise AssertionError(f"No page after {seconds} s:\n{self.output()}")

    def output(self) -> str:
        return self.log.read_text(errors="replace")

    @property
    def password(self) -> str:
        found = re.search(r"with the password\s+(\S+)", self.output())
        assert found, self.output()
        return found[1]

    def manage(self, *arguments: str, timeout: float = 600) -> str:
        """Run `./manage.py …` as in a second shell; returns what it printed."""
        done = subprocess.run(
            ["./manage.py", *arguments],
            cwd=ROOT,
            env=self.env,
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )
        assert done.returncode == 0, f"{arguments}\n{done.stdout}\n{done.stderr}"
        return done.stdout

    def processes(self) -> dict[str, int]:
        """Name → pid, as honcho announced them."""
        found = re.findall(r"(\w+)\.1 started \(pid=(\d+)\)", self.output())
        return {name: int(pid) for name, pid in found}

    def stop(self, seconds: float = 20) -> None:
        self.process.send_signal(signal.SIGINT)
        self.process.wait(timeout=seconds)
