"""Numbers with a currency or percent sign."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chainrule.data import prepare, read_table
from chainrule.data.sources.signs import unsigned


def read(folder, cells, **reading):
    rows = "".join(f"{cell};{place}\n" for place, cell in enumerate(cells))
    (folder / "t.csv").write_text(f"x;y\n{rows}")
    return read_table(folder / "t.csv", **reading)


@pytest.mark.parametrize(
    ("cells", "numbers"),
    [
        (["$1,200.50", "-$3", "$0.5"], [1200.5, -3, 0.5]),
        (["1.200,50 €", "3,25 €", "-1 €"], [1200.5, 3.25, -1]),
        (["12%", "-0.5%", "7 %"], [12, -0.5, 7]),
        (["($5.00)", "£7.50".replace("£", "$"), "8"], [-5, 7.5, 8]),
        (["¥1,000,000", "¥5", "n.a.", *["¥7"] * 9], [1e6, 5, np.nan, *[7] * 9]),
    ],
)
def test_numbers_are_read_without_their_sign(tmp_path, cells, numbers):
    table = read(tmp_path, cells)
    np.testing.assert_array_equal(table.column("x").numbers, numbers)
    assert any("without their sign" in str(note) for note in table.notes)


@pytest.mark.parametrize("cells", [["$5", "€7"], ["12%", "0.12"], ["$a", "$b"], ["A11", "A12"]])
def test_what_is_no_amount_of_one_kind_stays(tmp_path, cells):
    table = read(tmp_path, cells)
    assert table.column("x").cells.tolist() == cells
    assert table.notes == ()


@given(st.integers(-(10**9), 10**9), st.sampled_from("$€£¥₹"), st.booleans())
def test_a_sign_changes_no_number(number, sign, after):
    text = f"{number:,} {sign}" if after else f"{'-' * (number < 0)}{sign}{abs(number):,}"
    assert unsigned(text) == f"{number:,}"


def test_a_row_alone_is_read_as_with_the_others(tmp_path):
    amounts = read(tmp_path, [f"${place * 3 % 50}" for place in range(40)])
    like = prepare(amounts, "y").preparation.familiar
    assert read(tmp_path, ["$7"], like=like).column("x").numbers.tolist() == [7]
    words = read(tmp_path, [["$5", "€7"][place % 2] for place in range(40)])
    like = prepare(words, "y").preparation.familiar
    assert read(tmp_path, ["$5"], like=like).column("x").cells.tolist() == ["$5"]
