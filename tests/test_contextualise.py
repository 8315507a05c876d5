"""Follow-up questions: what is searched for them, with a reason, and what is left alone."""
from __future__ import annotations

import pytest

from assistant import Assistant, Config
from assistant.retrieve.contextualise import MAX_QUERY, contextualise, together

REPLY = "HNSW walks a graph of vectors [1]. IVF looks into the nearest clusters [2]."


def history(*questions: str, reply: str = REPLY) -> list[dict[str, str]]:
    return [turn for question in questions
            for turn in ({"role": "user", "content": question}, {"role": "assistant", "content": reply})]


@pytest.mark.parametrize(
    "earlier, question, held",
    [
        ("How does HNSW search?", "and IVF?", ("IVF", "search")),
        ("How does HNSW search?", "What about IVF?", ("IVF", "search")),
        ("How does HNSW search?", "And the other one?", ("IVF", "search")),
        ("Why does one-hot encoding fail?", "why?", ("one-hot", "fail")),
        ("What is mean pooling?", "Tell me more", ("mean pooling",)),
        ("What is mean pooling?", "Can you give an example?", ("mean pooling", "example")),
        ("How much does text-embedding-3-small cost?", "And the large one?", ("text-embedding-3-large", "cost")),
        (
            "How much does text-embedding-3-small cost?",
            "how much does the large one cost?",
            ("text-embedding-3-large", "cost"),
        ),
        ("What is mean pooling?", "Does it keep the word order?", ("mean pooling", "word order")),
        ("What is mean pooling?", "What are its drawbacks?", ("mean pooling", "drawbacks")),
        ("What is Word2Vec?", "When was it published?", ("Word2Vec", "published")),
    ],
)
def test_a_follow_up_is_searched_with_what_it_leaves_out_and_says_why(earlier, question, held):
    query, reason = contextualise(question, history(earlier))
    assert all(word in query for word in held), query
    assert query != question and reason


def test_and_ivf_asks_the_same_of_something_else():
    query, _ = contextualise("and IVF?", history("How does HNSW search?"))
    assert "HNSW" not in query
    query, _ = contextualise("And the large one?", history("How much does text-embedding-3-small cost?"))
    assert "small" not in query


def test_a_follow_up_of_a_follow_up_goes_back_to_the_first_subject():
    query, reason = contextualise("and when?", history("What is CLIP?", "Who published it?"))
    assert "CLIP" in query and reason


@pytest.mark.parametrize("question", [
    "How many dimensions does BGE-large-en have?", "What is the distributional hypothesis?",
    "Why do embedding models struggle with negation?", "Which city hosted the 1998 winter games?",
    "How does k-means cluster documents at night?"])
def test_a_change_of_topic_is_left_alone(question):
    assert contextualise(question, history("What is mean pooling?")) == (question, "")


@pytest.mark.parametrize("question", ["and IVF?", "why?", "the large one", "What is it?", "😀", "مرحبا"])
def test_without_a_conversation_nothing_changes(question):
    assert contextualise(question, []) == (question, "")
    assert contextualise(question, [{"role": "assistant", "content": "Hello."}]) == (question, "")
    assert contextualise(question, [{"role": "user", "content": "  "}]) == (question, "")


def test_a_query_has_an_end_and_no_turn_is_too_odd():
    query, _ = contextualise("why?", history("What is " + "very " * 500 + "long?"))
    assert len(query) <= MAX_QUERY
    for earlier in ("?", "😀", "\u200f", "(((", "\\1 [a", "x" * 3000):
        for question in ("and (IVF?", "why?", "its [x]?", "the other one \\2"):
            query, _ = contextualise(question, history(earlier, reply=earlier))
            assert query.strip()


@pytest.mark.parametrize("question", [
    "How much would it cost to embed 100k documents with the large OpenAI model?",
    "Is it possible to search pictures with words?",
    "can embeddings tell 'I love it' from 'I don't love it'?",
    "When a long text has changed, how is it embedded again?",
])
def test_a_pronoun_that_does_not_point_back_is_left_alone(question):
    history = [{"role": "user", "content": "What is the capital of Australia?"}]
    assert contextualise(question, history) == (question, "")


@pytest.mark.parametrize("before, question, searched", [
    ("HNSW or IVF, which should I choose?", "whats bad about the first one", "whats bad about HNSW"),
    ("HNSW or IVF, which should I choose?", "And how fast is the latter?", "how fast is IVF?"),
    ("How many dimensions has E5-mistral?", "what about MiniLM then", "How many dimensions has MiniLM?"),
    ("How long are MiniLM's vectors?", "so 384 then, not 768?", "384 then, not 768 long MiniLM s vectors"),
    ("What is domain mismatch?", "And the remedy?", "What is the remedy of domain mismatch?"),
    ("What is the symptom of domain mismatch?", "and the fixes?", "What are the fixes of domain mismatch?"),
    ("How does HNSW search?", "And the drawbacks?", "What are the drawbacks of HNSW?"),
    ("How do I reset the VPN?", "Who runs the IT department?", "Who runs the IT department?"),
    ("What does the Basic plan cost?", "And the Pro plan?", "What does the Pro plan cost?"),
    ("Who is Anna Weber?", "What is her phone number?", "What is Anna Weber's phone number?"),
    ("What is HNSW?", "what is it called when words change their meaning?",
     "what is it called when words change their meaning?")])
def test_ordinals_closings_and_answers_to_a_reply(before, question, searched):
    assert contextualise(question, history(before))[0] == searched


def test_a_turn_that_leans_on_the_one_before_hands_its_subject_on():
    turns = history("Why are raw scores of two searches not simply added?", "no, I meant the cost")
    assert "searches" in together("and what should i do", turns)


# two readings


BEFORE = [{"role": "user", "content": "Who proposed the lantern festival of Velm?"},
          {"role": "assistant", "content": "The teacher Ada Horn proposed it in 1921 [1]."}]


@pytest.mark.parametrize("question, other", [
    ("What was her reason?", "What was her reason proposed lantern festival Velm"),
    ("How many people can it hold when the hall is full?",
     "How many people can it hold when the hall is full proposed lantern festival Velm"),
    ("Who painted the ceiling of the town hall in spring?", ""), ("What does \"let it be\" mean in the song?", "")])
def test_a_question_with_a_word_that_may_point_back_has_another_reading(question, other):
    assert together(question, BEFORE) == other
    assert together(question, []) == ""


def test_the_documents_choose_between_two_readings(tmp_path):
    (tmp_path / "velm.md").write_text(
        "# The lantern festival\nThe teacher Ada Horn proposed the lantern festival of Velm in 1921. Her reason was "
        "that the long winters made her pupils sad.\n\n# The town hall\nThe town hall was painted by Jon Ake, and it "
        "holds 300 people when it is full.\n", encoding="utf-8")
    rag = Assistant(Config(index=str(tmp_path / "index"), llm="off"))
    rag.ingest([tmp_path / "velm.md"])
    read = rag.retrieve("What was the reason for this idea?", BEFORE)
    assert "festival" in read.query and "for which there is a better passage" in read.query_reason
    alone = "How many people does the town hall hold when it is full?"
    assert rag.retrieve(alone, BEFORE).query == alone
