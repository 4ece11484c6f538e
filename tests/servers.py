"""`make servers`: the adapters' tests against two real Milvus servers from PyPI, each in an environment of its own.

Milvus Lite 2.5.1 is Milvus's C++ core with BM25, served on a port; milvus 2.3.5 is the standalone server. Both run on
the loopback interface with their data in a temporary folder, and end with the tests.
"""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import sys
import tempfile
import time
import venv
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TESTS = ("tests/langchain/test_server.py", "tests/llamaindex/test_server.py")
STARTING = 120.0  # seconds


@dataclass(frozen=True)
class Server:
    """A package, how its server starts, and which tests it can pass."""

    package: str
    also: tuple[str, ...]
    command: Callable[[Path, Path, int], list[str]]
    bm25: bool
    tests: tuple[str, ...]


def lite(environment: Path, data: Path, port: int) -> list[str]:
    """The binary inside Milvus Lite's wheel takes its file and the address to listen on."""
    (binary,) = environment.glob("lib/python*/site-packages/milvus_lite/lib/milvus")
    return [str(binary), str(data / "lite.db"), f"127.0.0.1:{port}", "ERROR"]


def standalone(environment: Path, data: Path, port: int) -> list[str]:
    """The command of the milvus package."""
    return [str(environment / "bin" / "milvus-server"), "--data", str(data), "--proxy-port", str(port)]


SERVERS = (
    Server("milvus-lite==2.5.1", (), lite, True, TESTS),
    Server("milvus==2.3.5", ("setuptools<81",), standalone, False, TESTS[:1]),
)


def main() -> int:
    """Run the tests against every server; returns the number of servers that failed them."""
    failed = 0
    for server in SERVERS:
        with tempfile.TemporaryDirectory() as folder:
            environment = made(Path(folder) / "env", server)
            with running(server, environment, Path(folder)) as url:
                print(f"{server.package} on {url}", flush=True)
                env = {**os.environ, "ELANUS_MILVUS_URL": url, "ELANUS_MILVUS_BM25": str(int(server.bm25))}
                command = [sys.executable, "-m", "pytest", *server.tests, *sys.argv[1:]]
                failed += subprocess.run(command, env=env, cwd=ROOT, timeout=900).returncode != 0
    return failed


def made(folder: Path, server: Server) -> Path:
    """An environment with the server in it."""
    venv.create(folder, with_pip=True)
    install = [str(folder / "bin" / "python"), "-m", "pip", "install", "--quiet", server.package, *server.also]
    subprocess.run(install, check=True)
    return folder


@contextlib.contextmanager
def running(server: Server, environment: Path, folder: Path) -> Iterator[str]:
    """Start a server on a free port and end it, with whatever it started."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    data = folder / "data"
    data.mkdir()
    command = server.command(environment, data, port)
    libraries = {**os.environ, "LD_LIBRARY_PATH": str(Path(command[0]).parent)}
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log, env=libraries, cwd=data, start_new_session=True)
        try:
            wait_for(process, port)
            yield f"http://127.0.0.1:{port}"
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, 9)
            process.wait()


def wait_for(process: subprocess.Popen[bytes], port: int) -> None:
    """Return when somebody answers a client there, or raise after two minutes."""
    from pymilvus import MilvusClient

    until = time.monotonic() + STARTING
    while process.poll() is None and time.monotonic() < until:
        with contextlib.suppress(Exception):
            MilvusClient(f"http://127.0.0.1:{port}", timeout=5).list_collections(timeout=5)
            return
        time.sleep(0.5)
    raise TimeoutError(f"{process.args!r} did not answer within {STARTING:.0f} s")


if __name__ == "__main__":
    sys.exit(main())
