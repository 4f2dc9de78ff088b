"""Estimators as files: skops, never pickle, and byte for byte the same for equal estimators."""

import io
import json
import zipfile
import zlib
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator

from tabular.errors import UserError, one_line

TRUSTED_TYPES = [
    "collections.OrderedDict",
    "lightgbm.basic.Booster",
    "lightgbm.sklearn.LGBMClassifier",
    "lightgbm.sklearn.LGBMRegressor",
    "numpy.dtype",
    "sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor",
    "sklearn.impute._iterative.IterativeImputer",
    "sklearn.impute._iterative._ImputerTriplet",
    "sklearn.model_selection._split.KFold",
    "sklearn.model_selection._split.StratifiedKFold",
    "sklearn.tree._tree.Tree",
    "tabular.learning.algorithms.LabelledClassifier",
    "tabular.learning.clusters.ClusterSimilarity",
    "tabular.learning.features.Categories",
    "tabular.learning.features.Float32",
    "tabular.learning.features.RawColumns",
    "tabular.learning.features_derived.DateFeatures",
    "tabular.learning.features_derived.DateNumbers",
    "tabular.learning.features_derived.ExpressionFeature",
    "tabular.learning.imputation.ScaledImputer",
    "xgboost.core.Booster",
    "xgboost.sklearn.XGBClassifier",
    "xgboost.sklearn.XGBRegressor",
]
"""The types that a stored model may hold beyond those that skops trusts by itself; others are refused."""

EPOCH = (1980, 1, 1, 0, 0, 0)
DAMAGE = (AttributeError, EOFError, LookupError, OSError, RuntimeError, ValueError, zipfile.BadZipFile, zlib.error)
"""The exceptions that reading a damaged or foreign file raises, depending on the place of the damage."""


def to_bytes(estimator: BaseEstimator | tuple[Any, ...]) -> bytes:
    """An estimator, or a tuple of estimators, in the format of skops.

    skops numbers its objects by memory address and writes the time, and the nodes of scikit-learn's trees have gaps
    with arbitrary content. All three are replaced, so that equal estimators give equal bytes, whether they were fitted
    or loaded, and a hash of the file identifies the model.
    """
    source = zipfile.ZipFile(io.BytesIO(_skops().dumps(estimator)))
    schema = json.loads(source.read("schema.json"))
    arrays: dict[str, str] = {}
    _renumber(schema, {}, arrays)
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        archive.writestr(zipfile.ZipInfo("schema.json", EPOCH), json.dumps(schema), zipfile.ZIP_DEFLATED)
        for old, new in arrays.items():
            content = source.read(old)
            cleaned = _with_empty_gaps(content) if new.endswith(".npy") else content
            archive.writestr(zipfile.ZipInfo(new, EPOCH), cleaned, zipfile.ZIP_DEFLATED)
    return target.getvalue()


def from_bytes(data: bytes) -> Any:
    """The estimator in a file from `to_bytes`.

    Raises:
        UserError: the file is damaged or of another format, or it names a type that is not trusted; it is not loaded.
    """
    try:  # each array is read, which verifies its checksum
        unknown = sorted(set(_skops().get_untrusted_types(data=data)) - set(TRUSTED_TYPES))
    except DAMAGE as error:
        said = one_line(error)
        raise UserError(f"the model file is damaged, or not a skops file ({said}); fetch or train it again") from error
    older = [name for name in unknown if name.startswith("tabular.")]
    if older:
        problem = f"the model file was made by another version of Stackhouse; this one does not know {', '.join(older)}"
        raise UserError(f"{problem}; train the model again")
    if unknown:
        raise UserError(f"the model file holds types that are not trusted and was not loaded: {', '.join(unknown)}")
    return _skops().loads(data, trusted=TRUSTED_TYPES)


def _with_empty_gaps(content: bytes) -> bytes:
    """The file of an array, with zeros between the fields of its records."""
    array = np.load(io.BytesIO(content), allow_pickle=False)
    if array.dtype.names is None:
        return content
    cleaned = np.zeros(array.shape, array.dtype)
    for name in array.dtype.names:
        cleaned[name] = array[name]
    file = io.BytesIO()
    np.save(file, cleaned, allow_pickle=False)
    return file.getvalue()


def _renumber(node: Any, numbers: dict[int | str, int], arrays: dict[str, str]) -> None:
    """Replace addresses by their order of appearance, in the ids and in the names of the array files."""
    if isinstance(node, list):
        for item in node:
            _renumber(item, numbers, arrays)
    elif isinstance(node, dict):
        if isinstance(node.get("__id__"), int):
            # Two equal texts or numbers are one object in memory by chance only, so each has its own number.
            is_value = node.get("__loader__") == "JsonNode"
            node["__id__"] = numbers.setdefault(f"value {len(numbers)}" if is_value else node["__id__"], len(numbers))
        if isinstance(node.get("file"), str):
            suffix = node["file"].rpartition(".")[2]
            node["file"] = arrays.setdefault(node["file"], f"{len(arrays)}.{suffix}")
        for key, item in node.items():
            if key != "file":
                _renumber(item, numbers, arrays)


def _skops() -> Any:
    """skops.io, imported late: it imports all of scikit-learn, and a run of cached steps does not need that."""
    import skops.io

    return skops.io
