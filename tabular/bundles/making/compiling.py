"""Compiles a fitted pipeline of `tabular.learning.training` into the files of a compiled predictor."""

import io
from typing import Any, NamedTuple

import numpy as np
from lightgbm import LGBMRegressor
from numpy.typing import NDArray
from sklearn.compose import ColumnTransformer, TransformedTargetRegressor
from sklearn.experimental import enable_iterative_imputer  # noqa: F401  (the import is what enables it)
from sklearn.impute import IterativeImputer, KNNImputer, SimpleImputer
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import OneHotEncoder, TargetEncoder

from tabular.bundles import recipe
from tabular.bundles.bundle import ARRAYS, RECIPE
from tabular.bundles.making.ensembles import forest
from tabular.bundles.making.trees import NotCompilable, to_onnx
from tabular.config.expression import parse
from tabular.learning.algorithms import LabelledClassifier
from tabular.learning.clusters import ClusterSimilarity
from tabular.learning.features_derived import DateFeatures, ExpressionFeature
from tabular.learning.imputation import ScaledImputer


class Raw(NamedTuple):
    """The raw columns of a fitted pipeline."""

    numbers: list[str]
    """Names of number columns and of date columns, which become numbers of days."""
    categories: dict[str, list[str]]
    """Categories of each category column in the order of the encoder."""
    dates: frozenset[str] = frozenset()
    """Those of `numbers` that are dates."""


class _Parts(NamedTuple):
    arrays: dict[str, NDArray[Any]]
    files: dict[str, bytes]


def raw_columns(model: Pipeline) -> Raw:
    """The raw columns that the pipeline reads, by kind."""
    read = {name: (part, list(columns)) for name, part, columns in model.named_steps["impute"].transformers_}
    (fill, numbers), (_, categories) = (read.get(name, (None, [])) for name in ("numeric", "categories"))
    dates = frozenset(fill.named_steps["dates"].columns if isinstance(fill, Pipeline) else ())
    known: dict[str, list[str]] = {}
    for _, part, columns in model.named_steps["features"].named_steps["columns"].transformers_:
        if isinstance(part, OneHotEncoder | TargetEncoder):
            found = [[str(category) for category in values] for values in part.categories_]
            known |= zip(columns, found, strict=True)
    return Raw(numbers, {column: known[column] for column in categories}, dates)


def compiled(model: Pipeline) -> dict[str, bytes]:
    """The files of the compiled predictor, by name.

    Raises:
        NotCompilable: the pipeline has a part that the compiled predictor cannot compute.
    """
    raw, parts = raw_columns(model), _Parts({}, {})
    last = model.named_steps["estimator"]
    estimator, task, undo = _inner(last)
    imputer = model.named_steps["impute"].named_transformers_.get("numeric")
    if isinstance(imputer, Pipeline):
        imputer = imputer.named_steps["fill"]
    blocks = _blocks(model.named_steps["features"].named_steps["columns"], raw, parts)
    width = len(model.named_steps["features"].named_steps["columns"].get_feature_names_out())
    found, link = _estimator(estimator, width, parts)
    written = recipe.Recipe(
        task=task,
        imputer=None if imputer is None else _imputer(imputer, parts),
        blocks=blocks,
        estimator=found,
        link=link,
        undo=undo,
        temperature=last.temperature if task == "classification" else 1.0,
    )
    files = {RECIPE: written.model_dump_json(indent=1).encode(), **parts.files}
    if parts.arrays:
        packed = io.BytesIO()
        np.savez_compressed(packed, allow_pickle=False, **parts.arrays)
        files[ARRAYS] = packed.getvalue()
    return files


def _inner(last: Any) -> tuple[Any, Any, Any]:
    """The innermost estimator, its task, and the name of the inverse of the target's transform."""
    if isinstance(last, LabelledClassifier):
        if len(last.classes_) < 2:
            raise NotCompilable("it knows a single class")
        return last.estimator_, "classification", "none"
    if not isinstance(last, TransformedTargetRegressor):
        raise NotCompilable(f"its estimator is a {type(last).__name__}")
    if last.inverse_func not in (None, np.exp):
        raise NotCompilable(f"its target is transformed back by {last.inverse_func}")
    return last.regressor_, "regression", "none" if last.inverse_func is None else "exp"


def _estimator(estimator: Any, width: int, parts: _Parts) -> tuple[Any, Any]:
    if isinstance(estimator, Pipeline):
        return _linear(estimator, parts)
    found = forest(estimator)
    if found is None:
        raise NotCompilable(f"its estimator is a {type(estimator).__name__}")
    parts.files["estimator.onnx"] = to_onnx(found.trees, width, found.outputs, found.single)
    trees = recipe.Ensemble(file="estimator.onnx", single=found.single)
    return recipe.Boosted(trees=trees, base=tuple(found.base), divisor=found.divisor), found.link


def _linear(pipeline: Pipeline, parts: _Parts) -> tuple[Any, Any]:
    scaler, model = pipeline.named_steps["scale"], pipeline.named_steps["model"]
    if not isinstance(model, Ridge | LogisticRegression) or getattr(model, "solver", "") == "liblinear":
        raise NotCompilable(f"its linear model is a {type(model).__name__}")
    if not scaler.with_mean or not scaler.with_std:
        raise NotCompilable("its scaler does not both shift and scale")
    coefficients = np.atleast_2d(model.coef_)
    # The scaler computes in the type of its input, which is float32.
    parts.arrays["mean"], parts.arrays["scale"] = scaler.mean_.astype(np.float32), scaler.scale_.astype(np.float32)
    parts.arrays["coefficients"] = np.ascontiguousarray(coefficients.T)
    parts.arrays["intercepts"] = np.broadcast_to(np.atleast_1d(model.intercept_), len(coefficients)).copy()
    if isinstance(model, Ridge):
        return recipe.Linear(), "identity"
    return recipe.Linear(), "sigmoid" if len(coefficients) == 1 else "softmax"


def _imputer(fitted: ScaledImputer, parts: _Parts) -> Any:
    scaler, imputer = fitted.pair()
    if imputer.add_indicator or not np.isnan(imputer.missing_values):
        raise NotCompilable("its imputer adds indicators, or takes another value than NaN for a missing one")
    if isinstance(imputer, KNNImputer):
        if imputer.weights != "uniform" or imputer.metric != "nan_euclidean" or not imputer._valid_mask.all():
            raise NotCompilable("its neighbours are weighted, or a column had no value at all")
        # The array keeps its order in memory, because the last digits of a distance depend on it, and these can decide
        # between two neighbours.
        parts.arrays["neighbours"] = imputer._fit_X
        mean, scale = (None, None) if scaler is None else (_numbers(scaler.mean_), _numbers(scaler.scale_))
        return recipe.NeighbourImputer(count=imputer.n_neighbors, mean=mean, scale=scale)
    if scaler is not None:
        raise NotCompilable(f"its {type(imputer).__name__} works on scaled values")
    if isinstance(imputer, SimpleImputer):
        return recipe.ConstantImputer(fill=_fill(imputer))
    if isinstance(imputer, IterativeImputer):
        return _iterative(imputer, parts)
    raise NotCompilable(f"its imputer is a {type(imputer).__name__}")


def _iterative(imputer: IterativeImputer, parts: _Parts) -> Any:
    fill = _fill(imputer.initial_imputer_)
    if imputer.sample_posterior:
        raise NotCompilable("its imputer draws values at random")
    if imputer.n_iter_ == 0:
        return recipe.ConstantImputer(fill=fill)
    if not (np.isneginf(imputer._min_value).all() and np.isposinf(imputer._max_value).all()):
        raise NotCompilable("its imputer clips what it estimates")
    estimates = []
    for number, (column, inputs, estimator) in enumerate(imputer.imputation_sequence_):
        found = forest(estimator) if isinstance(estimator, LGBMRegressor) else None
        if found is None or found.link != "identity":
            raise NotCompilable(f"its imputer estimates with a {type(estimator).__name__}")
        name = f"imputer_{number}.onnx"
        parts.files[name] = to_onnx(found.trees, len(inputs), 1)
        trees = recipe.Ensemble(file=name, single=False)
        estimates.append(recipe.Estimate(column=int(column), inputs=tuple(int(i) for i in inputs), trees=trees))
    return recipe.IterativeImputer(fill=fill, estimates=tuple(estimates))


def _fill(imputer: SimpleImputer) -> tuple[float, ...]:
    fill = _numbers(imputer.statistics_)
    if not np.isfinite(fill).all():
        raise NotCompilable("a number column had no value at all")
    return fill


def _blocks(columns: ColumnTransformer, raw: Raw, parts: _Parts) -> Any:
    number = {name: place for place, name in enumerate(raw.numbers)}
    category = {name: place for place, name in enumerate(raw.categories)}
    blocks: list[Any] = []
    for name, part, names in columns.transformers_:
        if name == "remainder" and part == "drop":
            continue
        if name == "numeric":
            blocks.append(recipe.Numbers(columns=tuple(number[c] for c in names)))
        elif isinstance(part, ClusterSimilarity):
            parts.arrays["centres"] = np.ascontiguousarray(part.kmeans_.cluster_centers_, dtype=np.float64)
            gamma = None if part.encoding == "label" else float(part.gamma_)
            blocks.append(recipe.Clusters(columns=tuple(number[c] for c in names), gamma=gamma))
        elif isinstance(part, OneHotEncoder) and part.drop is part.min_frequency is part.max_categories is None:
            places = tuple(category[c] for c in names)
            whole = places == tuple(range(len(category)))
            sizes = tuple(len(values) for values in part.categories_)
            blocks.append(recipe.OneHot(sizes=sizes, columns=None if whole else places))
        elif isinstance(part, ExpressionFeature):
            columns_named = parse(part.text).columns
            blocks.append(recipe.Expression(text=part.text, columns=tuple(number[c] for c in columns_named)))
        elif isinstance(part, DateFeatures):
            parts_named = tuple(part.parts)
            blocks.append(recipe.DateParts(column=number[names[0]], parts=parts_named, reference=part.reference_))
        elif isinstance(part, TargetEncoder):
            for place, table in enumerate(_target_means(part)):
                parts.arrays[f"target_means_{place}"] = table
            blocks.append(recipe.TargetMeans(columns=tuple(category[c] for c in names)))
        else:
            raise NotCompilable(f"its features hold a {type(part).__name__} that is not known")
    return tuple(blocks)


def _target_means(encoder: TargetEncoder) -> list[NDArray[np.float64]]:
    """For each column a table (categories x outputs); its last row holds the values of an unknown category."""
    outputs = len(encoder.classes_) if encoder.target_type_ == "multiclass" else 1
    unknown = np.atleast_1d(encoder.target_mean_)
    return [
        np.vstack([np.column_stack(encoder.encodings_[start : start + outputs]), unknown])
        for start in range(0, len(encoder.encodings_), outputs)
    ]


def _numbers(values: Any) -> tuple[float, ...]:
    return tuple(float(value) for value in values)
