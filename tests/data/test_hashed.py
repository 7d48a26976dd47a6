"""Categories in buckets: the same on every machine, none unlearned."""

from zlib import crc32

import numpy as np

from chainrule.data import Column, Hashed, Preparation, ScaledTarget, Table
from chainrule.data.embedding import Embedding
from chainrule.data.records import MOST_EMBEDDED, encode

NAMES = [f"part {place}" for place in range(40)]


def test_the_bucket_is_the_checksum():
    record = Hashed.fit("part", Column.of(NAMES), buckets=16)
    assert record.apply(Column.of(NAMES))[:, 0].tolist() == [
        1 + crc32(name.encode()) % 16 for name in NAMES
    ]


def test_what_training_never_filled_is_stood_in_for():
    record = Hashed.fit("part", Column.of(["a", "a", "b"]), buckets=1000)
    usual = record.apply(Column.of(["a"]))[0, 0]
    assert record.apply(Column.of([None, "never seen"]))[:, 0].tolist() == [usual, usual]
    assert record.unseen(Column.of(["a", "never seen", None])) == {"never seen": 1}
    assert 0 not in Hashed.fit("part", Column.of(["a", None]), buckets=8).empty


def test_very_many_categories_are_hashed_without_being_asked():
    names = np.repeat([f"n{place}" for place in range(MOST_EMBEDDED + 1)], 10)
    assert isinstance(encode("c", Column.of(names), "category", 0), Hashed)
    assert isinstance(encode("c", Column.of(names[:-10]), "category", 0), Embedding)


def test_it_is_saved_and_read():
    table = Table.of({"part": NAMES * 3, "price": range(120)})
    fitted = Preparation.fit(table, [ScaledTarget.fit(table, "price")], encodings={"part": "hash"})
    assert isinstance(fitted.inputs[0], Hashed)
    assert Preparation.from_json(fitted.to_json()) == fitted
