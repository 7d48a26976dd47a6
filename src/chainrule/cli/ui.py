"""`chainrule ui`: the runs of a folder as a page in the browser."""

from __future__ import annotations

import contextlib
import subprocess
import sys
import webbrowser
from collections.abc import Iterator
from pathlib import Path

import click

from chainrule.cli.options import quiet_option
from chainrule.cli.text import note, out
from chainrule.data.sources.reading import installed
from chainrule.errors import ChainruleError, SettingError
from chainrule.train.run import SUMMARY

PORT = 8008


@click.command("ui")
@click.argument("runs", default="runs")
@click.option("--port", type=click.IntRange(0, 65535), default=PORT, show_default=True)
@click.option("--open", "open_browser", is_flag=True, help="Open the page in the browser.")
@quiet_option
def command(runs: str, port: int, open_browser: bool, quiet: bool) -> None:
    """Show the runs in the folder RUNS (runs, if not given), or one run, as a local page.

    Live curves, every step opened, runs compared, and a playground. Only this machine reaches it,
    and it asks nothing of any other. Ctrl-C ends it.
    """
    folder, at = _folder_of(Path(runs))
    with installed("web", "chainrule ui"):
        from chainrule.web.page.app import application
        from chainrule.web.server import address, listening, serve
    with listening("127.0.0.1", port, None) as bound:
        where = f"{address(bound)}/{at}"

        def ready() -> None:
            out(where)
            if not quiet:
                note(f"The page of the runs in {folder} is at {where}; Ctrl-C ends it.")
            if open_browser:
                webbrowser.open(where)

        serve(application(folder), bound, ready)


@contextlib.contextmanager
def page_beside(folder: Path, quiet: bool) -> Iterator[None]:
    """The page of a folder of runs in a process of its own, while something trains into it.

    Afterwards it stays until Ctrl-C; it goes at once with an error.
    """
    ask = [sys.executable, "-m", "chainrule", "ui", str(folder), "--port", "0", "--quiet"]
    # A session of its own: Ctrl-C ends the training, and the page shows how it ended.
    with subprocess.Popen(ask, stdout=subprocess.PIPE, text=True, start_new_session=True) as page:
        try:
            where = page.stdout.readline().strip() if page.stdout is not None else ""
            if not where:
                raise ChainruleError("the page did not start", hint="chainrule ui says why")
            note(f"Watch it at {where}")
            yield
            if not quiet:
                note(f"The page stays at {where} until Ctrl-C.")
            with contextlib.suppress(KeyboardInterrupt):
                page.wait()
        finally:
            page.terminate()


def _folder_of(path: Path) -> tuple[Path, str]:
    """The folder of runs, and where in the page to begin."""
    if (path / SUMMARY).is_file():
        whole = path.resolve()
        return whole.parent, f"#/run/{whole.name}"
    if path.exists() and not path.is_dir():
        raise SettingError(f"{path} is no folder of runs", hint="chainrule ui runs")
    return path, ""
