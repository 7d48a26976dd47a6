"""`chainrule serve`: a trained model behind HTTP."""

from __future__ import annotations

import click

from chainrule.cli.options import quiet_option
from chainrule.cli.text import note, out
from chainrule.data.sources.reading import installed
from chainrule.model import load


@click.command("serve")
@click.argument("model")
@click.option("--host", default="127.0.0.1", show_default=True, help="Where to listen.")
@click.option("--port", type=click.IntRange(0, 65535), default=8000, show_default=True)
@click.option(
    "--token",
    envvar="CHAINRULE_TOKEN",
    metavar="TEXT",
    help="What requests must bring; needed where others can reach HOST. Also CHAINRULE_TOKEN.",
)
@click.option(
    "--max-rows", type=click.IntRange(1), default=10_000, show_default=True, help="Of one request."
)
@click.option(
    "--max-bytes", type=click.IntRange(1), default=10_000_000, show_default=True, help="Of one."
)
@click.option(
    "--timeout",
    type=click.FloatRange(0, min_open=True),
    default=30.0,
    show_default=True,
    help="Seconds that a request may take.",
)
@quiet_option
def command(
    model: str,
    host: str,
    port: int,
    token: str | None,
    max_rows: int,
    max_bytes: int,
    timeout: float,
    quiet: bool,
) -> None:
    """Answer requests with the predictions of MODEL, until Ctrl-C.

    POST /predict takes {"rows": [...]}, or CSV; / is a form to try it, /schema says what the model
    takes, /openapi.json describes everything, /health and /metrics are for machines.
    """
    found = load(model)
    with installed("web", "chainrule serve"):
        from chainrule.web.guard import is_loopback
        from chainrule.web.prediction.app import application
        from chainrule.web.prediction.limits import Limits
        from chainrule.web.server import address, listening, serve
    with listening(host, port, token or None) as bound:
        found.compile()
        limits = Limits(body=max_bytes, rows=max_rows, seconds=timeout)
        app = application(found, limits, token or None, local=is_loopback(host))
        where = address(bound)

        def ready() -> None:
            out(where)
            if not quiet:
                note(f"Serving {found!r}. A form is at {where}/ and Ctrl-C ends it.")

        serve(app, bound, ready)
    if not quiet:
        note("stopped")
