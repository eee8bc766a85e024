"""`motiflens serve` as a process: it starts, answers, stands a crowd, and stops; its mistakes."""

from __future__ import annotations

import http.client
import json
import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest

from command import motiflens
from served_run import make_served_run
from toy_models import planted

SEQUENCE = planted().sequences()[0]


@pytest.fixture(scope="module")
def run_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("process")
    return make_served_run(folder / "run", models=("cnn",), seeds=1)


@contextmanager
def serving(run_dir: Path) -> Iterator[tuple[subprocess.Popen[str], int, str]]:
    """Start the command, and give the process, its port and its token."""
    command = [sys.executable, "-m", "motiflens", "serve", str(run_dir), "--port", "0"]
    process = subprocess.Popen(
        [*command, "--no-browser", "--threads", "1", "--json"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        assert line, process.stderr.read() if process.stderr else ""
        address = json.loads(line)["address"]
        found = re.fullmatch(r"http://127\.0\.0\.1:(\d+)/\?token=([\w-]{32})", address)
        assert found, address
        yield process, int(found[1]), found[2]
    finally:
        if process.poll() is None:
            process.kill()
        process.communicate()


def ask(port: int, token: str, path: str = "/api/view", **body: object) -> tuple[int, dict]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    headers = {"authorization": f"Bearer {token}", "content-type": "application/json"}
    connection.request("POST", path, json.dumps(body), headers)
    reply = connection.getresponse()
    content = reply.read()
    connection.close()
    return reply.status, json.loads(content)


def test_it_starts_answers_stands_a_crowd_and_stops(run_dir: Path) -> None:
    asked = {"model": "cnn", "sequence": SEQUENCE}
    with serving(run_dir) as (process, port, token):
        status, found = ask(port, token, **asked)
        assert status == 200
        assert ask(port, "other", **asked)[0] == 401
        long = {"model": "cnn", "sequence": SEQUENCE * 40, "letters": "GATTACCA"}

        def client(number: int) -> int:
            path, body = ("/api/sweep", long) if number % 2 else ("/api/view", asked)
            return ask(port, token, path, **body)[0]

        with ThreadPoolExecutor(50) as crowd:
            statuses = set(crowd.map(client, range(100)))
        assert {200} < statuses <= {200, 429, 503}
        again = ask(port, token, **asked)
        assert again == (200, found)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=20)
    assert process.returncode == 0
    assert out == ""
    assert re.fullmatch(r"serve: http://\S+\nserve: stop it with Ctrl-C\nserve: stopped\n", err), (
        err
    )


def test_a_port_that_is_taken_is_told(run_dir: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        done = motiflens("serve", run_dir, "--port", port, "--no-browser")
    assert done.returncode == 2
    assert done.stderr == (
        f"motiflens: --port {port} is in use; use another, or --port 0 for any free one\n"
    )


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["nothing"], "nothing does not exist"),
        (["run", "nothing"], "nothing does not exist"),
        (["run", "--port", "70000"], "--port 70000 is no port"),
        (["run", "--host", "203.0.113.7"], "--host 203.0.113.7 is no address of this machine"),
        (["run", "--threads", "0"], "--threads 0 are none"),
        (["run", "--port", "0", "--device", "abacus"], "--device abacus"),
        ([], "RUN is missing"),
    ],
)
def test_mistakes_are_told_in_a_line(run_dir: Path, options: list[str], words: str) -> None:
    done = motiflens("serve", *options, "--no-browser", cwd=run_dir.parent)
    assert done.returncode == 2
    assert words in done.stderr
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize("module", ["fastapi", "uvicorn"])
def test_without_the_extra_it_says_what_to_install(run_dir: Path, module: str) -> None:
    code = f"import sys; sys.modules[{module!r}] = None; from motiflens.cli import main; main()"
    done = subprocess.run(
        [sys.executable, "-c", code, "serve", str(run_dir)],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHONWARNINGS": "ignore"},
    )
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert f"there is no module {module}; pip install 'motiflens[app]'" in done.stderr
