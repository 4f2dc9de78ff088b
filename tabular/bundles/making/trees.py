"""Writes fitted tree ensembles as one ONNX node in which comparisons and leaves keep their type."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

MOST_NODES = 20_000_000
"""Largest number of nodes; with more a file would approach the two gigabytes that ONNX allows."""
LESS_OR_EQUAL, LESS = 0, 1
ONNX_ML, ONNX, IR = 5, 21, 10
"""Versions of the formats: the oldest ones that compare and sum float64."""


class NotCompilable(ValueError):
    """The pipeline has a part that the compiled predictor cannot compute; the message names it."""


class Tree(NamedTuple):
    """One tree; all arrays have one entry for each node, and the root is the first."""

    feature: NDArray[Any]
    threshold: NDArray[Any]
    left: NDArray[Any]
    """Index of the child for which the comparison holds; -1 in a leaf."""
    right: NDArray[Any]
    value: NDArray[Any]
    """Value of a leaf; not used in other nodes."""
    output: int = 0


def constant(value: Any) -> Tree:
    """A tree with one leaf and no split."""
    nowhere = np.array([-1])
    return Tree(np.array([0]), np.array([0.0]), nowhere, nowhere, np.array([value]))


def to_onnx(trees: Sequence[Tree], features: int, outputs: int, single: bool = False) -> bytes:
    """An ONNX model that sums the leaves for each output: its input is rows x features, its output rows x outputs.

    Leaves are added in the order of the trees. With `single` it compares with `<` and sums in float32 as XGBoost does;
    all others use `<=` and float64.

    Raises:
        NotCompilable: the trees have too many nodes for one file.
    """
    if sum(len(tree.left) for tree in trees) > MOST_NODES:
        raise NotCompilable(f"its trees have more than {MOST_NODES:,} nodes")
    parts = [_cleaned(tree) for tree in trees]
    inner = [tree.left >= 0 for tree in parts]
    first_inner = np.cumsum([0, *(int(mask.sum()) for mask in inner)])
    first_leaf = np.cumsum([0, *(int((~mask).sum()) for mask in inner)])
    places = [
        np.where(mask, first_inner[i] + np.cumsum(mask) - 1, first_leaf[i] + np.cumsum(~mask) - 1)
        for i, mask in enumerate(inner)
    ]

    def children(side: str) -> dict[str, Any]:
        ids, leaves = [], []
        for tree, mask, place in zip(parts, inner, places, strict=True):
            child = getattr(tree, side)[mask]
            ids.append(place[child])
            leaves.append(~mask[child])
        name = {"left": "true", "right": "false"}[side]
        return {f"nodes_{name}nodeids": _list(ids), f"nodes_{name}leafs": _list(leaves)}

    dtype, kind = (np.float32, TensorProto.FLOAT) if single else (np.float64, TensorProto.DOUBLE)
    thresholds = np.concatenate([tree.threshold[mask] for tree, mask in zip(parts, inner, strict=True)])
    weights = np.concatenate([tree.value[~mask] for tree, mask in zip(parts, inner, strict=True)])
    modes = np.full(len(thresholds), LESS if single else LESS_OR_EQUAL, dtype=np.uint8)
    node = helper.make_node(
        "TreeEnsemble",
        ["rows"],
        ["sums"],
        domain="ai.onnx.ml",
        n_targets=outputs,
        aggregate_function=1,
        post_transform=0,
        tree_roots=first_inner[:-1].tolist(),
        nodes_featureids=_list([tree.feature[mask] for tree, mask in zip(parts, inner, strict=True)]),
        nodes_splits=numpy_helper.from_array(thresholds.astype(dtype)),
        nodes_modes=numpy_helper.from_array(modes),
        leaf_targetids=_list([np.full((~mask).sum(), tree.output) for tree, mask in zip(parts, inner, strict=True)]),
        leaf_weights=numpy_helper.from_array(weights.astype(dtype)),
        **children("left"),
        **children("right"),
    )
    graph = helper.make_graph(
        [node],
        "trees",
        [helper.make_tensor_value_info("rows", kind, [None, features])],
        [helper.make_tensor_value_info("sums", kind, [None, outputs])],
    )
    opsets = [helper.make_opsetid("", ONNX), helper.make_opsetid("ai.onnx.ml", ONNX_ML)]
    model = helper.make_model(graph, opset_imports=opsets, ir_version=IR, producer_name="stackhouse")
    onnx.checker.check_model(model)
    content: bytes = model.SerializeToString(deterministic=True)
    return content


def _cleaned(tree: Tree) -> Tree:
    """The tree without unreachable nodes, and with at least one split, because a root must not be a leaf in ONNX."""
    if tree.left[0] < 0:
        twice, ends = np.full(3, tree.value[0]), np.array([-1, -1])
        left, right = np.array([1, *ends]), np.array([2, *ends])
        return Tree(np.zeros(3, dtype=int), np.zeros(3), left, right, twice, tree.output)
    reached = np.zeros(len(tree.left), dtype=bool)
    front = np.array([0])
    while len(front):
        reached[front] = True
        inner = front[tree.left[front] >= 0]
        front = np.concatenate([tree.left[inner], tree.right[inner]])
    if reached.all():
        return tree
    number = np.cumsum(reached) - 1
    left, right = (np.where(side >= 0, number[side], -1)[reached] for side in (tree.left, tree.right))
    return Tree(tree.feature[reached], tree.threshold[reached], left, right, tree.value[reached], tree.output)


def _list(parts: Sequence[NDArray[Any]]) -> list[int]:
    numbers: list[int] = np.concatenate(parts).astype(np.int64).tolist()
    return numbers
