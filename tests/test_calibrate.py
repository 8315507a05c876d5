"""`assistant calibrate`: the fit and its numbers by hand, what counts for which models, and the whole on a real one."""
from __future__ import annotations

import json
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from assistant import Assistant, Config
from assistant.backends import calibration
from assistant.backends.calibration import Calibrated, Calibration
from assistant.backends.cross_encoder import EMBEDDED, EmbeddedCrossEncoder, SentenceTransformersCrossEncoder
from assistant.calibrate import NEEDED, Asked, auc, calibrate, choose, expected_error, fit, fitted, label, smoothed
from assistant.calibrate import told as told_in_words
from assistant.cli import main
from assistant.errors import InputError, ModelError
from assistant.parts import Parts
from eval.suite.cases import Passage, load
from tests.fakes import FakeEmbedder, FakeStore

NAMES = ("Orrin", "Skarn", "Velm", "Tisse", "Onra", "Brio", "Nadel", "Quarn", "Lorm", "Vesk", "Hollin", "Marre", "Dunt",
         "Eskel", "Fauna", "Grith", "Istra", "Jorv", "Kells", "Lunde", "Mirra", "Noske")
HOURS = ("six", "seven", "eight", "nine", "ten", "eleven")


class Words:
    """A cross-encoder whose logit is the share of the question's words that stand in the text, times 8, minus 4."""

    name, fingerprint, calibration, calibrated, threshold = "words", "words-1", None, False, 0.0

    def logits(self, question, texts):
        asked = set(question.lower().strip("?").split())
        return np.array([8 * len(asked & set(text.lower().replace(".", " ").split())) / len(asked) - 4
                         for text in texts], np.float32)


def village(folder: Path) -> tuple[Path, Path]:
    """(documents, gold): a museum in each of 22 villages opens at an hour; what a ticket costs stands nowhere."""
    documents, gold = folder / "documents", folder / "gold.jsonl"
    documents.mkdir()
    said = {name: f"The museum of {name} opens at {HOURS[n % 6]} in the morning." for n, name in enumerate(NAMES)}
    for part in (0, 1):
        (documents / f"part{part}.md").write_text(
            "\n".join(f"## {name}\n\n{said[name]} Visitors like it a lot.\n" for name in NAMES[part::2]))
    lines = []
    for n, name in enumerate(NAMES):
        lines += [{"id": f"a{n}", "kind": "fact", "question": f"When does the museum of {name} open?",
                   "answerable": True, "evidence": [{"document": f"part{n % 2}.md", "quote": said[name]}],
                   "facts": [[HOURS[n % 6]]]},
                  {"id": f"u{n}", "kind": "far", "question": f"How much is a ticket for the swimming pool in {name}?",
                   "answerable": False, "facts": []}]
    gold.write_text("\n".join(map(json.dumps, lines)) + "\n")
    return documents, gold


@pytest.fixture()
def rag(tmp_path) -> Assistant:
    """The villages on fakes: a reranker put in the place of the embedded one."""
    documents, _ = village(tmp_path)
    made = Assistant(Config(index=str(tmp_path / "index"), reranker="words", llm="off", traces=False))
    use(made, FakeEmbedder(), Words())
    made.ingest([documents])
    return made


def use(rag: Assistant, embedder: FakeEmbedder, reranker) -> None:
    config, store = rag.config, getattr(rag, "kept_store", FakeStore())
    rag.kept_store = store
    rag.parts = Parts(config, {("embedder", "embedded"): embedder, ("query_encoder", "embedded embedded"): embedder,
                                ("vectors", f"{config.index} embedded"): store, ("reranker", "words"): reranker})


# the fit ---------------------------------------------------------------------------------------------------------


def test_the_weights_are_those_of_maximum_likelihood():
    # two groups: logit 0 answers 1 of 4 times, logit 1 answers 3 of 4: log-odds -log 3 and log 3, whatever the cosine
    logits, labels = np.repeat([0.0, 1.0], 4), np.array([1, 0, 0, 0, 1, 1, 1, 0], float)
    a, b, c = fit(logits, np.zeros(8), labels)
    np.testing.assert_allclose([a, b, c], [2 * np.log(3), 0, -np.log(3)], atol=1e-5)
    np.testing.assert_allclose(fit(logits / 2, logits / 4, labels, ratio=2.0), [2 * np.log(3), 4 * np.log(3),
                                                                               -np.log(3)], atol=1e-5)


def test_no_weight_is_negative():
    logits, labels = np.repeat([0.0, 1.0], 4), np.array([1, 0, 0, 0, 1, 1, 1, 0], float)
    falling = np.array([0.1, 0.9, 0.8, 0.7, 0.2, 0.1, 0.3, 0.9])  # the higher, the less it answers
    for given, want in (((logits, falling), [2 * np.log(3), 0.0, -np.log(3)]),
                        ((-logits, logits), [0.0, 2 * np.log(3), -np.log(3)]),
                        ((-logits, falling), [0.0, 0.0, 0.0])):
        np.testing.assert_allclose(fit(*given, labels), want, atol=1e-5)
    np.testing.assert_allclose(fit(-logits, falling * 0, labels, ratio=1.0), [0, 0, 0], atol=1e-6)


def test_labels_that_are_parted_perfectly_give_finite_weights():
    # Platt: 3 positives become 4/5, 2 negatives 1/4
    np.testing.assert_allclose(smoothed(np.array([1, 1, 1, 0, 0.0])), [0.8, 0.8, 0.8, 0.25, 0.25])
    labels = np.array([1, 1, 1, 0, 0.0])
    weight, _, bias = fit(np.array([900, 900, 900, -900, -900.0]), np.zeros(5), smoothed(labels))
    np.testing.assert_allclose([900 * weight + bias, -900 * weight + bias], [np.log(4), -np.log(3)], atol=1e-4)


def test_threshold_error_and_auc_by_hand():
    # everything from above 0.3 to 0.6 keeps both and declines both; the middle of 0.31 to 0.60 is 0.46
    assert choose((np.array([0.6, 0.9]), np.array([0.1, 0.3]))) == 0.46
    # bin 0.2 to 0.3: mean 0.24 against 1/2, half of all; bin 0.9 to 1: mean 0.95 against 1, half
    assert expected_error(np.array([0.22, 0.26, 0.93, 0.97]), np.array([0, 1, 1, 1.0])) == pytest.approx(0.13 + 0.025)
    assert auc([3, 1], [2, 1]) == (1 + 1 + 0 + 0.5) / 4


def test_a_candidate_is_gold_where_it_covers_four_fifths():
    spans = [Passage("a.md", 100, 200, "q"), Passage("b.md", 0, 10, "q")]
    assert label("a.md", 0, 180, spans) == 1.0 == label("b.md", 0, 8, spans)
    assert np.isnan(label("a.md", 0, 179, spans)) and np.isnan(label("a.md", 199, 400, spans))
    assert label("a.md", 0, 100, spans) == 0.0 == label("c.md", 0, 500, spans)


# what counts for which models ------------------------------------------------------------------------------------


def test_a_calibration_counts_for_the_models_it_names_and_no_others(rag, tmp_path):
    question = "When does the museum of Velm open?"
    before = rag.retrieve(question)
    assert (before.gate, before.calibrated) == ("off", False) and "assistant calibrate" in before.gate_reason
    plain = rag.parts.fingerprints()["reranker"]
    report = calibrate(rag, tmp_path / "gold.jsonl", load)
    found = rag.retrieve(question)  # the same Assistant, from the next question on
    assert found.calibrated and found.gate == "passed" and rag.parts.reranker.threshold == report["threshold"]
    assert rag.retrieve("How much is a ticket for the swimming pool in Velm?").gate == "declined"
    assert rag.parts.fingerprints()["reranker"] != plain == "words-1"
    stored = json.loads(Path(report["file"]).read_text())
    assert stored["embedder"] == "fake-64" and stored["reranker_fingerprint"] == "words-1"
    assert stored["query_encoders"] == ["off"] and stored["fitted_on"]["answerable"] == 22
    assert Path(report["file"]).parent == tmp_path / "index" / "calibrations"

    other = Words()
    other.fingerprint = "words-2"
    use(rag, FakeEmbedder(), other)
    assert not rag.retrieve(question).calibrated
    use(rag, FakeEmbedder(), Words())
    assert rag.retrieve(question).calibrated
    reader = FakeEmbedder()
    reader.query_fingerprint = "another"
    use(rag, reader, Words())
    assert not rag.parts.reranker.calibrated
    use(rag, FakeEmbedder("e5"), Words())
    assert not rag.parts.reranker.calibrated and rag.parts.reranker.threshold == 0.0
    np.testing.assert_allclose(rag.parts.reranker.probabilities(np.zeros(1), np.ones(1)), [0.5])


def test_the_embedded_reranker_is_calibrated_for_the_embedded_embedder_alone(tmp_path):
    """With its query encoder or without (calibration.py says why); not with another model's cosines."""
    for config in (Config(index=str(tmp_path)), Config(index=str(tmp_path), query_encoder="off")):
        parts = Parts(config)
        assert parts.reranker.calibrated and parts.reranker.threshold == Calibration.load(
            EMBEDDED / "calibration.json").threshold
    for other in (FakeEmbedder("e5"), FakeEmbedder("bge", 384)):
        assert not Calibrated(EmbeddedCrossEncoder(), lambda other=other: other, tmp_path).calibrated
        assert not Parts(config).with_embedder(other).reranker.calibrated
    read_otherwise = FakeEmbedder()
    read_otherwise.fingerprint = Calibration.load(EMBEDDED / "calibration.json").embedder
    assert Calibrated(EmbeddedCrossEncoder(), lambda: read_otherwise, tmp_path).calibrated
    read_otherwise.query_fingerprint = "another folder"
    assert not Calibrated(EmbeddedCrossEncoder(), lambda: read_otherwise, tmp_path).calibrated


def test_another_threshold_is_another_reranker(tmp_path):
    for file in EMBEDDED.iterdir():
        (tmp_path / file.name).symlink_to(file)
    own = EmbeddedCrossEncoder(tmp_path).fingerprint
    assert own == EmbeddedCrossEncoder().fingerprint
    stored = json.loads((EMBEDDED / "calibration.json").read_text())
    (tmp_path / "calibration.json").unlink()
    (tmp_path / "calibration.json").write_text(json.dumps(stored | {"threshold": 0.5}))
    assert EmbeddedCrossEncoder(tmp_path).fingerprint != own


def test_a_damaged_calibration_is_named(rag, tmp_path):
    file = calibration.file_of(tmp_path / "index", "words-1", FakeEmbedder())
    file.parent.mkdir()
    for text in ("{", "[]", '{"logit_weight": 1}', '{"logit_weight": "much"}'):
        file.write_text(text)
        with pytest.raises(ModelError, match=r"cannot read the calibration .*calibrate again"):
            rag.retrieve("When does the museum of Velm open?")


@pytest.mark.parametrize("made", [EmbeddedCrossEncoder, lambda: SentenceTransformersCrossEncoder("any")])
def test_two_threads_load_a_reranker_once(made, monkeypatch):
    reranker, loads, gate = made(), [], threading.Barrier(2)
    monkeypatch.setattr(reranker, "_load", lambda: loads.append(1) or time.sleep(0.05) or ("loaded",))

    def both():
        gate.wait()
        return reranker._loaded if isinstance(reranker, EmbeddedCrossEncoder) else reranker._model
    with ThreadPoolExecutor(2) as pool:
        assert [one.result() for one in [pool.submit(both), pool.submit(both)]] == [("loaded",)] * 2
    assert loads == [1]


# refusals --------------------------------------------------------------------------------------------------------


def test_what_cannot_be_calibrated_is_refused_in_one_line(rag, tmp_path):
    rows = [json.loads(line) for line in (tmp_path / "gold.jsonl").read_text().splitlines()]
    few = tmp_path / "few.jsonl"

    def refused(said: str, with_rows=rows, rag=rag) -> None:
        few.write_text("\n".join(map(json.dumps, with_rows)))
        with pytest.raises(InputError, match=said) as caught:
            calibrate(rag, few, load)
        assert "\n" not in str(caught.value) and caught.value.exit_code == 2
        assert not (tmp_path / "index" / "calibrations").exists()

    unanswerable = [row for row in rows if not row["answerable"]]
    refused(rf"holds 22 answerable and {NEEDED - 1} unanswerable questions .*at least {NEEDED} of each are needed",
            [row for row in rows if row["answerable"]] + unanswerable[:NEEDED - 1])
    refused("holds 0 answerable and 22 unanswerable", unanswerable)
    refused("holds 0 answerable and 0 unanswerable", [row | {"split": "held"} for row in rows])
    wrong = [row | {"evidence": [{"document": "part0.md", "quote": "not there"}]} if row["answerable"] else row
             for row in rows]
    refused(r"few.jsonl:1: a0: the quote 'not there' stands 0 times in part0.md; expected once \(and 21 more like it\)",
            wrong)
    refused("no documents are named 'nowhere.md'",
            [rows[0] | {"evidence": [{"document": "nowhere.md", "quote": "x"}]}, *rows[1:]])
    refused("the reranker is off in the settings", rag=rag.with_config(rag.config.replace({"rerank": "off"})))
    refused("the reranker is off", rag=rag.with_config(rag.config.replace({"reranker": "off"})))
    refused("holds no documents: run `assistant ingest PATH`",
            rag=Assistant(Config(index=str(tmp_path / "empty"), llm="off")))
    with pytest.raises(InputError, match="no gold set there"):
        calibrate(rag, tmp_path / "none.jsonl", load)
    backwards = Words()
    backwards.logits = lambda question, texts: -Words.logits(backwards, question, texts)
    use(rag, FakeEmbedder(), backwards)
    refused("the reranker's score does not rise with relevance")


def test_too_few_passages_among_the_candidates_are_refused():
    one = Asked(True, np.zeros(2), np.zeros(2), np.array([0.0, np.nan]))
    with pytest.raises(InputError, match="only 0 answerable questions have their passage among the candidates: at "
                                         "least 10"):
        fitted([one] * 40, "x")


def test_where_the_cosine_alone_would_do_the_logit_keeps_its_weight():
    rng = np.random.default_rng(3)

    def one(answerable: bool) -> Asked:
        gold = np.array([1.0, 0.0, 0.0]) * answerable
        return Asked(answerable, gold * 4 - 3 * gold * rng.random(3) + 0.5 * rng.random(3), gold * 0.6, gold)

    asked = [one(at % 2 == 0) for at in range(60)]
    logits, cosines, labels = (np.concatenate([getattr(a, name) for a in asked])
                               for name in ("logits", "cosines", "labels"))
    assert fit(logits, cosines, smoothed(labels))[0] < 1e-9 and auc(logits[labels > 0], logits[labels <= 0]) > 0.99
    made = fitted(asked, "x")
    assert made.logit_weight > 0 == made.cosine_weight


# the whole, on a real CrossEncoder -------------------------------------------------------------------------------


def test_a_cross_encoder_of_ones_own_gets_its_gate_from_the_command(tmp_path, capsys):
    from eval.reranker.reference import write
    own = write(EMBEDDED / "model.onnx", EMBEDDED / "tokenizer.json", tmp_path / "own")
    documents, gold = village(tmp_path)
    common = ["--index", str(tmp_path / "index"), "--set", f"reranker={own}", "--set", "candidates=6"]

    def asked(question: str, *more: str) -> dict:
        assert main(["retrieve", question, "--json", *common, *more]) == 0
        return json.loads(capsys.readouterr().out)

    assert main(["ingest", str(documents), *common]) == 0
    capsys.readouterr()
    question = "When does the museum of Velm open?"
    before = asked(question)
    assert (before["calibrated"], before["gate"]) == (False, "off")
    assert main(["calibrate", "--gold", str(gold), "--json", *common]) == 0
    told = capsys.readouterr()
    report = json.loads(told.out)
    assert "calibrating [" in told.err and report["reranker"] == "own" and report["logit_weight"] > 0
    assert report["fitted_on"] | {"candidates": 0, "index_fingerprint": ""} == {
        "gold": "gold.jsonl", "answerable": 22, "unanswerable": 22, "candidates": 0, "positive": 22,
        "questions_with_their_passage": 22, "index_fingerprint": ""}
    assert report["auc"] > 0.95 and report["answerable_kept"] > 0.9 and report["unanswerable_declined"] > 0.9
    assert report["calibration_error"] < 0.1 and 0 < report["threshold"] < 1
    after, declined = asked(question), asked("How much is a ticket for the swimming pool in Velm?")
    assert (after["calibrated"], after["gate"], declined["gate"]) == (True, "passed", "declined")
    assert f"\nthreshold   {report['threshold']:.2f}: " in told_in_words(report)
    assert main(["calibrate", "--gold", str(gold), *common, "--set", "rerank=off"]) == 2
    assert capsys.readouterr().err.startswith("assistant: the reranker is off in the settings")
    (own / "vocab.txt").write_text("other content")  # another model now
    assert asked(question)["calibrated"] is False
