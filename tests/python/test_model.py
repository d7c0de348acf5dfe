"""What Countersign's evaluation measured is what onnxruntime answers from the deployed file and raw rows.

Needs the artifacts of a real run, one folder a step and output: COUNTERSIGN_RUN_DIR/<step>/<output>/...
"""

import csv
import json
import os
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pyarrow.parquet as parquet
import pytest

RUN_DIR = os.environ.get("COUNTERSIGN_RUN_DIR")
pytestmark = pytest.mark.skipif(not RUN_DIR, reason="COUNTERSIGN_RUN_DIR names no run")
TOLERANCE = 1e-5


def artifact(step, output):
    return Path(RUN_DIR) / step / output


def as_text(value):
    """A value as the graph reads it as text: a whole float without its fraction, a missing one as nothing."""
    if value is None:
        return ""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)


def feed(table, inputs):
    """Raw columns as graph inputs: numbers as double with NaN for missing, text with "" for missing."""
    fed = {}
    for column in inputs:
        values = table.column(column["name"]).to_pylist()
        if column["text"]:
            array = np.array([as_text(v) for v in values], dtype=object)
        else:
            array = np.array([np.nan if v is None else v for v in values], dtype=np.float64)
        fed[column["name"]] = array.reshape(-1, 1)
    return fed


@pytest.fixture(scope="module")
def rows():
    parts = sorted((artifact("examples", "examples") / "eval").glob("*.parquet"))
    assert parts, "the run has no eval rows"
    return parquet.read_table(parts if len(parts) > 1 else parts[0]).sort_by("_line")


@pytest.fixture(scope="module")
def index():
    return json.loads((artifact("model", "model") / "model.json").read_text())


@pytest.fixture(scope="module")
def answers(rows, index):
    session = onnxruntime.InferenceSession(artifact("model", "model") / "model.onnx", providers=["CPUExecutionProvider"])
    assert [i.name for i in session.get_inputs()] == [c["name"] for c in index["inputs"]]
    logits, probabilities = session.run(["logits", "probabilities"], feed(rows, index["inputs"]))
    return {"logits": logits, "probabilities": probabilities}


@pytest.mark.parametrize("step, output, file", [
    ("transform", "transform", "transform.onnx"),
    ("model", "model", "model.onnx"),
    ("push", "pushed", "model.onnx"),
])
def test_the_checker_accepts_every_graph(step, output, file):
    path = artifact(step, output) / file
    if step == "push" and not path.exists():
        pytest.skip("the run was not pushed")
    model = onnx.load(path)
    onnx.checker.check_model(model, full_check=True)
    assert model.ir_version == 8
    assert {o.domain: o.version for o in model.opset_import} == {"": 17, "ai.onnx.ml": 3}


def test_features_are_finite_and_as_many_as_named(rows):
    folder = artifact("transform", "transform")
    index = json.loads((folder / "transform.json").read_text())
    session = onnxruntime.InferenceSession(folder / "transform.onnx", providers=["CPUExecutionProvider"])
    (features,) = session.run(["features"], feed(rows, index["inputs"]))
    assert features.shape == (rows.num_rows, len(index["features"]))
    assert np.isfinite(features).all() and np.abs(features).max() <= 10


def test_probabilities_are_the_softmax_of_the_logits(answers):
    shifted = np.exp(answers["logits"] - answers["logits"].max(axis=1, keepdims=True))
    expected = shifted / shifted.sum(axis=1, keepdims=True)
    assert np.abs(answers["probabilities"] - expected).max() < 1e-6


def test_onnxruntime_answers_what_our_evaluation_measured(rows, index, answers):
    with open(artifact("evaluation", "evaluation") / "predictions.csv", newline="") as file:
        predictions = list(csv.DictReader(file))
    position = {line: i for i, line in enumerate(rows.column("_line").to_pylist())}
    classes = index["label"]["classes"]
    labels = rows.column(index["label"]["name"]).to_pylist()
    assert len(predictions) == sum(as_text(label) in classes for label in labels), "every labelled row was measured"
    picked = [position[int(row["_line"])] for row in predictions]
    assert [as_text(labels[i]) for i in picked] == [row["label"] for row in predictions]
    ours = np.array([[float(row[f"p{c}"]) for c in range(len(classes))] for row in predictions])
    assert np.abs(ours - answers["probabilities"][picked]).max() < TOLERANCE
