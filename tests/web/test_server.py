"""The server: where it may listen, a process that answers and stops gracefully, its description."""

from __future__ import annotations

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from tests.web.conftest import Client

from chainrule.cli.main import run
from chainrule.model import Model
from chainrule.web.prediction.app import application
from chainrule.web.server import address, listening

LOCAL = {"headers": {"host": "127.0.0.1"}}
EXAMPLES = int(os.environ.get("CHAINRULE_REQUESTS", "20"))


def test_a_process_answers_and_stops_when_told(saved: Path) -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "chainrule", "serve", str(saved), "--port", "0"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    where = process.stdout.readline().strip().removeprefix("http://")
    connection = http.client.HTTPConnection(where, timeout=30)
    row = {"kg": 1, "port": "a", "size": None, "note": None, "paid": None}
    body = json.dumps({"rows": [row]})
    connection.request("POST", "/predict", body, {"Content-Type": "application/json"})
    answer = connection.getresponse()
    assert answer.status == 200
    assert json.loads(answer.read())["predictions"][0]["late"]["value"] in ("y", "n")
    connection.close()
    process.send_signal(signal.SIGTERM)
    _, said = process.communicate(timeout=30)
    assert process.returncode == 0, said
    assert said.splitlines()[0].startswith("Serving <Model: classification of late")
    assert said.splitlines()[-1] == "stopped"


def test_where_it_may_listen(saved: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["serve", str(saved), "--host", "0.0.0.0"]) == 2
    assert "others can reach 0.0.0.0, so requests must bring a token" in capsys.readouterr().err
    with listening("127.0.0.1", 0, None) as taken:
        port = address(taken).rpartition(":")[2]
        assert run(["serve", str(saved), "--port", port]) == 2
    error = capsys.readouterr().err
    assert f"cannot listen on 127.0.0.1, port {port}" in error
    assert run(["serve", "nowhere"]) == 5
    with listening("0.0.0.0", 0, "secret") as open_to_all:
        assert address(open_to_all).startswith("http://0.0.0.0:")


def test_small_answers_are_not_held_back() -> None:
    with listening("127.0.0.1", 0, None) as bound, socket.create_connection(bound.getsockname()):
        accepted, _ = bound.accept()
        with accepted:
            assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)


def test_the_missing_extra_names_its_command(saved: Path) -> None:
    code = "import sys; sys.modules['starlette'] = None; from chainrule.cli.main import run; "
    code += f"print(run(['serve', {str(saved)!r}]))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout == "3\n"
    assert "needs starlette" in done.stderr
    assert "pip install 'chainrule[web]'" in done.stderr


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize("mode", ["POSITIVE", "NEGATIVE"])
def test_the_description_is_kept_to(model: Model, mode: str) -> None:
    """Requests drawn from the service's own description: such as fit it, and such as do not."""
    schemathesis = pytest.importorskip("schemathesis")
    described = schemathesis.openapi.from_asgi("/openapi.json", application(model), **LOCAL)
    acceptance = schemathesis.checks.positive_data_acceptance
    for operation in (found.ok() for found in described.get_all_operations()):
        if mode == "NEGATIVE" and operation.method != "post":
            continue  # there is nothing in it that could be wrong
        cases = operation.as_strategy(generation_mode=schemathesis.GenerationMode[mode])

        @settings(
            max_examples=EXAMPLES if operation.method == "post" else 2,
            deadline=None,
            derandomize=True,
            database=None,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        @given(case=cases)
        def check(case: Any) -> None:
            csv = case.media_type == "text/csv"  # which no schema can describe
            excluded = [acceptance] if csv else []
            case.call_and_validate(**LOCAL, excluded_checks=excluded, timeout=60)

        check()


def test_operations_are_all_described(model: Model) -> None:
    described = Client(application(model)).ask("GET", "/openapi.json").json()
    paths = {"/predict", "/schema", "/health", "/metrics", "/openapi.json"}
    assert set(described["paths"]) == paths
