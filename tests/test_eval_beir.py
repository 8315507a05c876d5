"""Public sets: 50 documents of our own in BEIR's layout through the real stages, and TREC run files."""
from __future__ import annotations

import json
import math
import shutil
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant import Config
from assistant.errors import InputError
from assistant.ingest.chunk import chunk
from assistant.records import Document
from eval.command import main
from eval.public import beir, trec
from eval.public import index as beir_index
from eval.public import run as beir_run
from eval.public.beir import Entry
from eval.suite import runs
from eval.suite.metrics import Count
from tests.fakes import FakeEmbedder

HARBOUR = Path(__file__).resolve().parent / "sets" / "harbour"


def _set(folder: Path, corpus: list | None = None, queries: list | None = None, qrels: str = "q\ta\t1\n") -> Path:
    """A folder in BEIR's layout; rows are dicts, or lines as they are."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, rows in (("corpus", corpus or [{"_id": "a", "text": "A text."}]),
                       ("queries", queries or [{"_id": "q", "text": "Which?"}])):
        lines = [row if isinstance(row, str) else json.dumps(row) for row in rows]
        (folder / f"{name}.jsonl").write_text("\n".join(lines))
    (folder / "qrels.tsv").write_text(qrels)
    return folder


# reading ----------------------------------------------------------------------------------------------------------


def test_the_set_is_read_by_its_split():
    found = beir.load(HARBOUR)
    assert (found.name, found.split, len(found.corpus), len(found.queries)) == ("harbour", "test", 50, 12)
    assert found.qrels["q4"] == {"sea-wall": 2, "gates": 1, "salt-marsh": 1, "storm-surge": 1}
    dev = beir.load(HARBOUR, "dev")
    assert list(dev.queries) == ["q13", "q14"] and dev.left_out == ("q15",)  # q15 has no relevant document
    assert dev.corpus_fingerprint() == found.corpus_fingerprint()
    assert dev.gold_fingerprint() != found.gold_fingerprint()


def test_one_file_of_judgements_beside_the_others_with_or_without_names(tmp_path):
    rows = [{"_id": 7, "title": None, "text": "x"}, {"_id": "b", "title": "B", "text": "", "url": "u"}]
    for n, qrels in enumerate(("query-id\tcorpus-id\tscore\nq\t7\t1\nq\tb\t0\n", "\ufeffq\t7\t1\r\nq\tb\t0\r\n")):
        found = beir.load(_set(tmp_path / str(n), rows, qrels=qrels))
        assert found.qrels == {"q": {"7": 1, "b": 0}} and found.split == ""
        assert found.corpus == (Entry("7", "", "x"), Entry("b", "B", ""))


def test_which_judgements_are_meant_must_be_clear(tmp_path):
    folder = _set(tmp_path / "s")
    with pytest.raises(InputError, match=r"--split dev: there is no folder .*qrels with .tsv files"):
        beir.load(folder, "dev")
    (folder / "qrels").mkdir()
    for name in ("train", "dev"):
        shutil.copy(folder / "qrels.tsv", folder / "qrels" / f"{name}.tsv")
    with pytest.raises(InputError, match="qrels has dev, train: name one with --split"):
        beir.load(folder)
    with pytest.raises(InputError, match="--split held: qrels has dev, train"):
        beir.load(folder, "held")
    (folder / "qrels" / "dev.tsv").unlink()
    assert beir.load(folder).split == "train"  # the only one
    (folder / "qrels" / "train.tsv").unlink()
    (folder / "qrels.tsv").unlink()
    with pytest.raises(InputError, match=r"no judgements; expected qrels/\*.tsv or qrels.tsv"):
        beir.load(folder)


def test_every_wrong_line_is_said_at_once_and_nothing_is_run(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    corpus = [{"_id": "a", "text": "A."}, "{", "[1]", {"_id": "a", "text": "B."}, {"text": "C."},
              {"_id": "d", "text": 3}, {"_id": "e e", "text": "E."}, {"_id": "f", "title": 1, "text": ""}]
    folder = _set(tmp_path / "s", corpus, [{"_id": "q", "text": "Which?"}, {"_id": "r", "text": " "}],
                  "q\ta\t1\nq\tzz\t1\nx\ta\t1\nq\ta\tmany\nq\ta\t2\nq a 1\n")
    with (folder / "corpus.jsonl").open("ab") as file:
        file.write(b'\n{"_id": "g", "text": "\xff"}')
    (tmp_path / "run.trec").write_text("q Q0 a 1 0.5 tag\nq Q0 a 2\n")
    assert main(["--beir", str(folder), "--set", "kk=3", "--set", "k=many", "--limit", "0", "--suite", "answers",
                 "--json", str(tmp_path / "no" / "x.json"), "--write-run", "whole=x"]) == 2
    said = capsys.readouterr()
    wanted = [f"{folder / 'corpus.jsonl'}:2: no JSON", "corpus.jsonl:3: a JSON list",
              "corpus.jsonl:4: the _id 'a' is taken by line 1", "corpus.jsonl:5: its \"_id\" is None",
              "corpus.jsonl:6: its \"text\" is 3", "corpus.jsonl:7: its \"_id\" is 'e e'; expected no blanks",
              "corpus.jsonl:8: its \"title\" is 1", "corpus.jsonl:9: no UTF-8",
              "queries.jsonl:2: its \"text\" is empty", "qrels.tsv:2: the document 'zz' is not in corpus.jsonl",
              "qrels.tsv:3: the query 'x' is not in queries.jsonl", "qrels.tsv:4: the score is 'many'",
              "qrels.tsv:5: 'q' and 'a' were judged 1 before", "qrels.tsv:6: 1 columns; expected 3",
              "unknown setting 'kk'", "k is 'many'", "--limit 0", "--suite does not go with --beir",
              "there is no folder", "--write-run whole=FILE needs --whole"]
    for words in wanted:
        assert sum(words in line for line in said.err.splitlines()) == 1, (words, said.err)
    assert len(said.err.splitlines()) == len(wanted) and not said.out
    assert not (tmp_path / "data").exists()


@pytest.mark.parametrize("file, words", [
    ("corpus.jsonl", "corpus.jsonl: it is empty"), ("queries.jsonl", "queries.jsonl: it is empty"),
    ("qrels.tsv", "qrels.tsv: it holds no judgement")])
def test_an_empty_file_is_said(file, words, tmp_path):
    folder = _set(tmp_path / "s")
    (folder / file).write_text("\n")
    with pytest.raises(InputError, match=words):
        beir.load(folder)
    (folder / file).unlink()
    with pytest.raises(InputError, match=r"cannot be read|no judgements"):
        beir.load(folder)


def test_a_set_without_a_relevant_document_and_a_folder_that_is_none(tmp_path):
    with pytest.raises(InputError, match="no query has a relevant document"):
        beir.load(_set(tmp_path / "s", qrels="q\ta\t0\n"))
    with pytest.raises(InputError, match=r"no folder .*nowhere: expected one in BEIR's layout"):
        beir.load(tmp_path / "nowhere")


@pytest.mark.parametrize("arguments, words", [
    (["--run-file", "x"], "--run-file needs --beir DIR"), (["--whole"], "--whole needs --beir DIR"),
    (["--split", "test"], "--split test: expected open, held, all"),
    (["--beir", str(HARBOUR), "--run-file", "x", "--set", "k=3"], "--run-file is scored as it is")])
def test_options_that_do_not_go_together(arguments, words, tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    assert main(arguments) == 2
    assert words in capsys.readouterr().err and not (tmp_path / "glassbox").exists()


# run files and measures -------------------------------------------------------------------------------------------


def test_measures_of_a_run_made_by_hand():
    qrels = {"q": {"a": 2, "b": 1, "c": -1}, "none": {"a": 1}, "deep": {"a": 1, "b": 1, "c": 1}}
    deep = [("a", 200.0), *((f"x{n}", 199.0 - n) for n in range(9)), ("b", 150.0),
            *((f"y{n}", 140.0 - n) for n in range(89)), ("c", 1.0)]   # a at rank 1, b at 11, c at 101
    found = trec.counts(qrels, {"q": [("c", 3.0), ("b", 2.0), ("a", 1.0)], "deep": deep, "unknown": [("a", 1.0)]})
    assert found.keys() == qrels.keys()
    values = {query: {name: count.part for name, count in counts.items()} for query, counts in found.items()}
    # gains 0, 1, 2 at ranks 1 to 3; ideal 2, 1
    ndcg = (1 / math.log2(3) + 2 / 2) / (2 + 1 / math.log2(3))
    assert values["q"] == pytest.approx({"ndcg@10": ndcg, "recall@100": 1.0, "mrr@10": 0.5, "ap": (1 / 2 + 2 / 3) / 2})
    assert found["none"] == dict.fromkeys(values["q"], Count(0.0))   # the run has no such query
    ideal = 1 + 1 / math.log2(3) + 1 / 2
    assert values["deep"] == pytest.approx({"ndcg@10": 1 / ideal, "recall@100": 2 / 3, "mrr@10": 1.0,
                                            "ap": (1 + 2 / 11 + 3 / 101) / 3})


@given(st.lists(st.floats(-1e6, 1e6, width=32) | st.sampled_from([0.5, 0.25 + 1e-12, 0.25]), max_size=30))
def test_a_run_file_keeps_the_order_it_was_written_in(tmp_path_factory, scores):
    """Ties and scores that rise are brought into the order given, in single precision as trec_eval reads them."""
    file = tmp_path_factory.mktemp("run") / "run.trec"
    ranking = trec.falling([(f"d{at}", score) for at, score in enumerate(scores)])
    cut = np.array([score for _, score in ranking], np.float32)
    assert (np.diff(cut) < 0).all() and [name for name, _ in ranking] == [f"d{at}" for at in range(len(scores))]
    run = {"q": ranking, "r": [("x", 1.0)]}
    trec.write(file, run, "a b")
    assert trec.read(file) == {query: found for query, found in run.items() if found}
    assert {line.split()[5] for line in file.read_text().splitlines()} == {"a_b"}


def test_falling_leaves_scores_that_fall_already():
    assert trec.falling([("a", 2.0), ("b", 0.5), ("c", -1.0)]) == [("a", 2.0), ("b", 0.5), ("c", -1.0)]


def test_a_run_file_is_ordered_by_score_not_by_rank_or_line(tmp_path):
    file = tmp_path / "run.trec"
    file.write_text("q Q0 a 1 0.1 t\nq\tQ0\tb\t2\t0.3\tt\nq Q0 d 3 0.1 t\n\n")
    assert trec.read(file) == {"q": [("b", 0.3), ("d", 0.1), ("a", 0.1)]}   # equal scores: later ids first


def test_every_wrong_line_of_a_run_file_is_said(tmp_path):
    file = tmp_path / "run.trec"
    file.write_text("q Q0 a 1 0.5 t\nq Q0 a 2 0.4 t\nx Q0 zz 1 nan t\nq Q0 a\n")
    with pytest.raises(InputError) as error:
        trec.read(file, {"q"}, {"a"})
    assert str(error.value).split("\n") == [
        f"{file}:2: the document 'a' was given for 'q' before", f"{file}:3: the query 'x' is not in the set",
        f"{file}:3: the document 'zz' is not in the set", f"{file}:3: the score is 'nan'; expected a number",
        f"{file}:4: 3 columns; expected 6: query, Q0, document, rank, score, run"]
    file.write_text("")
    with pytest.raises(InputError, match="it is empty"):
        trec.read(file)
    with pytest.raises(InputError, match="cannot read the run file"):
        trec.read(tmp_path / "none.trec")


# documents --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("entry, heading, texts", [
    (Entry("a", "A title", "Some words."), "A title", ["Some words."]),
    (Entry("a", "", "Some words."), "", ["Some words."]), (Entry("a", "Only a title", " "), "", ["Only a title"]),
    (Entry("a", "T\nU", "One.\n## Two\nThree."), "T U", ["One.\n\\## Two\nThree."]),
    (Entry("a", "", "---\nkey: value\n---\nSome words."), "", ["---\nkey: value\n---\nSome words."])])
def test_a_document_is_one_section_under_its_title(entry, heading, texts):
    document = Document("d", "", "corpus/0.md", beir_index.markdown(entry), "")
    made = chunk(document, FakeEmbedder().count_tokens, 64, 256)
    assert [(c.heading, c.text) for c in made] == [(heading, text) for text in texts]


def test_texts_are_embedded_ahead_and_come_back_as_by_themselves():
    text = "# T{0}\n\nThe first number is {0}. The second number is also {0}.\n"
    documents = [Document(f"d{n}", "", f"corpus/{n}.md", text.format(n), "") for n in range(120)]
    plain, inner = FakeEmbedder(), FakeEmbedder()
    said = []
    ahead = beir_index.Ahead(inner, documents, 64, lambda *progress: said.append(progress))
    calls = []
    inner_embed, inner.embed = inner.embed, lambda texts: calls.append(len(texts)) or inner_embed(texts)
    for at, document in enumerate(documents):
        texts = [text for made in chunk(document, plain.count_tokens, 64, 256) for text in beir_index._texts(made)]
        if at >= 60:  # those before are in the index already
            assert np.array_equal(ahead.embed(texts), plain.embed(texts))
    assert calls == [150, 60] and said[-1] == (120, 120, "documents")   # 3 texts each: documents 51 to 100, 101 to 120
    assert np.array_equal(ahead.embed(["another"]), plain.embed(["another"])) and calls == [150, 60, 1]


# the real stages --------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def swept(tmp_path_factory):
    """Both combinations of rerank=on,off over the set, by the command: (folder, standard output, result)."""
    folder = tmp_path_factory.mktemp("swept")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_DATA_HOME", str(folder / "data"))
        import contextlib
        import io
        with contextlib.redirect_stdout(io.StringIO()) as out:
            code = main(["--beir", str(HARBOUR), "--set", "llm=off", "--set", "rerank=on,off", "--whole", "--write-run",
                         str(folder / "run.trec"), "--json", str(folder / "x.json"), "--html", str(folder / "x.html")])
        assert code == 0
        yield folder, out.getvalue(), json.loads((folder / "x.json").read_text())


def test_every_stage_is_scored_and_the_index_made_once(swept):
    folder, out, (first, second) = swept
    assert first["suites"]["public"]["stages"] == ["lexical", "dense", "fused", "reranked", "whole"]
    assert second["suites"]["public"]["stages"] == ["lexical", "dense", "fused", "whole"]
    assert (first["timings"]["index_cached"], second["timings"]["index_cached"]) == (False, True)
    assert len(list((folder / "data" / "glassbox" / "eval" / "indexes").iterdir())) == 1
    assert first["fingerprints"]["index"] == second["fingerprints"]["index"]
    cells = [result["suites"]["public"]["metrics"]["open"] for result in (first, second)]
    for stage in ("lexical", "dense", "whole"):
        for name in ("ndcg@10", "recall@100", "mrr@10", "ap"):
            assert cells[0][f"{stage}.{name}"] == cells[1][f"{stage}.{name}"]
    assert all(0 <= cell["low"] <= cell["value"] <= cell["high"] <= 1 and cell["n"] == 12 for cell in cells[0].values())
    assert "harbour, test: 50 documents, 12 queries, 23 judgements" in out and "on  " in out
    assert first["timings"]["latency_ms"]["retrieved"]["n"] == 12 and "rerank" not in second["timings"]["latency_ms"]


def test_what_follows_by_hand(swept):
    """"Beaufort" stands in one document alone; every document has a vector, so both vector stages rank all 50."""
    rows = {row["id"]: row["counts"] for row in swept[2][0]["suites"]["public"]["questions"]}
    assert rows["q5"]["lexical.ndcg@10"] == rows["q5"]["lexical.ap"] == [1.0, 1.0]
    ranked = swept[2][0]["suites"]["public"]["documents_ranked"]
    assert ranked["dense"] == ranked["whole"] == ranked["fused"] == ranked["reranked"] == 50.0 > ranked["lexical"]
    assert all(row["dense.recall@100"] == [1.0, 1.0] for row in rows.values())


def test_a_written_run_scores_as_its_stage_did(swept, capsys):
    """By ir-measures over the file's own lines, and by the command."""
    import ir_measures
    folder, _, (first, _) = swept
    qrels = list(ir_measures.read_trec_qrels("".join(
        f"{q} 0 {d} {score}\n" for q, found in beir.load(HARBOUR).qrels.items() for d, score in found.items())))
    measures = {"ndcg@10": ir_measures.nDCG @ 10, "recall@100": ir_measures.R @ 100, "mrr@10": ir_measures.RR @ 10,
                "ap": ir_measures.AP}
    cells = first["suites"]["public"]["metrics"]["open"]
    for stage in first["suites"]["public"]["stages"]:
        lines = list(ir_measures.read_trec_run(str(folder / f"run.1.{stage}.trec")))
        assert lines
        oracle = ir_measures.calc_aggregate(measures.values(), qrels, lines)
        for name, measure in measures.items():
            assert cells[f"{stage}.{name}"]["value"] == pytest.approx(oracle[measure], abs=1e-6), (stage, name)
    files = [str(folder / f"run.{name}.trec") for name in ("1.dense", "1.reranked")]
    assert main(["--beir", str(HARBOUR), "--run-file", files[0], "--run-file", files[1], "--json", "-"]) == 0
    for stage, result in zip(("dense", "reranked"), json.loads(capsys.readouterr().out), strict=True):
        for name in measures:
            assert result["suites"]["public"]["metrics"]["open"][f"run.{name}"] == pytest.approx(
                cells[f"{stage}.{name}"], abs=.02), (stage, name)   # other draws of the bootstrap
            assert result["suites"]["public"]["metrics"]["open"][f"run.{name}"]["value"] == \
                cells[f"{stage}.{name}"]["value"]


def test_runs_of_public_sets_are_kept_listed_and_compared(swept, capsys):
    page = swept[0] / "lexical.html"
    assert main(["--beir", str(HARBOUR), "--run-file", str(swept[0] / "run.1.lexical.trec"), "--html", str(page)]) == 0
    assert "run.1.lexical.trec" in capsys.readouterr().out and "A public set" in page.read_text()
    assert "<title>Glassbox: a sweep" in (swept[0] / "x.html").read_text()
    kept = runs.files()
    assert main(["--runs"]) == 0 and capsys.readouterr().out.count(" public ") == len(kept)
    off = next(file for file in kept if not json.loads(file.read_text())["config"].get("rerank", True))
    on = next(file for file in kept if json.loads(file.read_text())["config"].get("rerank"))
    assert main(["--compare", str(on), str(off)]) == 0
    shown = capsys.readouterr().out
    assert "public.fused.ndcg@10" in shown and "0/12/0" in shown   # the searches are the same


@pytest.fixture(scope="module")
def asked(swept):
    """The set asked again, with the index that is there: the result, its runs, the Assistant."""
    return beir_run.run(beir.load(HARBOUR), Config(llm="off"), limit=4)


def test_a_part_of_the_queries_and_the_same_numbers_again(swept, asked):
    result, found, _ = asked
    whole = {row["id"]: row for row in swept[2][0]["suites"]["public"]["questions"]}
    rows = result["suites"]["public"]["questions"]
    assert [row["id"] for row in rows] == ["q1", "q4", "q7", "q10"] and result["timings"]["index_cached"]
    for row in rows:
        assert row["counts"].items() <= {name: tuple(v) if isinstance(v, tuple) else v
                                         for name, v in whole[row["id"]]["counts"].items()}.items()
    stored = trec.read(swept[0] / "run.1.reranked.trec")
    assert {query: [name for name, _ in ranking] for query, ranking in found["reranked"].items()} == \
        {query: [name for name, _ in stored[query]] for query in found["reranked"]}


def test_the_best_chunk_gives_the_document_its_rank(swept, asked):
    """The assistant's own candidates, best first, each document once: the head of the list."""
    _, found, rag = asked
    public = beir.load(HARBOUR)
    titles = {entry.title: entry.id for entry in public.corpus}
    hits = rag.retrieve(public.queries["q4"]).hits
    for stage, run in (("rerank", "reranked"), ("fused", "fused")):
        ranked = sorted((hit for hit in hits if getattr(hit, stage)), key=lambda hit: getattr(hit, stage).rank)
        head = list(dict.fromkeys(titles[hit.document] for hit in ranked))
        assert [name for name, _ in found[run]["q4"]][:len(head)] == head and len(head) > 5


def test_whole_documents_are_ranked_by_their_one_vector(swept, asked):
    public, rag = beir.load(HARBOUR), asked[2]
    vectors = rag.embed([f"{entry.title} {entry.text}" for entry in public.corpus])
    query = rag.embed([public.queries["q8"]])[0]
    order = [public.corpus[at].id for at in np.argsort(-(vectors @ query))]
    assert [name for name, _ in trec.read(swept[0] / "run.2.whole.trec")["q8"]][:10] == order[:10]


def test_a_query_that_crashes_scores_zero_and_one_s_own_document_can_be_left_out(tmp_path, monkeypatch, asked):
    """A query of more characters than a question may have; a query that is itself a document."""
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    folder = _set(tmp_path / "s", [{"_id": "a", "text": "The dough rests for a night."},
                                   {"_id": "b", "text": "Dough that rests over night tastes better."}],
                  [{"_id": "a", "text": "The dough rests for a night."}, {"_id": "long", "text": "dough " * 700}],
                  "a\tb\t1\nlong\ta\t1\n")
    results = [beir_run.run(beir.load(folder), Config(llm="off"), models=asked[2], not_itself=itself)[0]
               for itself in (False, True)]
    suites = [result["suites"]["public"] for result in results]
    assert [suite["crashed"] for suite in suites] == [["long"]] * 2
    assert "has 4,200 characters" in suites[0]["questions"][1]["error"]
    assert [suite["questions"][0]["counts"]["dense.mrr@10"] for suite in suites] == [[0.5, 1.0], [1.0, 1.0]]
    assert [suite["metrics"]["open"]["dense.mrr@10"]["value"] for suite in suites] == [0.25, 0.5]
