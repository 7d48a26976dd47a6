"""The page's answers: the runs as they are, nothing from outside their folder, nobody else."""

from __future__ import annotations

import contextlib
import json
import shutil
import socket
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.web.conftest import Client

from chainrule.errors import TrainingError
from chainrule.train import Run, Settings, train_table
from chainrule.train.keeping import kept_losses
from chainrule.train.live import found_by_now
from chainrule.web.page.app import STATIC, application
from chainrule.web.page.opened import opened

SECRET = "the secret beside the runs"


@pytest.fixture(scope="module")
def client(runs: Path) -> Client:
    (runs.parent / "secret.txt").write_text(SECRET)
    (runs.parent / "run.json").write_text(SECRET)
    return Client(application(runs))


def events(text: str) -> list[tuple[str, Any]]:
    """Server-sent events: name and data of each."""
    found = []
    for block in text.replace("\r", "").strip().split("\n\n"):
        fields = dict(line.split(": ", 1) for line in block.splitlines() if ": " in line)
        found.append((fields["event"], json.loads(fields["data"])))
    return found


@pytest.mark.parametrize("name", ["", "style.css", *STATIC])
def test_the_files_of_the_page(name: str, client: Client) -> None:
    answer = client.ask("GET", f"/{name}")
    assert answer.status_code == 200
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert "http://" not in answer.text.replace("http://www.w3.org/2000/svg", "")
    assert "https://" not in answer.text


def test_the_list_has_every_run(client: Client) -> None:
    found = client.ask("GET", "/api/runs").json()
    assert {run["name"] for run in found} == {"price run", "arms", "houses"}
    assert all(run["state"] == "done" and run["told"].startswith("On ") for run in found)


def test_a_run_and_its_pictures(runs: Path, client: Client) -> None:
    facts = client.ask("GET", "/api/runs/price%20run").json()
    assert facts["target"] == "charge"
    assert facts["settings"] == (runs / "price run" / "settings.toml").read_text()
    found = client.ask("GET", "/api/runs/price%20run/pictures").json()
    names = {part: {one["name"] for one in pictures} for part, pictures in found.items()}
    assert names["learned"] >= {"loss", "steps", "rate"}
    assert names["judged"] >= {"predicted", "residuals", "errors"}
    assert names["inside"] >= {"graph"}
    drawn = {path.stem for path in (runs / "price run" / "pictures").glob("*.svg")}
    assert sorted(drawn) == sorted(name for part in names.values() for name in part)


def test_an_opened_step_is_that_of_the_library(runs: Path, client: Client) -> None:
    run = Run(runs / "arms")
    shown = client.ask("GET", "/api/runs/arms/steps/5").json()
    assert shown == opened(run.step(5))
    line, layer = shown["rows"][2]["line"], shown["layers"][0]["name"]
    asked = client.ask("GET", f"/api/runs/arms/steps/5?line={line}&layer={layer}")
    assert asked.json() == opened(run.step(5, line, layer))


def test_what_the_losses_say_is_seen_at_once(runs: Path, client: Client, tmp_path: Path) -> None:
    """A training whose rate is far too large; a healthy one has nothing to be said of it."""
    assert client.ask("GET", "/api/runs/arms/seen").json() == []
    settings = {"data": "courier", "lr": 30.0, "optimizer": "sgd", "schedule": "constant"}
    with contextlib.suppress(TrainingError):
        more = {"epochs": 6, "layers": [4], "output": str(tmp_path / "wild")}
        train_table(Settings.model_validate({**settings, **more}))
    found = Client(application(tmp_path)).ask("GET", "/api/runs/wild/seen").json()
    run = Run(tmp_path / "wild")
    first = float(kept_losses(run.path)[0])
    expected = found_by_now(run.epochs(), first, warm=True) if run.epochs() else []
    assert [one["name"] for one in found] == [one.name for one in expected]


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/api/runs/none", 404),
        ("/api/runs/arms/steps/100000", 422),
        ("/api/runs/arms/steps/1?layer=none", 422),
        ("/api/compare?run=none", 404),
        ("/api/play?layers=0", 422),
        ("/api/play?activation=none", 422),
        ("/api/play?run=none", 404),
        ("/api/nothing", 404),
    ],
)
def test_what_cannot_be_is_refused_in_words(path: str, status: int, client: Client) -> None:
    answer = client.ask("GET", path)
    assert answer.status_code == status
    assert "Traceback" not in answer.text


def test_the_events_of_a_run_that_is_over(client: Client) -> None:
    (first, told), (last, state) = events(client.ask("GET", "/api/runs/arms/events").text)
    assert (first, last, state["state"]) == ("epoch", "over", "done")
    assert told["steps"] == state["steps"] == told["last"]["steps"]
    assert told["epochs"] == told["last"]["epoch"] == 3


def test_compared_runs_say_what_differs(runs: Path, client: Client) -> None:
    found = client.ask("GET", "/api/compare?run=arms&run=price%20run").json()
    assert found["settings"]["lr"] == {"arms": "0.02", "price run": "0.01"}
    assert "seed" not in found["settings"]
    accuracy = "accuracy: share of right answers"
    scores = Run(runs / "arms").summary().scores
    assert found["scores"]["arms"][accuracy] == f"{scores['accuracy']:.4f}"
    assert accuracy not in found["scores"]["price run"]
    assert "<svg" in found["picture"]["svg"]


@pytest.mark.parametrize(
    "path",
    [
        "/../secret.txt",
        "/..%2fsecret.txt",
        "/static/../../secret.txt",
        "/page.html/../../secret.txt",
        "/api/runs/..",
        "/api/runs/%2e%2e/pictures",
        "/api/runs/..%2f..%2fsecret.txt",
        "/api/runs/../steps/1",
        "/api/compare?run=..",
        "/api/play?run=..&x=a&y=b",
    ],
)
def test_no_path_leads_out_of_the_folder(path: str, client: Client) -> None:
    answer = client.ask("GET", path)
    assert answer.status_code in (404, 422)
    assert SECRET not in answer.text


@settings(max_examples=40, deadline=None)
@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=12))
def test_any_name_is_a_run_or_none(client: Client, name: str) -> None:
    if name not in ("arms", "price run", "houses"):
        answer = client.ask("GET", f"/api/runs/{quote(name, safe='')}")
        assert answer.status_code in (404, 307)
        assert SECRET not in answer.text


OUTSIDE = [
    "/../secret.txt",
    "/%2e%2e/secret.txt",
    "/%252e%252e%252fsecret.txt",
    "/..%5csecret.txt",
    "/....//secret.txt",
    "/./../secret.txt",
    "//secret.txt",
    "/secret.txt%00.css",
    "/page.css%00",
    "/api/runs/..%2fsecret.txt",
    "/api/runs/%2e%2e%2fsecret.txt/pictures",
    "/api/runs/..%00/steps/1",
    "/api/runs/arms%00",
    "/api/runs/arms%2f..%2f..%2fsecret.txt",
    "/api/runs/arms/../../../secret.txt",
    "/api/compare?run=%00&run=../secret.txt",
    "/api/play?run=../..&x=a&y=b",
]


def test_no_path_leads_out_as_it_is_sent(runs: Path, client: Client, address: str) -> None:
    """Over a connection of its own: nothing on the way tidies the path up."""
    absolute = str(runs.parent / "secret.txt")
    tried = [*OUTSIDE, absolute, f"/api/runs/{quote(absolute, safe='')}", f"file://{absolute}"]
    connection = HTTPConnection(address.removeprefix("http://").strip("/"), timeout=30)
    for path in tried:
        connection.request("GET", path)
        answer = connection.getresponse()
        text = answer.read().decode()
        assert (path, answer.status) in [(path, 404), (path, 422), (path, 400)]
        assert SECRET not in text
    connection.close()


def test_only_this_machine_reaches_it(address: str) -> None:
    port = int(address.strip("/").rpartition(":")[2])
    with socket.create_connection(("127.0.0.1", port)):
        pass
    with socket.socket() as other:  # another address of this machine: it does not listen on all
        other.settimeout(2)
        assert other.connect_ex(("127.0.0.2", port)) != 0


def test_the_browser_is_told_to_load_nothing_from_elsewhere(client: Client) -> None:
    for path in ("/", "/api/runs", "/api/nothing", "/main.js"):
        headers = client.ask("GET", path).headers
        policy = dict(
            part.strip().partition(" ")[::2]
            for part in headers["content-security-policy"].split(";")
        )
        assert policy["default-src"] == policy["base-uri"] == policy["form-action"] == "'none'"
        assert policy["script-src"] == policy["connect-src"] == "'self'"
        assert policy["frame-ancestors"] == "'none'"
        assert headers["x-content-type-options"] == "nosniff"


def test_links_that_lead_out_are_not_followed(runs: Path, tmp_path: Path) -> None:
    """A folder, or a picture, that is a link to somewhere else."""
    outside, inside = tmp_path / "outside", tmp_path / "inside"
    shutil.copytree(runs / "arms", outside / "arms")
    shutil.copytree(runs / "arms", inside / "own")
    (inside / "linked").symlink_to(outside / "arms")
    (tmp_path / "secret.svg").write_text(SECRET)
    (inside / "own" / "pictures" / "extra.svg").symlink_to(tmp_path / "secret.svg")
    client = Client(application(inside))
    assert [run["name"] for run in client.ask("GET", "/api/runs").json()] == ["own"]
    assert client.ask("GET", "/api/runs/linked").status_code == 404
    assert SECRET not in client.ask("GET", "/api/runs/own/pictures").text


@pytest.mark.parametrize(
    "headers",
    [
        {"host": "evil.example"},
        {"host": "127.0.0.1.evil.example"},
        {"origin": "http://evil.example"},
        {"origin": "http://127.0.0.1:9999"},
        {"origin": "null"},
        {"sec-fetch-site": "cross-site", "sec-fetch-mode": "no-cors"},
    ],
)
def test_nobody_else_is_answered(headers: dict[str, str], client: Client) -> None:
    for path in ("/", "/api/runs", "/api/play"):
        assert client.ask("GET", path, headers=headers).status_code == 403


def test_its_own_pages_are_answered(client: Client) -> None:
    own = {"origin": "http://127.0.0.1:8000", "sec-fetch-site": "same-origin"}
    assert client.ask("GET", "/api/runs", headers=own).status_code == 200


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH"])
def test_nothing_can_be_changed(method: str, client: Client) -> None:
    assert client.ask(method, "/api/runs/arms").status_code == 405


def test_an_empty_folder_has_no_runs(tmp_path: Path) -> None:
    client = Client(application(tmp_path / "not yet"))
    assert client.ask("GET", "/api/runs").json() == []
