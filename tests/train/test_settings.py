"""Settings: where they come from, which wins, and the file that runs the training again."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chainrule.data import prepare, read_table, whole_source
from chainrule.errors import SettingError
from chainrule.train import Settings, gather
from chainrule.train.defaults import choose


def test_each_over_the_one_before(tmp_path: Path) -> None:
    file = tmp_path / "c.toml"
    file.write_text("lr = 0.1\nepochs = 1\nseed = 1\n")
    environment = {"CHAINRULE_EPOCHS": "2", "CHAINRULE_SEED": "2", "PATH": "/bin"}
    found = gather({"seed": 3, "patience": None}, file, environment)
    assert (found.lr, found.epochs, found.seed, found.patience) == (0.1, 2, 3, None)
    assert found.optimizer == "adamw"


def test_names_with_dashes_in_files(tmp_path: Path) -> None:
    file = tmp_path / "c.toml"
    text = 'batch-size = 7\nweight_decay = 0.5\ntarget = -1\ntypes = { "a b" = "numeric" }\n'
    file.write_text(text)
    found = gather({}, file, {})
    assert (found.batch_size, found.weight_decay, found.target) == (7, 0.5, "-1")
    assert found.types == {"a b": "numeric"}


def test_what_only_says_how_it_runs_is_no_setting() -> None:
    """Variables that the native back end reads may be there; the back end itself is a setting."""
    names = ("CACHE", "DEBUG", "THREADS", "VECTOR_BYTES")
    environment = {f"CHAINRULE_{name}": "1" for name in names}
    assert gather({}, None, environment) == Settings()
    assert gather({}, None, {**environment, "CHAINRULE_BACKEND": "interpret"}) == Settings(
        backend="interpret"
    )


def test_lists_in_the_environment() -> None:
    environment = {
        "CHAINRULE_LAYERS": "8, 4",
        "CHAINRULE_DROP": "a,b",
        "CHAINRULE_TYPES": "zip=category,a=b=numeric",
        "CHAINRULE_DEBUG": "1",
    }
    found = gather({}, None, environment)
    assert found.layers == [8, 4]
    assert found.drop == ["a", "b"]
    assert found.types == {"zip": "category", "a=b": "numeric"}


@pytest.mark.parametrize(
    ("flags", "text", "environment", "expected"),
    [
        ({"lr": 0.0}, "", {}, "--lr cannot be 0.0"),
        ({"batch_size": -1}, "", {}, "--batch-size cannot be -1"),
        ({}, "lr = nan", {}, r"lr in .*c.toml cannot be nan"),
        ({}, "", {"CHAINRULE_LAYERS": "4,-4"}, "CHAINRULE_LAYERS cannot be '-4'"),
        ({}, "batchsize = 3", {}, "there is no setting batchsize in"),
        ({}, "", {"CHAINRULE_LEARNING": "1"}, "there is no setting CHAINRULE_LEARNING"),
    ],
)
def test_what_is_wrong_is_named_as_it_was_set(
    tmp_path: Path, flags: dict[str, object], text: str, environment: dict[str, str], expected: str
) -> None:
    file = tmp_path / "c.toml"
    file.write_text(text)
    with pytest.raises(SettingError, match=expected):
        gather(flags, file, environment)


names = st.text(min_size=1, max_size=8).filter(lambda text: text.isprintable() or "\x7f" in text)


@given(
    st.builds(
        Settings,
        data=names.filter(lambda name: whole_source(name) == name),  # files are written whole
        target=names,
        drop=st.lists(names, max_size=2),
        types=st.dictionaries(names, st.sampled_from(["numeric", "category"]), max_size=2),
        layers=st.none() | st.lists(st.integers(1, 99), max_size=2),
        lr=st.none() | st.floats(1e-300, 1e300),
        dropout=st.none() | st.floats(0, 0.99),
        seed=st.integers(0, 2**63 - 1),
    )
)
def test_toml_there_and_back(settings: Settings) -> None:
    found = tomllib.loads(settings.to_toml())
    assert Settings.model_validate(found) == settings


def test_files_are_written_with_their_whole_path(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("t.csv").write_text("x\n")
    found = tomllib.loads(Settings(data="t.csv", test="t.csv", output="run").to_toml())
    assert found["data"] == found["test"] == str(tmp_path / "t.csv")
    assert "output" not in found
    assert tomllib.loads(Settings(data="digits").to_toml())["data"] == "digits"


def test_what_is_given_is_not_chosen() -> None:
    prepared = prepare(read_table("courier"), "charge")
    given = Settings(layers=[], dropout=0.0, weight_decay=0.0, lr=0.5, epochs=7, patience=3)
    found = choose(given, prepared.preparation, len(prepared.train))
    assert (found.layers, found.dropout, found.weight_decay) == ([], 0.0, 0.0)
    assert (found.lr, found.epochs, found.patience) == (0.5, 7, 3)
    assert (found.task, found.batch_size) == ("regression", 32)
    chosen = choose(Settings(), prepared.preparation, len(prepared.train))
    assert (chosen.layers, chosen.epochs, chosen.patience) == ([64, 64], 200, 50)


@pytest.mark.parametrize(("given", "size"), [("500MB", 500_000_000), (10**9, 10**9), (None, None)])
def test_memory_is_a_size(given: object, size: int | None) -> None:
    assert gather({"memory": given}, environment={}).memory == size


def test_a_memory_that_is_no_size_is_told_in_words() -> None:
    with pytest.raises(SettingError, match="--memory cannot be 'much'") as caught:
        gather({"memory": "much"}, environment={})
    assert caught.value.expected == "a size of 64MB or more, such as 500MB or 2GB"
