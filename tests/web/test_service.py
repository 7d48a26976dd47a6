"""The service: answers, refusals that name row and field, limits, who may ask, what it counts."""

from __future__ import annotations

import asyncio
import json
import random
import threading
import time
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
from tests.web.conftest import INPUTS, Client, ships, without_target, write_csv

from chainrule.model import Model
from chainrule.web.prediction.app import application
from chainrule.web.prediction.limits import Limits

CSV = {"content-type": "text/csv"}


@pytest.fixture(scope="module")
def client(model: Model) -> Client:
    return Client(application(model))


def row(**changes: Any) -> dict[str, Any]:
    return {"kg": 1.5, "port": "port 3", "size": "small", "note": "warm", "paid": True} | changes


# -- several at once


def test_requests_that_come_together_are_answered_together(model: Model) -> None:
    client = Client(application(model))
    rows = without_target(ships(40, 3))
    rows[5]["port"] = "nowhere"
    requests = [("POST", "/predict", {"json": {"rows": [item]}}) for item in rows]
    answers = asyncio.run(client.all_at_once(requests))
    alone = [client.predict(item).json() for item in rows]
    for together, single in zip(answers, alone, strict=True):
        assert together.json()["notes"] == single["notes"]
        one, other = (
            list(found["predictions"][0]["late"]["probabilities"].values())
            for found in (together.json(), single)
        )
        np.testing.assert_allclose(one, other, atol=2e-6)
    counts = client.ask("GET", "/metrics").text
    assert "chainrule_rows_total 80\n" in counts
    (batches,) = (line for line in counts.splitlines() if line.startswith("chainrule_batches"))
    assert int(batches.split()[1]) < 60


# -- refusals


@pytest.mark.parametrize(
    ("changed", "field", "message"),
    [
        ({"kg": "heavy"}, "kg", 'expected number or null, got "heavy"'),
        ({"kg": True}, "kg", "expected number or null, got true"),
        ({"kg": 1e200}, "kg", "at most 1e150"),
        ({"kg": 10**400}, "kg", "at most 1e150"),
        ({"port": ["a"]}, "port", "expected string or number or boolean or null"),
        ({"note": {"a": 1}}, "note", "got an object"),
    ],
)
def test_values_that_cannot_be_used(
    client: Client, changed: dict[str, Any], field: str, message: str
) -> None:
    found = client.predict(row(), row(**changed))
    assert found.status_code == 422
    (detail,) = found.json()["details"]
    assert (detail["row"], detail["field"]) == (2, field)
    assert message in detail["message"]


def test_a_missing_field_is_named_and_the_likely_one(client: Client) -> None:
    item = row()
    item["Kg"] = item.pop("kg")
    (detail,) = client.predict(item).json()["details"]
    assert detail["message"].endswith("is 'Kg' meant to be it?")
    many = client.predict(*[{} for _ in range(50)]).json()
    assert len(many["details"]) == 20


@pytest.mark.parametrize(
    ("options", "status"),
    [
        ({"content": b"{", "headers": {"content-type": "application/json"}}, 400),
        ({"json": []}, 422),
        ({"json": {"rows": []}}, 422),
        ({"json": {"rows": [row()], "more": 1}}, 422),
        ({"content": b"a"}, 415),
        ({"content": b"\x1f\x8b\x08", "headers": CSV}, 415),
        ({"content": b"", "headers": CSV}, 422),
        ({"content": b"kg,port\n1,2\n", "headers": CSV}, 422),
        ({"content": b"[" * 100_000, "headers": {"content-type": "application/json"}}, 400),
        ({"content": b'{"rows": [NaN]}', "headers": {"content-type": "application/json"}}, 400),
    ],
)
def test_bodies_that_cannot_be_used(client: Client, options: dict[str, Any], status: int) -> None:
    found = client.ask("POST", "/predict", **options)
    assert found.status_code == status
    assert found.json()["error"]


def test_csv_rows_that_cannot_be_read_are_named(client: Client) -> None:
    text = "kg,port,size,note,paid\n1,a,b,c,1\nheavy,a,b,c,1\n"
    found = client.ask("POST", "/predict", content=text, headers=CSV)
    assert found.status_code == 422
    (detail,) = found.json()["details"]
    assert (detail["row"], detail["field"]) == (2, "kg")


def test_malformed_bodies(client: Client, tmp_path: Path) -> None:
    """1,000 bodies cut, changed and made up: refused or answered, and no word of the machine."""
    data = write_csv(tmp_path / "t.csv", without_target(ships(5, 1)), list(reversed(INPUTS)))
    whole = {
        "application/json": json.dumps({"rows": without_target(ships(3, 1))}).encode(),
        "text/csv": data.read_bytes(),
    }
    requests: list[tuple[str, str, dict[str, Any]]] = []
    for seed in range(1000):
        rng = random.Random(seed)
        kind = "text/csv" if seed % 10 == 0 else "application/json"
        raw = whole[kind]
        at, count = rng.randrange(len(raw)), rng.randint(1, 9)
        body = rng.choice(
            [raw[:at], raw[:at] + rng.randbytes(count) + raw[at:], raw[:at] + raw[at + count :]]
        )
        requests.append(("POST", "/predict", {"content": body, "headers": {"content-type": kind}}))
    for found in asyncio.run(client.all_at_once(requests)):
        assert found.status_code in (200, 400, 413, 415, 422), found.text
        for leak in (str(tmp_path), "/tmp", "site-packages", "Traceback", "/work", "chainrule-"):
            assert leak not in found.text


# -- limits


def test_limits(model: Model) -> None:
    client = Client(application(model, Limits(body=600, rows=3, waiting=2)))
    assert client.predict(row(note="x" * 700)).status_code == 413
    assert client.predict(*[row()] * 4).status_code == 413
    text = "kg,port,size,note,paid\n" + "1,a,b,c,1\n" * 4
    assert client.ask("POST", "/predict", content=text, headers=CSV).status_code == 413
    busy = client.predict(*[row()] * 3)
    assert (busy.status_code, busy.headers["retry-after"]) == (503, "1")
    assert client.predict(row()).status_code == 200


def test_a_body_that_does_not_come(model: Model) -> None:
    app = application(model, Limits(seconds=0.05))

    async def slowly() -> Any:
        yield b'{"rows"'
        await asyncio.sleep(5)

    async def ask() -> int:
        transport = httpx.ASGITransport(app=app)
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
            headers = {"content-type": "application/json"}
            return (await client.post("/predict", content=slowly(), headers=headers)).status_code

    assert asyncio.run(ask()) == 408


def test_an_answer_that_takes_too_long(model: Model, monkeypatch: pytest.MonkeyPatch) -> None:
    held = threading.Event()
    monkeypatch.setattr(
        "chainrule.web.prediction.app.answer_rows", lambda *_: held.wait(5) and [{}]
    )
    client = Client(application(model, Limits(seconds=0.05)))
    began = time.perf_counter()
    transport = httpx.ASGITransport(app=client.app)

    async def ask() -> int:
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as asking:
            status = (await asking.post("/predict", json={"rows": [row()]})).status_code
            held.set()
            return status

    assert asyncio.run(ask()) == 503
    assert time.perf_counter() - began < 5


# -- who may ask


def test_a_token_is_needed_where_there_is_one(model: Model) -> None:
    app = application(model, token="secret", local=False)
    for headers in ({}, {"authorization": "Bearer wrong"}, {"authorization": "secret"}):
        client = Client(app, **headers)
        for path in ("/schema", "/openapi.json", "/metrics"):
            found = client.ask("GET", path)
            assert (found.status_code, found.headers["www-authenticate"]) == (401, "Bearer")
        assert client.predict(row()).status_code == 401
        assert client.ask("GET", "/health").status_code == 200
        assert "port" not in client.ask("GET", "/").text.replace("viewport", "")
    assert Client(app, authorization="Bearer secret").predict(row()).status_code == 200


def test_a_local_service_has_local_names_only(client: Client) -> None:
    for host, status in (
        ("localhost:80", 200), ("[::1]:8000", 200), ("127.0.0.1", 200), ("evil.example", 403),
    ):  # fmt: skip
        assert client.ask("GET", "/health", headers={"host": host}).status_code == status


# -- what it says of itself


def test_the_schema_tells_nothing_of_the_machine(client: Client, saved: Path) -> None:
    found = client.ask("GET", "/schema")
    assert str(saved.parents[1]) not in found.text
    facts = found.json()
    assert facts["card"]["data"] == "ships.csv"
    assert [field["name"] for field in facts["inputs"]] == INPUTS
    assert facts["targets"] == [{"name": "late", "task": "classification", "choices": ["n", "y"]}]


def test_pages_load_nothing_from_elsewhere(client: Client) -> None:
    for path in ("/", "/page.js"):
        found = client.ask("GET", path)
        assert found.status_code == 200
        assert "://" not in found.text
        assert "default-src 'none'" in found.headers["content-security-policy"]


def test_what_is_counted(model: Model) -> None:
    client = Client(application(model))
    client.predict(row(), row())
    client.predict(3)
    text = client.ask("GET", "/metrics").text
    assert 'chainrule_requests_total{path="/predict",status="200"} 1\n' in text
    assert 'chainrule_requests_total{path="/predict",status="422"} 1\n' in text
    assert "chainrule_rows_total 2\n" in text
    assert "chainrule_request_seconds_count 2\n" in text


def test_unknown_paths_and_methods(client: Client) -> None:
    assert client.ask("GET", "/etc/passwd").json() == {"error": "Not Found"}
    assert client.ask("GET", "/predict").status_code == 405
