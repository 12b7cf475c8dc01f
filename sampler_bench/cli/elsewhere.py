"""Commands that bring in what was measured elsewhere."""

from typing import Annotated

import typer

from sampler_bench.cli.options import Place, Quiet, app, place, publish
from sampler_bench.errors import MissingPackageError


@app.command("import")
def import_(
    log: Annotated[
        Place, typer.Argument(metavar="LOG", parser=place, help="A log that inspect_ai wrote of our tasks.")
    ],
    out: Annotated[
        Place,
        typer.Option(metavar="DIR", parser=place, help="The run's folder or URL; added to, if it holds one."),
    ],
    quiet: Quiet = False,
) -> None:
    """Make a run of a log of inspect_ai. What stands there is judged and scored here; nothing is asked."""
    from sampler_bench.report.progress import Display

    try:
        from sampler_bench.plugins.inspect_logs import import_log
    except ImportError as error:
        raise MissingPackageError(
            f"import needs inspect_ai ({error}): pip install 'sampler-bench[inspect]'"
        ) from error
    with Display(quiet) as display:
        import_log(log, out, listener=display)
    publish([out], out, show=True)
