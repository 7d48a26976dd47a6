"""The artefact as files: folder and zip, models of earlier schemas, files that are damaged."""

from __future__ import annotations

import json
import os
import random
import shutil
import zipfile
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import chainrule as cr
from chainrule.cli.main import run
from chainrule.errors import ArtefactError, DataError
from chainrule.model import Model, load, save
from chainrule.model.card import units_of
from chainrule.model.package import MANIFEST, WEIGHTS
from chainrule.model.store import SCHEMA, digest

GOLDEN = sorted(path.parent for path in (Path(__file__).parent / "golden").rglob(MANIFEST))
MUTATIONS = int(os.environ.get("CHAINRULE_MUTATIONS", "300"))


PRICE = next(path for path in reversed(GOLDEN) if path.name == "price")


@pytest.fixture(scope="module")
def model() -> Model:
    return load(PRICE)


def hashes(model: Model) -> dict[str, bytes]:
    return {name: array.tobytes() for name, array in model.weights().items()}


# -- every schema that there was


def test_there_is_a_golden_model_of_each_schema() -> None:
    schemas = {json.loads((path / MANIFEST).read_text())["schema_version"] for path in GOLDEN}
    assert schemas == set(range(1, SCHEMA + 1))


@pytest.mark.parametrize("path", GOLDEN, ids=lambda path: f"{path.parent.name}-{path.name}")
def test_models_of_every_schema_predict_what_they_did(path: Path) -> None:
    expected = json.loads((path / "expected.json").read_text())
    found = load(path).predict(expected["rows"])
    only = {next(iter(found.targets)): expected}
    for name, target in expected.get("targets", only).items():
        if target["probabilities"] is None:
            np.testing.assert_allclose(found[name].values, target["values"], rtol=1e-6)
        else:
            assert found[name].values.tolist() == target["values"]
            chances = found[name].probabilities
            np.testing.assert_allclose(chances, target["probabilities"], atol=1e-6)


# -- a zip


def test_a_zip_is_the_folder(model: Model, tmp_path: Path) -> None:
    save(model, tmp_path / "folder")
    path = save(model, tmp_path / "model.zip")
    expected = json.loads((PRICE / "expected.json").read_text())
    assert hashes(load(path)) == hashes(load(tmp_path / "folder")) == hashes(model)
    again = cr.load(path)
    assert isinstance(again, Model)
    wanted = model.predict(expected["rows"]).values.tolist()
    assert again.predict(expected["rows"]).values.tolist() == wanted
    assert path.read_bytes() == save(model, tmp_path / "other.zip").read_bytes()
    with zipfile.ZipFile(path) as opened:
        assert opened.namelist() == ["model.json", "model.safetensors", "README.md"]
        assert opened.testzip() is None


def test_a_folder_that_was_zipped_by_hand(model: Model, tmp_path: Path) -> None:
    save(model, tmp_path / "run" / "model")
    (tmp_path / "run" / "run.json").write_text("{}")
    made = shutil.make_archive(str(tmp_path / "run"), "zip", tmp_path, "run")
    assert hashes(load(made)) == hashes(model)


def test_a_zip_is_replaced_only_by_a_model(model: Model, tmp_path: Path) -> None:
    path = tmp_path / "photos.zip"
    with zipfile.ZipFile(path, "w") as made:
        made.writestr("cat.txt", "a cat")
    before = path.read_bytes()
    with pytest.raises(ArtefactError, match="exists and is not a model"):
        save(model, path)
    assert path.read_bytes() == before
    save(model, tmp_path / "m.zip")
    save(model, tmp_path / "m.zip")


def test_zips_that_are_no_models(model: Model, tmp_path: Path) -> None:
    path = tmp_path / "m.zip"
    for files, match in (
        ({MANIFEST: b"{}"}, "model.safetensors"),
        ({"a/" + MANIFEST: b"{}", "b/" + MANIFEST: b"{}"}, "holds 2 models"),
        ({"notes.txt": b"dear diary"}, "holds 0 models"),
        ({MANIFEST: b" " * 50_000_000, WEIGHTS: b""}, "is blown up"),
    ):
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as made:
            for name, content in files.items():
                made.writestr(name, content)
        with pytest.raises(ArtefactError, match=match):
            load(path)


def test_the_command_line_takes_a_zip(model: Model, tmp_path: Path) -> None:
    path = save(model, tmp_path / "m.zip")
    rows = json.loads((PRICE / "expected.json").read_text())["rows"]
    (tmp_path / "rows.jsonl").write_text("\n".join(map(json.dumps, rows)))
    assert run(["predict", str(path), str(tmp_path / "rows.jsonl"), "-q"]) == 0
    assert run(["inspect", str(path)]) == 0
    path.write_bytes(path.read_bytes()[:-40])
    assert run(["predict", str(path), str(tmp_path / "rows.jsonl"), "-q"]) == 5


# -- damaged files: CHAINRULE_MUTATIONS=10000 tries as many


def mutated(raw: bytes, rng: random.Random) -> bytes:
    """Bytes cut off, changed, taken out or put in."""
    at, count = rng.randrange(len(raw)), rng.randint(1, 8)
    change = rng.choice(["cut", "flip", "drop", "insert", "double"])
    if change == "cut":
        return raw[:at]
    if change == "flip":
        return raw[:at] + bytes([raw[at] ^ rng.randint(1, 255)]) + raw[at + 1 :]
    if change == "drop":
        return raw[:at] + raw[at + count :]
    if change == "insert":
        return raw[:at] + rng.randbytes(count) + raw[at:]
    return raw[:at] + raw[at : at + 100] + raw[at:]


def places(packed: Any) -> list[tuple[Any, Any]]:
    """Every (container, key) in nested JSON."""
    items = packed.items() if isinstance(packed, dict) else enumerate(packed)
    found = []
    for key, item in items:
        found.append((packed, key))
        if isinstance(item, dict | list):
            found += places(item)
    return found


STRANGE = [None, -1, 0, 1, 10**12, 1e300, "", "%0", "add", [], {}, [[]], True, "f32[2,2]"]


def made_up(manifest: bytes, rng: random.Random) -> bytes:
    """One value of the program or preparation replaced by hand, digests and all."""
    packed = json.loads(manifest)
    container, key = rng.choice(places({k: packed[k] for k in ("preparation", "program")}))
    container[key] = rng.choice(STRANGE)
    packed["model_sha256"] = digest(packed["preparation"], packed["program"])
    return json.dumps(packed).encode()


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_a_damaged_model_is_refused_or_is_the_same(model: Model, tmp_path: Path) -> None:
    rows = json.loads((PRICE / "expected.json").read_text())["rows"]
    folder, zipped = save(model, tmp_path / "m"), save(model, tmp_path / "m.zip")
    whole = {path: path.read_bytes() for path in (folder / MANIFEST, folder / WEIGHTS, zipped)}
    refused = 0
    for seed in range(MUTATIONS):
        rng = random.Random(seed)
        path, raw = rng.choice(list(whole.items()))
        by_hand = path.name == MANIFEST and rng.random() < 0.7
        path.write_bytes(made_up(raw, rng) if by_hand else mutated(raw, rng))
        try:
            found = load(zipped if path == zipped else folder)
            assert hashes(found) == hashes(model), seed
            with suppress(DataError):  # other rows are asked for, say
                found.predict(rows)
        except ArtefactError:
            refused += 1
        path.write_bytes(raw)
    assert refused > MUTATIONS / 2


def test_units_are_read_from_the_names() -> None:
    found = units_of(
        ["a [m]", "b (km / h) ", "(c)", "[d]", "e ()", "f [m] x", "load(kg)", "g [[m]]"]
    )
    assert found == {"a [m]": "m", "load(kg)": "kg"}
