"""Our Statistics, Schema and Anomalies artifacts, read with the official tensorflow-metadata classes.

COUNTERSIGN_RUN_DIR is the folder of a real run of the taxi pipeline over config/samples/taxi/taxi_big_tipper.csv with every artifact
exported as <step>/<output>/...; without it these tests fail, they never skip.

Our hash split is not TFDV's, so what adds up over splits (counts, moments, frequencies) is compared with the golden statistics of all rows
together, and what does not (quantiles, histograms) with the run's own Parquet rows.
"""

import json
import os
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from google.protobuf import text_format
from tensorflow_metadata.proto.v0 import anomalies_pb2, schema_pb2, statistics_pb2

GOLDEN = Path(__file__).parent.parent / "data" / "tfdv-golden"
FLOAT, INT, STRING = (statistics_pb2.FeatureNameStatistics.Type.Value(name) for name in ("FLOAT", "INT", "STRING"))


def output(name: str) -> Path:
    run = os.environ.get("COUNTERSIGN_RUN_DIR")
    assert run, "set COUNTERSIGN_RUN_DIR to the exported artifacts of a taxi run"
    found = sorted(Path(run).glob(f"*/{name}"))
    assert len(found) == 1, f"{run} holds {len(found)} outputs called {name}, one is wanted"
    return found[0]


def parsed(path: Path, message):
    read = message.ParseFromString(path.read_bytes())
    assert read == path.stat().st_size
    # What the official classes do not know they keep as unknown fields: a wrong field number would end there.
    known = type(message)()
    known.CopyFrom(message)
    known.DiscardUnknownFields()
    assert known.SerializeToString(deterministic=True) == message.SerializeToString(deterministic=True), path
    return message


def splits() -> list[str]:
    return sorted(folder.name for folder in output("statistics").iterdir() if folder.is_dir())


def ours(split: str):
    statistics = parsed(output("statistics") / split / "stats.pb", statistics_pb2.DatasetFeatureStatisticsList())
    assert len(statistics.datasets) == 1 and statistics.datasets[0].name == split
    return statistics.datasets[0]


def golden(case: str):
    text = (GOLDEN / case / "stats.pbtxt").read_text()
    return text_format.Parse(text, statistics_pb2.DatasetFeatureStatisticsList()).datasets[0]


def name_of(feature) -> str:
    return feature.path.step[0]


def stats_of(feature):
    return getattr(feature, feature.WhichOneof("stats"))


def together(datasets):
    """Name -> what adds up over datasets."""
    merged = {}
    for dataset in datasets:
        for feature in dataset.features:
            stats = stats_of(feature)
            common = stats.common_stats
            merged.setdefault(name_of(feature), []).append((feature.type, common, stats))
    return {name: combine(parts) for name, parts in merged.items()}


def combine(parts):
    result = {
        "present": sum(common.num_non_missing for _, common, _ in parts),
        "missing": sum(common.num_missing for _, common, _ in parts),
        "values": sum(common.tot_num_values for _, common, _ in parts),
    }
    parts = [part for part in parts if part[1].num_non_missing]
    if parts[0][0] == STRING:
        counts = {}
        for _, _, stats in parts:
            for bucket in stats.rank_histogram.buckets:
                counts[bucket.label] = counts.get(bucket.label, 0) + bucket.sample_count
        length = sum(stats.avg_length * common.num_non_missing for _, common, stats in parts) / result["present"]
        return result | {"counts": counts, "length": length}
    weights = np.array([common.num_non_missing for _, common, _ in parts], dtype=float)
    means = np.array([stats.mean for _, _, stats in parts])
    mean = float(weights @ means / weights.sum())
    variances = np.array([stats.std_dev**2 for _, _, stats in parts]) + (means - mean) ** 2
    return result | {
        "mean": mean,
        "std_dev": float(np.sqrt(weights @ variances / weights.sum())),
        "zeros": sum(stats.num_zeros for _, _, stats in parts),
        "min": min(stats.min for _, _, stats in parts),
        "max": max(stats.max for _, _, stats in parts),
        "float": any(kind == FLOAT for kind, _, _ in parts),
    }


def test_statistics_of_all_rows_are_tfdvs():
    mine = together([ours(split) for split in splits()])
    theirs = together([golden("base_train"), golden("eval_clean")])
    assert set(mine) - set(theirs) == {"big_tipper"} and not set(theirs) - set(mine)
    columns = {name: np.concatenate([rows(split)[name] for split in splits()]) for name in theirs}
    for name, golden_feature in theirs.items():
        feature = mine[name]
        for count in ("present", "missing", "values"):
            assert feature[count] == golden_feature[count], (name, count)
        if "counts" in golden_feature:
            assert feature["counts"] == golden_feature["counts"], name
            assert feature["length"] == pytest.approx(golden_feature["length"], rel=1e-6), name
            continue
        assert feature["zeros"] == golden_feature["zeros"], name
        assert feature["mean"] == pytest.approx(golden_feature["mean"], rel=1e-6), name
        # Coordinates have a spread of a thousandth of their size: there single precision alone costs more than 1e-6.
        rounding = 0.0
        if golden_feature["float"]:
            column = columns[name].astype(float)
            exact, single = np.nanstd(column), np.nanstd(column.astype(np.float32).astype(float))
            rounding = abs(exact - single)
        tolerance = 1e-6 * golden_feature["std_dev"] + 1.01 * rounding
        assert feature["std_dev"] == pytest.approx(golden_feature["std_dev"], rel=0, abs=tolerance), name
        for bound in ("min", "max"):
            assert feature[bound] == pytest.approx(golden_feature[bound], rel=1e-6), (name, bound)


def rows(split: str):
    table = pq.read_table(output("examples") / split)
    missing = lambda values: [np.nan if value is None else value for value in values]  # noqa: E731
    return {name: np.array(missing(table.column(name).to_pylist()), dtype=object) for name in table.column_names}


def numbers(values) -> np.ndarray:
    column = values.astype(float)
    return column[~np.isnan(column)]


def test_every_split_describes_its_own_rows():
    index = json.loads((output("examples") / "examples.json").read_text())
    for split in splits():
        dataset, columns = ours(split), rows(split)
        assert dataset.num_examples == index["rows"][split] == len(columns["_line"])
        assert [name_of(feature) for feature in dataset.features] == [column["name"] for column in index["columns"]]
        for feature in dataset.features:
            if feature.type == STRING:
                check_text(feature.string_stats, columns[name_of(feature)])
            else:
                check_numbers(name_of(feature), feature.num_stats, numbers(columns[name_of(feature)]))


def check_text(stats, values):
    present = [value for value in values if isinstance(value, str)]
    assert stats.common_stats.num_non_missing == len(present)
    assert stats.unique == len(set(present))
    assert len(stats.top_values) == min(20, stats.unique)
    for top in stats.top_values:
        assert top.frequency == present.count(top.value)
    frequencies = [top.frequency for top in stats.top_values]
    assert frequencies == sorted(frequencies, reverse=True)


def check_numbers(name, stats, values):
    assert stats.common_stats.num_non_missing == len(values), name
    if not len(values):
        return
    assert stats.mean == pytest.approx(values.mean(), rel=1e-6), name
    assert stats.std_dev == pytest.approx(values.std(), rel=1e-6, abs=1e-12), name
    assert stats.num_zeros == (values == 0).sum(), name
    assert (stats.min, stats.max) == (values.min(), values.max()), name
    assert rank_error(values, stats.median, 0.5) <= 0.01, name
    kinds = {histogram.type: histogram for histogram in stats.histograms}
    assert set(kinds) == {statistics_pb2.Histogram.STANDARD, statistics_pb2.Histogram.QUANTILES}, name
    for histogram in kinds.values():
        assert sum(bucket.sample_count for bucket in histogram.buckets) == pytest.approx(len(values)), name
    for share, bucket in enumerate(kinds[statistics_pb2.Histogram.QUANTILES].buckets, start=1):
        assert rank_error(values, bucket.high_value, share / 10) <= 0.01, (name, share)
    standard = kinds[statistics_pb2.Histogram.STANDARD].buckets
    for bucket in standard[:-1]:
        inside = ((values >= bucket.low_value) & (values < bucket.high_value)).sum()
        assert bucket.sample_count == inside, name


def rank_error(values, value, share) -> float:
    below, upto = (values < value).mean(), (values <= value).mean()
    return max(0.0, below - share, share - upto)


def test_the_reference_bins_hold_every_row_once():
    for split in splits():
        reference = json.loads((output("statistics") / split / "reference.json").read_text())
        columns = rows(split)
        assert reference["rows"] == len(columns["_line"])
        for name, feature in reference["features"].items():
            if feature["type"] == "numeric":
                assert len(feature["counts"]) == len(feature["edges"]) + 1 <= 20
                counts = np.bincount(
                    np.searchsorted(feature["edges"], numbers(columns[name]), side="right"), minlength=len(feature["counts"])
                )
                assert list(counts) == feature["counts"], name
                total = sum(feature["counts"]) + feature["nan"]
            else:
                total = sum(feature["values"].values()) + feature["other"]
            assert total + feature["missing"] == reference["rows"], name


def test_the_schema_is_what_tfdv_infers():
    schema = parsed(output("schema") / "schema.pb", schema_pb2.Schema())
    text = (GOLDEN / "base_train" / "inferred_schema.pbtxt").read_text()
    theirs = text_format.Parse(text, schema_pb2.Schema())
    mine = {feature.name: feature for feature in schema.feature}
    train = {name_of(feature): stats_of(feature).common_stats for feature in ours("train").features}
    assert set(mine) == {feature.name for feature in theirs.feature} | {"big_tipper"}
    for feature in theirs.feature:
        common = train[feature.name]
        # Rows fall differently into splits: the few columns with a handful of missing values may be complete in ours.
        if bool(common.num_missing) == (not feature.presence.min_fraction) and common.num_non_missing:
            assert mine[feature.name] == feature
        else:
            assert mine[feature.name].type == feature.type
    domains = {domain.name: set(domain.value) for domain in schema.string_domain}
    assert set(domains) == {domain.name for domain in theirs.string_domain}
    for feature in ours("train").features:
        if feature.type == STRING:
            assert domains[name_of(feature)] == {bucket.label for bucket in feature.string_stats.rank_histogram.buckets}


def test_anomalies_are_readable_and_name_the_schema_they_were_held_against():
    schema = parsed(output("schema") / "schema.pb", schema_pb2.Schema())
    for split in splits():
        anomalies = parsed(output("anomalies") / split / "anomalies.pb", anomalies_pb2.Anomalies())
        assert [feature.name for feature in anomalies.baseline.feature] == [feature.name for feature in schema.feature]
        assert anomalies.anomaly_name_format == anomalies_pb2.Anomalies.SERIALIZED_PATH
        for name, info in anomalies.anomaly_info.items():
            assert list(info.path.step) == [name] and info.reason
            assert info.severity in (anomalies_pb2.AnomalyInfo.WARNING, anomalies_pb2.AnomalyInfo.ERROR)
            assert all(reason.type != anomalies_pb2.AnomalyInfo.UNKNOWN_TYPE for reason in info.reason)
        for info in anomalies.drift_skew_info:
            for measured in list(info.drift_measurements) + list(info.skew_measurements):
                assert 0 <= measured.value <= 1 and measured.threshold > 0
