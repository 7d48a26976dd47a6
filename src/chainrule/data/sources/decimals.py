"""Numbers with a decimal comma or thousands separators, rewritten as 1234.5."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence

from chainrule.data.column import Cells, Column, is_missing, number_of
from chainrule.data.report import Note, named
from chainrule.errors import DataError

SAMPLE, ENOUGH = 1000, 0.8
"""A column is one of numbers if this share of its first known cells is."""

_SPACES = " '\u00a0\u202f\u2019"
_SEPARATORS = frozenset("," + _SPACES)


def _pattern(decimal: str, thousands: str) -> re.Pattern[str]:
    separator = f"[{re.escape(thousands)}{_SPACES}]"
    whole = rf"[1-9]\d{{0,2}}(?:(?P<mark>{separator})\d{{3}})(?:(?P=mark)\d{{3}})*|\d+"
    part = re.escape(decimal)
    return re.compile(rf"[+-]?(?:(?:{whole})(?:{part}\d*)?|{part}\d+)(?:[eE][+-]?\d+)?")


_READ = {".": _pattern(".", ","), ",": _pattern(",", ".")}


def reads_as_number(text: str) -> bool:
    """Whether a text is a number under one of the two conventions.

    >>> [reads_as_number(text) for text in ["1,5", "1.234,5", "1 234", "1,2,3"]]
    [True, True, True, False]
    """
    return any(pattern.fullmatch(text) for pattern in _READ.values())


def plain_numbers(
    columns: Sequence[Column],
    decimal: str | None,
    source: str,
    hidden: bool,
    likely: str | None = None,
) -> tuple[list[Column], str | None, list[Note]]:
    """The columns with their numbers written plainly, the decimal, and a note of what changed.

    Each column follows what its own cells prove: 1,5 a decimal comma; 1,234.5 a point. Where they
    prove nothing (1,234) the `likely` one counts, or the other columns decide, else DataError asks
    for --decimal. `hidden` says that commas may begin to occur beyond the first cells. The decimal
    is None where columns differ in it, or none had to be known.

    >>> price = Column.of(["price", "1.234,5", "0,5"])
    >>> columns, decimal, notes = plain_numbers([price], None, "t", False)
    >>> columns[0].cells.tolist()
    ['price', '1234.5', '0.5']
    """
    numeric = [place for place, column in enumerate(columns) if _numeric(column)]
    plain = not any(_separated(columns[place], hidden) for place in numeric)
    if plain and "," not in (decimal, likely):
        return list(columns), decimal, []
    texts = {
        place: list(filter(reads_as_number, filter(None, columns[place].values)))
        for place in numeric
    }
    proofs = {place: _proofs(found) for place, found in texts.items()}
    together: Counter[str] = sum(proofs.values(), Counter())
    made, changed, used = list(columns), [], {decimal} - {None}
    for place, proof in proofs.items():
        chosen = decimal or _chosen(proof, likely, together)
        if chosen is None and any("," in text for text in texts[place]):
            raise _undecided(texts[place], place, source)
        plainly = _rewritten(columns[place], chosen or ".")
        before, after = columns[place].cells.tolist(), plainly.cells.tolist()
        pairs = ((old, new) for old, new in zip(before, after, strict=True) if old != new)
        first = next(pairs, None)
        if first is not None:
            made[place] = plainly
            changed.append((place + 1, *first))
        used |= {chosen} if chosen is not None and texts[place] else set()
    from_training = likely in used and likely not in together
    return made, used.pop() if len(used) == 1 else None, _notes(changed, from_training)


def _numeric(column: Column) -> bool:
    """Whether a column's first known cells, below a header, are numbers in one way or another."""
    cells = column.at(slice(1, SAMPLE + 1) if len(column) > 1 else slice(1))
    sample = [text for text in cells.tolist() if not is_missing(text)]
    return bool(sample) and sum(map(reads_as_number, sample)) >= ENOUGH * len(sample)


def _separated(column: Column, hidden: bool) -> bool:
    """Whether cells hold more than digits and one point."""
    sample = [text for text in column.at(slice(SAMPLE + 1)).tolist() if text is not None]
    if any(text.count(".") > 1 or not _SEPARATORS.isdisjoint(text) for text in sample):
        return True
    return hidden and "," in "".join(filter(None, column.cells))


def _proofs(texts: Iterable[str]) -> Counter[str]:
    """How many texts are numbers under one convention only, by its decimal."""
    fits = [[mark for mark, pattern in _READ.items() if pattern.fullmatch(t)] for t in texts]
    return Counter(only[0] for only in fits if len(only) == 1)


def _chosen(proof: Counter[str], likely: str | None, together: Counter[str]) -> str | None:
    """The decimal that a column's proofs tell, or the likely one, or that of all if they agree."""
    if proof or likely:
        return proof.most_common(1)[0][0] if proof else likely
    return next(iter(together)) if len(together) == 1 else None


def _rewritten(column: Column, decimal: str) -> Column:
    """The column with every number of this convention written with a point alone."""
    pattern, thousands = _READ[decimal], "," if decimal == "." else "."
    gone = str.maketrans({decimal: ".", thousands: None} | dict.fromkeys(_SPACES))

    def plain(text: str | None) -> str | None:
        return text.translate(gone) if text is not None and pattern.fullmatch(text) else text

    cells: Cells = column.of_values(plain, object)
    return Column(cells)


def _undecided(texts: list[str], place: int, source: str) -> DataError:
    example = min(text for text in texts if "," in text)
    return DataError(
        f"whether the comma in column {place + 1} of {source} is a decimal comma cannot be told",
        got=f"{example}: {number_of(example.replace(',', '.')):g}, or {example.replace(',', '')}",
        hint="--decimal , or --decimal .",
    )


def _notes(changed: list[tuple[int, str, str]], from_training: bool) -> list[Note]:
    if not changed:
        return []
    places = named(str(place) for place, _, _ in changed)
    word = "column" if len(changed) == 1 else "columns"
    example = f"{changed[0][1]} is {changed[0][2]}{', as in training' if from_training else ''}"
    return [Note(about="numbers", text=f"numbers of {word} {places} are rewritten: {example}")]
