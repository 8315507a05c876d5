"""What is asked of every demo, over the whole registry, so that a new one cannot come without it: the claim's numbers
on the real models, the chapter's link, an explanation of at most 60 words, one clear line for nonsense in the shell."""
from __future__ import annotations

import math

import pytest

from assistant.cli import main
from assistant.lab import demos, get
from assistant.ui.lab_view import chapters, head_html
from tests.lab_runs import run

LONGEST = 420   # characters of an error: five lines of a narrow terminal at the most


def counted(n: dict) -> float:
    """The best of the explorer's counting methods."""
    return max(n["one-hot"], n["bag of words"], n["TF-IDF"])


CLAIMS = {  # each demo's claim once more, from the numbers of its default input alone
    "semantic-search": lambda n: n["best_cosine"] > 0.5 and n["most_words_shared"] == 0,
    "one-hot": lambda n: n["one_hot_min"] == n["one_hot_max"] == 1.4142 and n["dense_max"] > n["dense_min"] + 0.3,
    "analogies": lambda n: n["answer"] == "queen" and n["accuracy"] > n["accuracy_control"] + 0.1,
    "word2vec": lambda n: n["same_class_after"] > 0.9 > 0.2 > n["same_class_before"] and
    n["loss_last"] < n["loss_first"],
    "pooling": lambda n: n["static mean"] > 0.9995 > n["bi-encoder"] + 0.05 and n["same_words"] == 1,
    "encoders": lambda n: 1000 * n["pair_ms"] > 100 * n["scan_us_per_document"],
    "cosine": lambda n: n["cosine"] == n["cosine_stretched"] and n["dot_stretched"] > n["dot"] + 0.5 and
    n["euclid_stretched"] > n["euclid"] + 0.3,
    "dimensions": lambda n: n["error_max"] <= n["error_bound"] and
    all(abs(n[f"std_{d}"] * math.sqrt(d) - 1) < 0.1 for d in (2, 10, 100, 384, 768)),
    "clusters": lambda n: n["silhouette"] > n["silhouette_by_chance"] + 0.05,
    "truncation": lambda n: n["recall 64 dimensions"] < 0.95 <= n["two-stage 64 dimensions"],
    "cost": lambda n: n["gain"] > 1 and n["usd text-embedding-3-small"] == n["million_tokens"] * 0.02,
    "shared-space": lambda n: n["class"] == n["of_64"] == "a yellow circle" and n["unseen_right"] >= 0.9 and
    n["diagonal_mean"] > n["off_diagonal_mean"] + 0.3,
    "domain": lambda n: n["rank_dense"] > 1 == n["rank_lexical"] == n["rank_hybrid"] == n["rank_tuned"],
    "negation": lambda n: n["cosine_negated"] > n["cosine_rewording"] + 0.1 and n["cross_negated"] > 0.8 and
    n["cross_sentence"] < 0.5,
    "dilution": lambda n: n["alone"] > n["middle_100"] + 0.2 and n["middle_100"] > n["middle_2000"] and
    n["best_chunk"] > n["middle_100"] + 0.2,
    "stale": lambda n: n["rank_stale"] > 1 == n["rank_fresh"] == n["embedded_again"],
    "drift": lambda n: n["cosine_then_now"] < n["median_cosine"] - 0.2 and n["common_neighbours"] <= 1,
    "explorer": lambda n: n["dense"] > counted(n) + 0.3,
    "ann": lambda n: n["HNSW ef 50 recall"] >= 0.9 and n["IVF probes 32 recall"] >= 0.9 and n["hops"] >= 2,
    "stack": lambda n: n["kept"] <= n["candidates"] < n["chunks"] and n["total_ms"] >= n["rerank_ms"] > 0,
    "quiz": lambda n: n["grade"] == "right" and n["agreement"] > 0.5,
}


def test_every_demo_has_its_claim_tested():
    assert [demo.name for demo in demos()] == list(CLAIMS)


@pytest.mark.parametrize("name", CLAIMS)
def test_the_numbers_on_the_real_model_bear_the_claim(rag, name):
    result = run(rag, name)
    assert CLAIMS[name](dict(result.numbers)), result.numbers
    assert result.holds is True


@pytest.mark.parametrize("name", CLAIMS)
def test_the_explanation_has_at_most_sixty_words(rag, name):
    assert 15 <= len(run(rag, name).explanation.split()) <= 60


@pytest.mark.parametrize("demo", demos(), ids=lambda demo: demo.name)
def test_the_demo_links_to_its_chapter(rag, demo):
    """The quiz belongs to all chapters, so to none of its own; it shows the chapter's passage instead."""
    known = chapters(rag.documents())
    head = head_html(demo, known)
    if demo.chapter is None:
        assert demo.name == "quiz" and "data-chapter" not in head
    else:
        assert f'data-chapter="{known[demo.chapter].document_id}"' in head


@pytest.mark.parametrize("name", CLAIMS)
def test_nonsense_in_the_shell_gets_one_clear_line_and_status_2(name, tmp_path, capsys):
    """Empty, one item, 10,000 lines, emoji, a line of a megabyte, control characters: for every input of every demo."""
    def file(text: str) -> str:
        path = tmp_path / f"{len(list(tmp_path.iterdir()))}.txt"
        path.write_text(text, encoding="utf-8")
        return f"@{path}"
    megabyte, many = file("x" * 1_000_000), file("a line of text\n" * 10_000)
    tried = 0
    for spec in get(name).inputs:
        bad = {"text": ["\U0001f600 \U0001f389", megabyte, many, "\x1b\x00"] + ([] if spec.optional else ["", "   "]),
               "lines": [many, megabyte, "\U0001f600\\n\U0001f389\\n" * 15] + ([] if spec.optional else [""]),
               "number": ["", "many", "\U0001f600", "-1e999", "nan", megabyte, many],
               "choice": ["", "\U0001f600", megabyte, many],
               "file": ["/no/such/file\x00", megabyte, "/"], "picture": [megabyte, "/", "/dev/null"]}[spec.kind]
        if spec.kind == "lines" and (spec.low or 1) > 1:
            bad.append("one item")
        for value in bad:
            tried += 1
            status = main(["lab", name, "--set", f"{spec.name}={value}", "--json", "--index", str(tmp_path / "index")])
            out = capsys.readouterr()
            assert status == 2 and out.out == "", (spec.name, value[:40])
            (line,) = out.err.splitlines()
            assert line.startswith("assistant: ") and len(line) <= LONGEST
            assert line.isprintable()
    assert tried >= 3


@pytest.mark.parametrize("arguments", [["x" * 100_000], ["cosine", "--set", "y" * 100_000], ["\U0001f600"],
                                       ["cosine", "--set", "z" * 100_000 + "=1"], ["cosine", "--list"]])
def test_a_nonsense_name_gets_one_short_line(arguments, tmp_path, capsys):
    assert main(["lab", *arguments, "--json", "--index", str(tmp_path)]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert len(line) <= LONGEST
    assert "expected" in line or "either NAME or --list" in line
