"""The commands: from ``draw``, which makes a data set, to ``book``, which builds the workbook.

Every command writes its files in one step and never over an existing one unless told to. What goes wrong and can be
mended is one sentence on stderr and exit code 1.
"""

from __future__ import annotations

import sys
from typing import Any

try:
    import click
except ModuleNotFoundError:
    raise SystemExit('The command mixedsim needs click: pip install "mixedsim[classroom]".') from None

from mixedsim import __version__
from mixedsim.cli.courses import classroom, feedback, report
from mixedsim.cli.data import datasets, draw, schema
from mixedsim.cli.exporting import export
from mixedsim.cli.studies import power, recover, study
from mixedsim.cli.teaching import exercises, grade, hand_out
from mixedsim.cli.workbook import book
from mixedsim.errors import MixedsimError


class OneSentence(click.Group):
    """A group of commands that reports a `MixedsimError` as one sentence instead of a traceback."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command."""
        try:
            return super().invoke(ctx)
        except MixedsimError as error:
            raise click.ClickException(str(error)) from error
        except KeyboardInterrupt as stop:
            for note in getattr(stop, "__notes__", ()):  # what of a study is safe
                click.echo(f"\n{note}", err=True)
            raise


@click.group(cls=OneSentence, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, message="mixedsim %(version)s")
def main() -> None:
    """Learn mixed-effects models by making the data yourself."""
    # A pipe on Windows has a code page without Greek letters: better a question mark than a traceback.
    sys.stdout.reconfigure(errors="replace")  # type: ignore[union-attr]


for command in (draw, schema, recover, study, power, datasets, book):
    main.add_command(command)
exercises.add_command(export)
for command in (exercises, classroom, hand_out, grade, report, feedback):
    main.add_command(command)
