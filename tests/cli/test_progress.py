"""Progress: a live line on a terminal, plain lines elsewhere, nothing when quiet."""

from __future__ import annotations

import os
import re
import struct
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest
from tests.cli.conftest import Call

from chainrule.cli import progress


def test_plain_lines_also_within_an_epoch(call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress, "PLAIN_EVERY", 0.0)
    lines = call("train", "courier", "--epochs", "2").err.splitlines()[:-1]
    assert len(lines) == 10  # one per update
    assert lines[0].startswith("epoch 1/2  10%  at most ")
    assert lines[0].endswith(" left")
    assert lines[9].startswith("epoch 2/2  100%  at most 0.0 s left  validation 0.")


def test_quiet_is_silent(call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress, "PLAIN_EVERY", 0.0)
    assert call("train", "courier", "--epochs", "2", "-q").err == ""


def on_a_terminal(arguments: list[str], columns: int) -> str:
    """What a program writes to a terminal of that width."""
    import pty
    import termios
    from fcntl import ioctl

    ours, theirs = pty.openpty()
    ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 40, columns, 0, 0))
    running = subprocess.Popen(arguments, stdin=theirs, stdout=theirs, stderr=theirs)
    os.close(theirs)
    written = b""
    with suppress(OSError):  # that is how a terminal ends
        while part := os.read(ours, 65536):
            written += part
    os.close(ours)
    running.wait()
    return written.decode()


@pytest.mark.skipif(sys.platform == "win32", reason="there are no such terminals")
def test_live_on_a_terminal(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.delenv("COLUMNS", raising=False)
    arguments = [sys.executable, "-m", "chainrule", "train", "courier", "--epochs", "60"]
    text = on_a_terminal(arguments, 80)
    assert "reading the data" in text
    assert re.search(r"epoch \d+/60 ━.* at most 00:\d\d left  validation \d.*, best \d", text)
    assert "\x1b[3" not in text  # NO_COLOR
    assert text.rstrip().endswith("NEW.csv -o predictions.csv")
