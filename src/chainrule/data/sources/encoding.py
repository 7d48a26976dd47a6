"""In which encoding a text is: told by its bytes, or asked for where they do not tell."""

from __future__ import annotations

import codecs

import numpy as np

from chainrule.data.lines import Text, pieces
from chainrule.data.report import Note
from chainrule.errors import DataError, SettingError

_MARKS = [
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
]
FOREIGN = 0.3
"""With more than this share of letters beyond ASCII, a one-byte text is in no western language."""


def as_utf8(
    raw: Text, asked: str | None, source: str, likely: str | None = None
) -> tuple[Text, str, list[Note]]:
    """The text in UTF-8, the encoding that it was in, and a note if that was another one.

    `raw` itself comes back if it is UTF-8 without a mark, lines that are broken as they are.
    `likely` decides where the bytes do not. DataError if `asked` does not fit, or if the encoding
    cannot be told.

    >>> as_utf8("a;ö".encode("utf-16"), None, "t.csv")[0].decode()
    'a;ö'
    """
    encoding = asked or _told(raw, source, likely)
    if encoding in ("utf-8", "binary"):
        marked = raw[: len(codecs.BOM_UTF8)] == codecs.BOM_UTF8
        return (raw[len(codecs.BOM_UTF8) :] if marked else raw), "utf-8", []
    raw = raw[:]
    try:
        text = raw.decode(encoding).removeprefix("\ufeff").encode()
    except LookupError:
        raise SettingError(
            f"there is no encoding {encoding!r}", hint="utf-8, utf-16, latin-1, cp1252, ..."
        ) from None
    except UnicodeError as problem:
        raise DataError(
            f"{source} is not in {encoding}", got=str(problem), hint="another --encoding"
        ) from None
    if asked is not None:
        return text, encoding, []
    words = ", as it is not UTF-8; if that is wrong, give the --encoding"
    if encoding.startswith("utf"):
        words = ""
    elif encoding == likely:
        words = ", as in training"
    return text, encoding, [Note(about="encoding", text=f"read as {encoding}{words}")]


def _told(raw: Text, source: str, likely: str | None) -> str:
    """The encoding that the bytes tell, or the likely one; "binary" for what is no text."""
    for mark, encoding in _MARKS:
        if raw[: len(mark)] == mark:
            return encoding
    wide = _wide(raw)
    if wide is not None:
        return wide
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        for _, piece in pieces(raw):
            decoder.decode(piece)
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        if likely is not None and _decodes(raw[:], likely):
            return likely
        return _one_byte(raw[:], source)
    return "utf-8"


def _decodes(raw: bytes, likely: str) -> bool:
    """Whether bytes that are no UTF-8 can be in a likely encoding."""
    try:
        raw.decode(likely)
    except (UnicodeError, LookupError):
        return False
    return likely != "utf-8"


def _wide(raw: Text) -> str | None:
    """UTF-16 without a mark: zeros in every second byte, and hardly any in the others."""
    sample = np.frombuffer(raw[:4096], dtype=np.uint8)
    even, odd = (
        float(np.mean(sample[start::2] == 0)) if len(sample) > 3 else 0 for start in (0, 1)
    )
    if odd > 0.4 and even < 0.05:
        return "utf-16-le"
    return "utf-16-be" if even > 0.4 and odd < 0.05 else None


def _one_byte(raw: bytes, source: str) -> str:
    """What a text is in that is not all UTF-8: UTF-8 with damage, or one byte a letter."""
    counts = np.bincount(np.frombuffer(raw, dtype=np.uint8), minlength=256)
    if counts[0]:
        return "binary"
    high, letters = int(counts[128:].sum()), int(counts[192:].sum())
    ascii_letters = int(counts[65:91].sum() + counts[97:123].sum())
    valid = len(raw.decode("utf-8", errors="ignore").encode()) - int(counts[:128].sum())
    if valid >= high - valid:
        return "utf-8"
    try:
        raw.decode("cp1252")
        western = letters <= FOREIGN * (letters + ascii_letters) and high < len(raw) / 4
    except UnicodeDecodeError:
        western = False
    if western:
        return "cp1252" if counts[128:160].any() else "latin-1"
    raise DataError(
        f"the encoding of {source} cannot be told",
        expected="UTF-8, UTF-16 or a western text",
        hint="--encoding, such as cp1251, shift_jis or latin-1",
    )
