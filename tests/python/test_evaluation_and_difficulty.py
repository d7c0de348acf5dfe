"""Recomputes what `evaluate` and `difficulty` report, from the tables that they write, with numpy and no code of ours.

COUNTERSIGN_RUN_DIR is a directory with the outputs of one real run, `<step>/<output>/…`: `evaluation/evaluation/evaluation.json`,
`difficulty/difficulty/difficulty.json`. Without it the checks are skipped.
"""

import csv
import json
import os
import pathlib
import unittest

import numpy as np

RUN = os.environ.get("COUNTERSIGN_RUN_DIR")


def table(path):
    with open(path, newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    return {name: [row[name] for row in rows] for name in rows[0]}


def auc(positive, score):
    """Share of (positive, negative) pairs in the right order, ties half: by brute force."""
    above, below = score[positive], score[~positive]
    if len(above) == 0 or len(below) == 0:
        return None
    wins = (above[:, None] > below[None, :]).sum() + 0.5 * (above[:, None] == below[None, :]).sum()
    return wins / (len(above) * len(below))


def average_precision(positive, score):
    if positive.all() or not positive.any():
        return None
    area, found = 0.0, 0
    for threshold in np.unique(score)[::-1]:
        called = score >= threshold
        hits = (called & positive).sum()
        area += (hits - found) / positive.sum() * hits / called.sum()
        found = hits
    return area


def ratio(above, below):
    return None if below == 0 else above / below


def binary_metrics(labels, probabilities):
    positive, score = labels == 1, probabilities[:, 1]
    called = score > probabilities[:, 0]
    hits = (called & positive).sum()
    of_label = np.maximum(probabilities[np.arange(len(labels)), labels], 1e-15)
    return {
        "auc": auc(positive, score),
        "pr_auc": average_precision(positive, score),
        "accuracy": (called == positive).mean(),
        "precision": ratio(hits, called.sum()),
        "recall": ratio(hits, positive.sum()),
        "f1": ratio(2 * hits, called.sum() + positive.sum()),
        "log_loss": -np.log(of_label).mean(),
        "calibration": ratio(score.sum(), positive.sum()),
    }


@unittest.skipUnless(RUN, "COUNTERSIGN_RUN_DIR is not set")
class Evaluation(unittest.TestCase):
    def setUp(self):
        directory = pathlib.Path(RUN) / "evaluation" / "evaluation"
        self.report = json.loads((directory / "evaluation.json").read_text(encoding="utf-8"))
        self.rows = table(directory / "predictions.csv")
        classes = self.report["classes"]
        self.labels = np.array([classes.index(label) for label in self.rows["label"]])
        self.candidate = self.probabilities("p")

    def probabilities(self, letter):
        count = len(self.report["classes"])
        columns = [np.array(self.rows[f"{letter}{c}"], dtype=np.float32).astype(np.float64) for c in range(count)]
        return np.stack(columns, axis=1)

    def test_probabilities_sum_to_one(self):
        np.testing.assert_allclose(self.candidate.sum(axis=1), 1.0, atol=1e-5)

    def test_every_example_is_there_once(self):
        self.assertEqual(len(set(self.rows["_line"])), len(self.labels))
        self.assertEqual(self.report["overall"]["examples"], len(self.labels))

    def test_metrics(self):
        if len(self.report["classes"]) != 2:
            self.skipTest("recomputed for two classes")
        sides = [("candidate", self.candidate)]
        if self.report["has_baseline"]:
            sides.append(("baseline", self.probabilities("b")))
        for side, probabilities in sides:
            for name, expected in binary_metrics(self.labels, probabilities).items():
                with self.subTest(side=side, metric=name):
                    seen = self.report["overall"][side][name]
                    if expected is None:
                        self.assertIsNone(seen)
                    else:
                        self.assertAlmostEqual(seen, expected, places=9)

    def test_slices_are_ranked_and_cover_every_example(self):
        slices, headline = self.report["slices"], self.report["headline"]
        by_column = {}
        for one in slices:
            by_column[one["column"]] = by_column.get(one["column"], 0) + one["examples"]
        for column, examples in by_column.items():
            self.assertEqual(examples, len(self.labels), column)
        small = [one["small"] for one in slices]
        self.assertEqual(small, sorted(small), "small slices come last")
        values = [one["candidate"][headline] for one in slices if not one["small"]]
        defined = [value for value in values if value is not None]
        self.assertEqual(defined, sorted(defined, reverse=headline == "log_loss"), "worst first")


@unittest.skipUnless(RUN, "COUNTERSIGN_RUN_DIR is not set")
class Difficulty(unittest.TestCase):
    def setUp(self):
        directory = pathlib.Path(RUN) / "difficulty" / "difficulty"
        self.report = json.loads((directory / "difficulty.json").read_text(encoding="utf-8"))
        self.rows = table(directory / "scores.csv")
        self.wrong = np.array(self.rows["wrong"], dtype=int)
        self.vog = np.array(self.rows["vog"], dtype=float)
        self.aum = np.array(self.rows["aum"], dtype=float)
        self.loss = np.array(self.rows["mean_loss"], dtype=float)

    def deciles(self, scores):
        order = np.argsort(scores, kind="stable")
        bounds = [tenth * len(order) // 10 for tenth in range(11)]
        return [order[start:end] for start, end in zip(bounds, bounds[1:])]

    def test_decile_table(self):
        seen = self.report["error_by_decile"]
        expected = [self.wrong[members].mean() for members in self.deciles(self.vog)]
        np.testing.assert_allclose(seen, expected, atol=1e-12)
        self.assertAlmostEqual(self.report["base_error"], self.wrong.mean(), places=12)

    def test_hardest_tenth(self):
        highest = self.deciles(self.vog)[-1]
        share = self.wrong[highest].sum() / max(self.wrong.sum(), 1)
        self.assertAlmostEqual(self.report["hardest_tenth_error_share"], share, places=12)
        by_margin = self.deciles(-self.aum)[-1]
        overlap = len(set(highest) & set(by_margin)) / len(highest)
        self.assertAlmostEqual(self.report["overlap_with_aum"], overlap, places=12)
        lines = [int(self.rows["_line"][row]) for row in np.argsort(self.vog, kind="stable")[::-1][:50]]
        self.assertEqual([one["row"] for one in self.report["hardest"]], lines)

    def test_direction_is_the_tables(self):
        table = self.report["error_by_decile"]
        if self.report["direction"] == "high = hard":
            self.assertGreater(table[-1], table[0])
        elif self.report["direction"] == "flipped":
            self.assertLess(table[-1], table[0])

    def test_suspects(self):
        classes = len(set(self.rows["label"]) | set(self.rows["predicted"]))
        tail = -(-len(self.loss) // 50)
        worst = set(np.argsort(-self.loss, kind="stable")[:tail]) & set(np.argsort(self.aum, kind="stable")[:tail])
        suspects = {row for row in worst if self.aum[row] < 0 and self.loss[row] > np.log(5 * classes)}
        self.assertEqual(self.report["suspected_mislabelled"], len(suspects))

    def test_wrong_is_what_the_labels_say(self):
        differs = np.array(self.rows["label"]) != np.array(self.rows["predicted"])
        np.testing.assert_array_equal(self.wrong, differs.astype(int))


@unittest.skipUnless(RUN, "COUNTERSIGN_RUN_DIR is not set")
class Together(unittest.TestCase):
    def test_both_saw_the_same_examples(self):
        run = pathlib.Path(RUN)
        evaluation = table(run / "evaluation" / "evaluation" / "predictions.csv")
        difficulty = table(run / "difficulty" / "difficulty" / "scores.csv")
        self.assertEqual(evaluation["_line"], difficulty["_line"])
        self.assertEqual(evaluation["label"], difficulty["label"])


if __name__ == "__main__":
    unittest.main()
