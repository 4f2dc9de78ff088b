"""The first line of a training, which names its table; it comes before ZenML, which prints lines of its own."""

import click

from tabular.config.stages import DataConfig
from tabular.storage.addresses import public
from tabular.table.sources import locate

SAMPLE_WARNING = (
    "THE BUILT-IN SAMPLE, made by a generator: not real data. The model is tagged data_source=sample and never promoted"
)


def announce(data: DataConfig) -> None:
    """Find the table, and name it in one line.

    Raises:
        UserError: the table cannot be read; see `tabular.table.sources.locate`.
    """
    source = locate(data)
    words = f"{SAMPLE_WARNING} ({source.why})" if source.kind == "sample" else public(source.location)
    click.echo(f"training with {words}")
