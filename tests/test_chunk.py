"""Chunks: exact slices, within the budget, nothing lost, tables and code whole where they fit."""
from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant.errors import ConfigError
from assistant.ingest.chunk import chunk
from assistant.ingest.load import Source, load
from assistant.records import Chunk, Document
from assistant.text.readable import compose, passage
from assistant.text.sections import front_matter, sections
from tests.fakes import CORPUS

LIMIT = 256  # word pieces that MiniLM sees
CHAPTERS = sorted(CORPUS.glob("*.md"))

WORDS = st.sampled_from(
    [
        "vector",
        "cosine",
        "e.g.",
        "3.14",
        "the",
        "naïve",
        "Über",
        "שלום",
        "مرحبا",
        "你好",
        "👩‍👩‍👧",
        "🚀",
        "HNSW",
        "O(N²)",
        "x" * 90,
        "supercalifragilistic" * 12,
        "a|b",
        "**bold**",
        "[link](u)",
        "it's",
        "—",
        "\u200f",
        "e\u0301",
        "$x^2$",
        "\\",
        "_",
        "…",
    ]
)
SENTENCE = st.lists(WORDS, min_size=1, max_size=25).map(lambda words: " ".join(words) + ".")
PARAGRAPH = st.lists(SENTENCE, min_size=1, max_size=6).map(" ".join)
TABLE = st.lists(st.tuples(WORDS, WORDS, WORDS), min_size=1, max_size=25).map(
    lambda rows: "\n".join(["| Name | Size | Use |", "|---|---|---|", *(f"| {a} | {b} | {c} |" for a, b, c in rows)]))
FENCE = st.lists(SENTENCE, min_size=1, max_size=12).map(lambda lines: "```python\n" + "\n".join(lines) + "\n```")
LIST = st.lists(SENTENCE, min_size=1, max_size=9).map(lambda items: "\n".join(f"- {item}" for item in items))
HEADING = st.tuples(st.integers(1, 4), st.lists(WORDS, min_size=1, max_size=12)).map(
    lambda pair: "#" * pair[0] + " " + " ".join(pair[1]))
GLUED = st.integers(2, 12).map(lambda n: "\n".join(["NameSizeUse", *[f"Alpha{n}00Broad (wide)Open" for _ in range(n)]]))
MARKDOWN = st.lists(st.one_of(PARAGRAPH, TABLE, FENCE, LIST, HEADING, GLUED), min_size=1, max_size=8).map("\n\n".join)
ANY_TEXT = st.one_of(MARKDOWN, st.text(max_size=1500), st.text("ab .\n|-#`", max_size=900))


def document(text: str, source: str = "random.md") -> Document:
    return Document("d" * 12, "Random", source, text, "")


def headings_and_front_matter(text: str, markdown: bool) -> set[int]:
    """Offsets that belong to no section."""
    inside = {at for section in sections(text, markdown) for at in range(section.start, section.end)}
    return set(range(len(text))) - inside


def lost(text: str, chunks: list[Chunk], markdown: bool) -> list[int]:
    """Offsets of characters that are not in exactly one chunk, though they are neither blank nor a heading's."""
    times = [0] * len(text)
    for piece in chunks:
        for at in range(piece.start, piece.end):
            times[at] += 1
    outside = headings_and_front_matter(text, markdown)
    return [at for at, n in enumerate(times)
            if (n > 1) or (n == 0 and not text[at].isspace() and at not in outside)]


def proper(whole: Document, chunks: list[Chunk], count, budget: int) -> None:
    """What every chunk promises."""
    for piece in chunks:
        assert whole.text[piece.start:piece.end] == piece.text
        assert piece.text.strip()
        assert piece.n_tokens == count([passage(piece)])[0] <= budget
        if piece.header:
            assert whole.text[piece.header_start:piece.header_start + len(piece.header)] == piece.header
            assert piece.header_start < piece.start
    assert [p.start for p in chunks] == sorted(p.start for p in chunks)
    assert len({p.id for p in chunks}) == len(chunks)


@pytest.mark.parametrize("budget", [128, 256])
def test_the_ten_chapters_are_cut_into_exact_slices_within_the_budget_and_nothing_is_lost(embedder, budget):
    assert len(CHAPTERS) == 10
    for whole in load([Source(path, path.name) for path in CHAPTERS]):
        chunks = chunk(whole, embedder.count_tokens, budget, LIMIT)
        proper(whole, chunks, embedder.count_tokens, budget)
        assert lost(whole.text, chunks, markdown=True) == []
        assert all(piece.heading for piece in chunks)
        _, body = front_matter(whole.text)
        assert body > 0 and chunks[0].start >= body


@pytest.mark.parametrize("source", ["random.md", "random.txt"])
@given(text=ANY_TEXT, budget=st.sampled_from([32, 64, 128, 256]))
def test_any_text_is_cut_into_exact_slices_within_the_budget_and_nothing_is_lost(embedder, source, text, budget):
    whole = document(text, source)
    chunks = chunk(whole, embedder.count_tokens, budget, LIMIT)
    proper(whole, chunks, embedder.count_tokens, budget)
    assert lost(text, chunks, markdown=source.endswith(".md")) == []
    assert chunk(whole, embedder.count_tokens, budget, LIMIT) == chunks


def test_a_table_and_a_fence_that_fit_stay_whole(embedder):
    table = "| Lake | Depth |\n|---|---|\n| Onra | 41 m |\n| Tisse | 12 m |"
    fence = "```python\ndepth = 41\n\nprint(depth)\n```"
    filler = "The lakes of the north are deep and cold. " * 12
    text = f"# Lakes\n\n{filler}\n\n{table}\n\n{filler}\n\n{fence}\n"
    chunks = chunk(document(text), embedder.count_tokens, 128, LIMIT)
    assert len(chunks) > 2
    assert sum(table in piece.text for piece in chunks) == 1
    assert sum(fence in piece.text for piece in chunks) == 1


def test_the_parts_of_a_split_table_carry_its_header_in_front_and_not_in_their_text(embedder):
    rows = [f"| Lake number {n} | {n * 10} m deep | Norland |" for n in range(40)]
    text = "# Lakes\n\n| Lake | Depth | Country |\n|---|---|---|\n" + "\n".join(rows) + "\n"
    chunks = chunk(document(text), embedder.count_tokens, 96, LIMIT)
    assert len(chunks) > 3
    assert chunks[0].header == "" and chunks[0].text.startswith("| Lake | Depth |")
    for piece in chunks[1:]:
        assert piece.header == "| Lake | Depth | Country |"
        assert piece.header_start == text.index("| Lake | Depth")
        assert "Depth | Country" not in piece.text
        assert passage(piece) == f"Lakes\n| Lake | Depth | Country |\n{piece.text}"
        assert all(re.fullmatch(r"\| Lake number \d+ \| \d+ m deep \| Norland \|", row)
                   for row in piece.text.split("\n"))
    assert [row for piece in chunks for row in piece.text.split("\n") if "number" in row] == rows


def test_the_chain_of_headings_is_in_front_and_an_outer_one_goes_first_where_there_is_no_room(embedder):
    text = "# Outer\n\n## Middle\n\n### Inner\n\nThe text below.\n\n## Next\n\nMore text.\n"
    one, two = chunk(document(text), embedder.count_tokens, 64, LIMIT)
    assert (one.heading, one.text) == ("Outer > Middle > Inner", "The text below.")
    assert (two.heading, two.text) == ("Outer > Next", "More text.")
    assert passage(one) == "Outer > Middle > Inner\nThe text below."
    long = "# " + "Outer words " * 30 + "\n\n## Inner\n\nThe text.\n"
    assert chunk(document(long), embedder.count_tokens, 64, LIMIT)[0].heading == "Inner"


def test_paragraphs_are_not_torn_in_the_middle_of_a_sentence(embedder):
    text = "# Lakes\n\n" + " ".join(f"Lake number {n} lies between two hills and is {n}.5 m deep, e.g. in May."
                                    for n in range(30))
    for piece in chunk(document(text), embedder.count_tokens, 96, LIMIT):
        assert piece.text.startswith("Lake number") and piece.text.endswith("in May.")


def test_ids_stand_for_document_place_and_text(embedder):
    text = "# A\n\nSame words.\n\n# B\n\nSame words.\n"
    first = chunk(document(text), embedder.count_tokens, 64, LIMIT)
    assert len({piece.id for piece in first}) == 2
    assert [p.id for p in chunk(document(text), embedder.count_tokens, 64, LIMIT)] == [p.id for p in first]
    changed = chunk(
        document(text.replace("Same words.\n\n# B", "Some words.\n\n# B")), embedder.count_tokens, 64, LIMIT
    )
    assert changed[0].id != first[0].id and changed[1].id == first[1].id
    elsewhere = Document("e" * 12, "Random", "random.md", text, "")
    assert not {p.id for p in first} & {p.id for p in chunk(elsewhere, embedder.count_tokens, 64, LIMIT)}


def test_a_budget_above_the_embedders_limit_is_refused_with_both_numbers(embedder):
    with pytest.raises(
        ConfigError, match=r"chunk_tokens is 300, but the embedder sees only 256 .* set chunk_tokens to 256"
    ):
        chunk(document("words"), embedder.count_tokens, 300, LIMIT)


def test_a_document_of_blanks_alone_has_no_chunks_and_one_of_a_heading_has_that(embedder):
    for text in ("", " \n\t\n", "---\ntitle: x\n---\n"):
        assert chunk(document(text), embedder.count_tokens, 64, LIMIT) == []
    assert [c.text for c in chunk(document("# Office closed on Friday\n"), embedder.count_tokens, 64, LIMIT)] == \
        ["Office closed on Friday"]


def test_a_long_table_without_a_header_repeats_no_row_over_its_parts(embedder):
    text = "\n".join(f"| Part number {n} of the pump | {n} EUR each, tax included |" for n in range(40))
    parts = chunk(document(text), embedder.count_tokens, 64, LIMIT)
    assert len(parts) > 3 and not any(part.header for part in parts)
    assert "\n".join(part.text for part in parts).count("EUR") == 40


def test_the_header_of_a_glued_table_is_legible_in_front_of_its_parts():
    assert compose("Models", "ModelDimensionsStrengths", "BGE-large-en1024Open-source") == (
        "Models\nModel | Dimensions | Strengths\nBGE-large-en | 1024 | Open-source")
