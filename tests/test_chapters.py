"""Questions that name a chapter are searched in it; "which chapters" is answered from all of them."""
from __future__ import annotations

import pytest

from assistant.answer.overview import find
from assistant.records import Document
from assistant.text.chapters import chapters, named, narrowed, titled, within


@pytest.mark.parametrize("question, numbers", [
    ("What does chapter 9 say about IVF?", [9]), ("compare chapters 3 and 4", [3, 4]), ("part 2, please", [2]),
    ("Which chapters are there?", []), ("I have 9 chapters left", [])])
def test_the_chapters_that_a_question_names(question, numbers):
    assert named(question) == numbers


@pytest.mark.parametrize("question, left", [
    ("What does chapter 9 say about IVF?", "What is IVF?"),
    ("Which model is the cheapest in chapter 5?", "Which model is the cheapest?"),
    ("According to chapter 2, what is a context window?", "what is a context window?"),
    ("What does the chapter on when embeddings fail say about drift?", "What is drift?"),
    ("Which index is named in the last chapter?", "Which index is named?"),
    ("What happens in chapter 7?", "What happens in chapter 7?"), ("Summarise chapter 5", "Summarise chapter 5")])
def test_the_words_that_name_it_are_no_part_of_what_is_asked(question, left):
    assert narrowed(question) == left


def test_a_named_chapter_is_searched_alone_and_the_trace_says_so(rag):
    found = rag.retrieve("What does chapter 9 say about IVF?")
    only = within("chapter 9", rag.documents, rag.chunks)
    assert only and {hit.chunk.id for hit in found.hits} <= only and len(found.hits) > 4
    assert found.query == "What is IVF?" and "only the chapter that it names" in found.query_reason
    assert found.gate == "passed" and "IVF" in found.hits[0].chunk.text
    assert within("chapter 77", rag.documents, rag.chunks) is None
    assert within("What is IVF?", rag.documents, rag.chunks) is None


@pytest.mark.parametrize("question, chapters, no", [
    ("Which two chapters deal with InfoNCE?", (3, 6), 7), ("In which chapters does BM25 turn up?", (1, 7, 9), 2)])
def test_which_chapters_hold_something_is_answered_from_all_of_them(rag, question, chapters, no):
    answer = rag.with_config(rag.config.replace({"llm": "off"})).answer(question)
    assert all(f"Chapter {n}, " in answer.text for n in chapters) and f"Chapter {no}, " not in answer.text
    term = "InfoNCE" if "InfoNCE" in question else "BM25"
    assert len(answer.citations) >= len(chapters) and all(term in c.quote for c in answer.citations)


def test_a_range_of_chapters_names_those_between():
    assert named("What do chapters 1 to 3 build?") == [1, 2, 3]
    assert named("chapters 3 and 6") == [3, 6]


@pytest.mark.parametrize("question, number", [
    ("Which three operations does the chapter on geometry describe?", 4),
    ("In the chapter about when embeddings fail, what is drift?", 7), ("the multimodal chapter's code", 6),
    ("What does the last chapter say about pgvector?", 9), ("What is the lesson's introduction about?", 0),
    ("What does the chapter on embeddings say?", None),                       # several titles hold it
    ("What does the chapter on quantum embeddings say?", None), ("What is the geometry of meaning?", None)])
def test_a_chapter_is_named_by_its_title_or_its_place(rag, question, number):
    found = [chapter for document in rag.documents() for chapter in chapters(document, rag.chunks(document.id))]
    assert [chapter.number for chapter in titled(question, found)] == ([] if number is None else [number])
    inside = within(question, rag.documents, rag.chunks)
    assert (inside is None) == (number is None)


@pytest.mark.parametrize("question, number", [
    ("Summarise the chapter on geometry", 4), ("What is the multimodal chapter about?", 6),
    ("what does the last chapter say?", 9), ("What does the chapter on geometry say about cosine?", None),
    ("Explain the negation chapter", None)])
def test_a_chapter_named_by_its_title_is_summarised(rag, question, number):
    about = find(question, rag.documents, rag.chunks)
    assert (about and about.chapters[0].number) == number


def test_a_summary_names_the_chapter_and_its_sections_and_a_count_is_said(rag):
    plain = rag.with_config(rag.config.replace({"llm": "off"}))
    summary = plain.answer("Summarise chapter 5")
    assert summary.text.startswith("Chapter 5: Embedding Models in Practice [1]")
    assert "What Matryoshka embeddings are: " in summary.text and len(summary.citations) >= 4
    counted = plain.answer("How many chapters does the whole lesson have?")
    assert counted.text.startswith("10 chapters. Chapter 0: ") and len(counted.citations) == 10
    assert not plain.answer("Which chapters are there?").text.startswith("10")


@pytest.mark.parametrize("question", [
    "What documents are required for a visa?", "How many lessons are there in the driving course?",
    "what parts are needed for the pump?", "list the documents I need", "Which lessons cost more than 20 euros?"])
def test_what_the_documents_speak_of_is_no_question_about_the_documents(question):
    def nobody_asks() -> list:
        raise AssertionError("the documents were listed")

    assert find(question, nobody_asks, lambda name: []) is None


@pytest.mark.parametrize("question", ["how many documents are there?", "which documents do you have?", "list documents",
                                      "how many lessons are there in this course?", "What topics does this cover?"])
def test_what_there_is_is_a_question_about_them(rag, question):
    about = find(question, rag.documents, rag.chunks)
    assert about and about.kind in ("list", "about") and len(about.chapters) == 10


def test_a_table_of_contents_makes_no_chapters_of_its_own():
    text = "Birds and fish\n\nChapter 1: Birds .... 3\nChapter 2: Fish .... 9\n\nChapter 1: Birds\n\nThey fly.\n\n" \
           "Chapter 2: Fish\n\nThey swim."
    found = chapters(Document("d", "Birds and fish", "zoo.txt", text, ""), [])
    assert [(c.number, c.title) for c in found] == [(1, "Birds"), (2, "Fish")]
