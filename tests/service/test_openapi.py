"""What the document says of columns of each kind."""

from service.openapi import document
from service.settings import Settings
from tabular.arithmetic.dates import days
from tabular.bundles.bundle import Baseline, Bundle, Column

BUNDLE = Bundle(
    name="houses",
    version="1",
    task="regression",
    target="price",
    created="2024-01-01T00:00:00+00:00",
    model_sha256="0" * 64,
    data_sha256="0" * 64,
    data_source="path",
    algorithm="linear",
    columns=(
        Column(name="sold", kind="date", min=days("2020-01-01"), max=days("2022-01-01"), missing_share=0.0),
        Column(name="unknown", kind="date", missing_share=1.0),
        Column(name="new", kind="category", categories=("False", "True"), missing_share=0.0),
    ),
    metrics={},
    baseline=Baseline(prediction=1.0),
    compiled=False,
    why="",
    files={},
)


def test_a_date_is_text_in_iso_8601() -> None:
    # when
    schemas = document(BUNDLE, Settings())["components"]["schemas"]
    sold, unknown = (schemas["Row"]["properties"][name] for name in ("sold", "unknown"))
    # then
    assert sold["type"] == ["string", "null"]
    assert [form.get("format") for form in sold["anyOf"]] == ["date", "date-time", None]
    assert sold["description"].endswith("Training saw 2020-01-01 to 2022-01-01.")
    assert "Training saw" not in unknown["description"]
    assert schemas["Row"]["examples"] == [{"sold": "2020-12-31", "unknown": None, "new": "False"}]
    # and a column of them is a list of the same
    items = schemas["Batch"]["oneOf"][1]["properties"]["columns"]["properties"]["sold"]["items"]
    assert items == {"type": sold["type"], "anyOf": sold["anyOf"]}
