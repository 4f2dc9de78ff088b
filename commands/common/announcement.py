"""Saying what a model will learn from, before ZenML is imported, which talks while it is set up."""

import click

from tabular.config.stages import DataConfig
from tabular.storage.places import public
from tabular.table.sources import locate

SAMPLE_WARNING = (
    "THE BUILT-IN SAMPLE, made by a generator: no real data. The model is tagged data_source=sample and never promoted"
)


def announce(data: DataConfig) -> None:
    """Find the table and say so in one line; a table that cannot be had ends the command here.

    Args:
        data: where to look.

    Raises:
        UserError: see `tabular.table.sources.locate`.
    """
    source = locate(data)
    words = f"{SAMPLE_WARNING} ({source.why})" if source.kind == "sample" else public(source.location)
    click.echo(f"training with {words}")
