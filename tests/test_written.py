"""The documents written for training: their facts hold together, they stay away from the test sets, groups say why."""
from __future__ import annotations

import json
import math
import random
import re
from dataclasses import replace

import numpy as np
import pytest

from eval.reranker import asked, written
from eval.reranker.groups import Group
from tests.fakes import CORPUS

ROOT = CORPUS.parent
EVERY = written.documents() + written.documents(held_out=True)


def test_every_item_points_at_lines_that_exist_and_asks_three_ways():
    assert len(EVERY) > 850
    for document in EVERY:
        assert document.unanswered
        for passage in document.passages:
            assert len(set(passage.near)) == len(passage.near) >= 2 and all(ask.strip() for ask in passage.near)
            for at, asks, answer in passage.items:
                assert at and all(0 <= n < len(passage.lines) for n in at), (document.title, passage.heading)
                assert len(asks) == 3 and all(ask.strip() for ask in asks) and answer.strip()


def test_the_split_is_by_document_and_complete():
    train, held = ({d.title for d in written.documents(held_out=out)} for out in (False, True))
    assert not train & held
    assert len(held) == sum(len(file.read_text(encoding="utf-8").splitlines()) // written.HELD_OUT
                            for file in written.FOLDER.glob("*.jsonl"))


def test_no_gold_question_is_asked_and_no_sentence_of_the_corpus_is_told():
    def bare(text: str) -> str:
        return " ".join(re.findall(r"\w+", text.lower()))

    gold = {bare(row["question"]) for file in (ROOT / "eval" / "gold").rglob("*.jsonl")
            for row in map(json.loads, file.read_text(encoding="utf-8").splitlines()) if "question" in row}
    asks = {bare(ask) for d in EVERY for p in d.passages for _, asks, _ in p.items for ask in asks}
    asks |= {bare(ask) for d in EVERY for ask in (*d.unanswered, *(near for p in d.passages for near in p.near))}
    assert len(gold) > 400 and len(asks) > 39_000 and not gold & asks

    def runs(text: str) -> set[str]:
        words = bare(text).split()
        return {" ".join(words[n:n + 8]) for n in range(len(words) - 7)}

    corpus = set().union(*(runs(file.read_text(encoding="utf-8")) for file in CORPUS.glob("*.md")))
    assert len(corpus) > 5_000
    assert not [p.heading for d in EVERY for p in d.passages if runs(p.text()) & corpus]


@pytest.fixture(scope="module")
def lake() -> written.Written:
    depths = written.Passage("Lakes", "Depths", "table",
                             ("| Lake | Depth | Fish |", "|---|---|---|", "| Tisse | 4 m | tench |",
                              "| Velm | 90 m | char |"), (((3,), ("a", "b", "c"), "Velm is 90 m deep."),))
    story = written.Passage("Lakes", "Story", "prose", ("Tisse is old.", "It was a pit.", "Clay was dug there."),
                            (((1,), ("d", "e", "f"), "It was a pit."),))
    return written.Written("Lakes", (depths, story), ("Who owns Velm?",))


def test_a_row_is_quoted_as_the_assistant_reads_it(lake):
    from assistant.text.sentences import quotables
    depths, story = lake.passages
    row = next(q for q in quotables("\n".join(depths.lines), "") if "90" in q.reading)
    assert depths.quote((3,)) == f"Depths: {row.reading}" == "Depths: Velm — Depth: 90 m; Fish: char"
    assert story.quote((0, 1)) == "Story: Tisse is old. It was a pit."
    assert story.text(without=(1,)) == "Lakes > Story\nTisse is old. Clay was dug there."


def test_the_gold_stands_first_and_a_near_miss_has_none(lake, embedder):
    other = written.Written("Bread", (written.Passage("Bread", "Dough", "prose", ("Flour.", "Water."), ()),), ())
    made = written.written_groups(random.Random(1), [lake, other], embedder.embed)
    passages = [g for g in made if g.kind == "written"]
    assert [g.query for g in passages] == ["a", "b", "c", "d", "e", "f"]
    assert all(g.gold[0] == 1 and not any(g.gold[1:]) for g in made if g.kind != "written_none")
    assert passages[0].texts[0] == lake.passages[0].text() and lake.passages[1].text() in passages[0].texts
    lines = next(g for g in made if g.kind == "written_line" and g.query == "a")
    assert lines.texts[0].endswith("char") and not any("---" in text for text in lines.texts)
    near = [g for g in made if g.kind == "written_none"]
    assert len(near) == 2 and not any(any(g.gold) for g in near) and near[0].query == "Who owns Velm?"
    assert [g.lift for g in passages[:3]] == list(written.LIFTS)


def test_a_text_is_asked_its_own_question_beside_near_misses(lake):
    depths, story = lake.passages
    near = replace(depths, near=("How long is Velm?", "Who measured Velm?"))
    made = asked.asked_groups(random.Random(1), [replace(lake, passages=(near, story))])
    for group in made:
        assert len(group.queries) == len(group.texts) == len(group.gold) > 1
        if group.kind == "near":
            assert not any(group.gold) and group.query in near.near and group.texts[0] == near.text()
        else:
            assert group.gold[0] == 1 and not any(group.gold[1:]) and len(set(group.texts)) == 1
            assert len(set(group.asks)) == len(group.asks) and group.queries == group.asks
    of_velm = [group for group in made if group.kind == "asked" and group.asks[0] in "abc"]
    assert len(of_velm) == 3 and all({"How long is Velm?", "Who measured Velm?", "Who owns Velm?"} < set(group.asks)
                                     for group in of_velm)
    lines = [group for group in made if group.kind == "asked_line" and group.asks[0] in "abc"]
    assert all(group.texts[0] == "Depths: Velm — Depth: 90 m; Fish: char" for group in lines) and len(lines) == 3


def test_questions_that_compete_are_ranked_by_their_gold_whatever_the_bi_encoder_says():
    import torch

    from eval.reranker.model import group_loss
    group = Group("", ("t", "t"), (1, 0), "asked", 3.0, ("a", "b"))
    cosines = np.array([0.0, 0.9], np.float32)
    good, bad = (float(group_loss(torch.tensor(logits), [(group, cosines)], bce=0.0))
                 for logits in ([2.0, -2.0], [-2.0, 2.0]))
    assert good == pytest.approx(math.log(1 + math.exp(-4)), abs=1e-5)  # -log softmax of the gold
    assert bad == pytest.approx(math.log(1 + math.exp(4)), abs=1e-5)


def test_the_shipped_graph_comes_back_as_a_network_that_scores_alike():
    import torch

    from assistant.backends.cross_encoder import EMBEDDED, EmbeddedCrossEncoder
    from eval.reranker.shipped import shipped_network
    model, tokenizer = shipped_network(EMBEDDED)
    texts = ["HNSW is a graph.", "Bananas are yellow.", "HNSW and IVF differ: one is a graph, the other has clusters."]
    question = "What is the difference between HNSW and IVF?"
    with torch.no_grad():
        mine = model.eval()(**tokenizer([question] * 3, texts, padding=True, return_tensors="pt")).logits[:, 0].numpy()
    assert np.abs(mine - EmbeddedCrossEncoder().logits(question, texts)).max() < 0.6  # of a range of ten
