"""The OpenAPI document for columns of each kind."""

from service.openapi import document
from service.settings import Settings
from tabular.arithmetic.dates import days
from tabular.bundles.bundle import Column
from tests.support.watched import model

BUNDLE = model().bundle.model_copy(
    update={
        "columns": (
            Column(name="sold", kind="date", min=days("2020-01-01"), max=days("2022-01-01"), missing_share=0.0),
            Column(name="unknown", kind="date", missing_share=1.0),
            Column(name="new", kind="category", categories=("False", "True"), missing_share=0.0),
        )
    }
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
