"""The file of the batch pipeline, read like every run configuration."""

import pytest

from commands.common import arguments
from tabular.config.batch import BatchFile
from tabular.errors import UserError
from tests.support.project import ROOT

FILE = ROOT / "configs" / "batch.yaml"


def test_the_file_has_the_defaults_of_its_model_and_takes_an_input() -> None:
    # when
    given = ["batch.input=gs://bucket/new", "batch.output=scored", "batch.keep=[id]", 'batch.version="3"']
    found = arguments.read(FILE, given)
    # then
    assert found.pipeline == "batch" and isinstance(found.resolved, BatchFile)
    batch = found.resolved.parameters.batch
    assert (batch.input, batch.output, batch.keep, batch.version) == ("gs://bucket/new", "scored", ("id",), "3")
    assert batch == type(batch)(model=batch.model, input=batch.input, output="scored", keep=("id",), version="3")


@pytest.mark.parametrize(
    ("override", "says"),
    [
        ("batch.inptu=x.csv", "unknown key 'batch.inptu'; the nearest known key is 'batch.input'"),
        ("batch.chunk_rows=5", "'batch.chunk_rows'"),
        ("batch.keep=some", "'batch.keep': 'some' is not a list of columns; write [some], or all"),
        ("batch.reading.decimal=;", "'batch.reading.decimal'"),
        ("batch.max_rejected=2", "'batch.max_rejected'"),
        ("batch.input=", "'batch.input'"),
    ],
)
def test_a_wrong_override_is_refused_in_one_line(override: str, says: str) -> None:
    # when / then
    with pytest.raises(UserError) as caught:
        arguments.read(FILE, [override])
    assert says in str(caught.value) and "\n" not in str(caught.value)
