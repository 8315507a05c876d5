"""How one question ends: what is kept, what is said where the answer is doubtful or the model away, whole tables."""
from __future__ import annotations

import json

import pytest

from assistant import Answer, Assistant, Found, Sentence
from assistant.answer import decline
from assistant.answer.evidence import choose
from assistant.answer.generate import Assembly
from assistant.errors import StoreError
from assistant.present import answered
from assistant.records import Chunk, Evidence, Hit, Retrieval, Score
from assistant.text.chapters import MAX_CHAPTERS, named
from tests.fakes import over

LAKES = "# Lakes\n\n| Lake | Depth |\n| --- | --- |\n" + "".join(f"| Lake{n} | {n + 3} m |\n" for n in range(10)) + """
The lakes lie in a row from north to south.

## Winter

The road to Lake3 is closed in winter. The pass above it is never cleared of snow.
"""


@pytest.fixture(scope="module")
def lakes(tmp_path_factory):
    return over(tmp_path_factory.mktemp("lakes"), LAKES)


def with_settings(rag: Assistant, **settings) -> Assistant:
    return rag.with_config(rag.config.replace(settings))


# what is kept


def test_a_reader_who_leaves_at_the_answer_leaves_a_complete_trace(lakes):
    for event in lakes.stream("How deep is Lake3?"):
        if isinstance(event, Answer):
            break
    trace = lakes.trace(event.trace_id)
    assert (trace.status, trace.answer) == ("complete", event)


def test_what_is_printed_is_the_same_whatever_is_kept(lakes):
    history = [{"role": "user", "content": "How deep is Lake3?"}, {"role": "assistant", "content": "6 m."}]
    plain, off, redacted = (answered(with_settings(lakes, **settings), "And Lake4?", history)
                            for settings in ({}, {"traces": "off"}, {"redact": "on"}))
    assert off["trace_id"] == "" and off["timings_ms"].keys() == plain["timings_ms"].keys() >= {"evidence"}
    for other in (off, redacted):
        assert {key: other[key] for key in ("query", "answer", "evidence", "hits", "index_fingerprint")} == \
            {key: plain[key] for key in ("query", "answer", "evidence", "hits", "index_fingerprint")}
    kept = json.dumps(with_settings(lakes, redact="on").trace(redacted["trace_id"]).query)
    assert "redacted" in kept and redacted["query"] == "How deep is Lake4?"


def test_a_redacted_follow_up_keeps_no_word_of_earlier_turns_in_its_gate(lakes):
    rag = with_settings(lakes, redact="on")
    history = [{"role": "user", "content": "What does Pinecone cost?"}, {"role": "assistant", "content": "Nothing."}]
    trace = rag.trace(rag.answer("And its free tier?", history).trace_id)
    assert "Pinecone" not in trace.gate_reason and trace.gate_reason


def test_documents_that_change_meanwhile_are_said_so(tmp_path):
    rag = over(tmp_path, LAKES)
    with pytest.raises(StoreError, match="changed while"):
        for event in rag.stream("How deep is Lake3?"):
            if isinstance(event, Found):
                rag.remove(rag.documents()[0].id)


# what is said


@pytest.mark.parametrize("limit, doubted", [(0.0, False), (1.0, True)])
def test_a_doubtful_answer_opens_with_the_doubt_and_a_sure_one_does_not(lakes, monkeypatch, limit, doubted):
    monkeypatch.setattr(decline, "DOUBTFUL", limit)
    answer = lakes.answer("How deep is Lake3?")
    assert answer.text.startswith(decline.UNSURE) is doubted and "6 m" in answer.text and not answer.abstained
    own = [answer.text[s.start:s.end] for s in answer.support if s.origin == "fixed"]
    assert own == [decline.UNSURE] * doubted
    assert all(answer.text[c.answer_start:c.answer_end] == f"[{c.marker}]" for c in answer.citations)


def test_what_is_doubtful_is_the_best_probability_of_an_open_gate():
    chunk = Chunk("c", "d", "H", "text", 0, 4, 3)
    hits = Hit(chunk, "D", rerank=Score(0.1, 2)), Hit(chunk, "D", rerank=Score(0.3, 1))

    def doubts(found: tuple[Hit, ...], gate: str = "passed", calibrated: bool = True) -> bool:
        return decline.unsure(Retrieval("q", "q", "", found, gate, "", calibrated, 0.06))

    assert doubts(hits[:1]) and not doubts(hits)
    assert not doubts(hits[:1], calibrated=False) and not doubts(hits[:1], gate="off") and not doubts(())


def test_without_its_server_the_evidence_answers_and_says_so(lakes):
    rag = with_settings(lakes, llm="http://127.0.0.1:9/v1#away")
    events = list(rag.stream("Why is the road to Lake3 closed?"))
    answer = events[-1]
    assert answer.citations and not answer.abstained
    assert "\n\nAnswered without the language model: the language model's server gave no answer" in answer.text
    assert "".join(e.text for e in events if isinstance(e, Sentence)) == answer.text
    assert lakes.trace(answer.trace_id).error and lakes.trace(answer.trace_id).status == "complete"


def test_a_note_is_a_paragraph_of_glassboxs_own():
    passage = Evidence(1, "c", "D", "H", ((0, 9),), "It is 6 m.", 0.4)
    assembly = Assembly("How deep?", [passage], {1: (0, 9, "It is 6 m.")})
    text = "".join(sentence.text for sentence in (assembly.note("Perhaps:"), *assembly.rest(), assembly.note("So.")))
    assert text == assembly.answer().text == "Perhaps:\n\nIt is 6 m [1].\n\nSo."
    assert [text[s.start:s.end] for s in assembly.answer().support if s.origin == "fixed"] == ["Perhaps:", "So."]


def test_a_line_of_code_is_quoted_as_code():
    line = "print(batch[0], batch[1])"
    text = "".join(s.text for s in Assembly("How?", [Evidence(1, "c", "D", "H", ((0, 9),), line, 0.9)],
                                            {1: (0, 9, line)}).rest())
    assert text == f"```\n{line}\n``` [1]"


# what the answer is made of


def test_a_table_that_is_asked_for_comes_whole_through_the_assistant(lakes):
    answer = lakes.answer("List all the lakes with their depths")
    assert all(f"Lake{n} " in answer.text for n in range(10))


def test_the_reason_that_follows_a_statement_comes_with_it_where_why_is_asked(lakes):
    answer = lakes.answer("Why is the road to Lake3 closed in winter?")
    assert "never cleared of snow" in answer.text
    chunk = Chunk("c", "d", "H", "The road is closed. The pass is steep. It is so because of snow.", 0, 64, 9)
    hits = [Hit(chunk, "D", rerank=Score(0.9, 1), kept=True)]

    def first(question: str) -> str:
        return choose(question, hits, lambda pool: [0.9 if "closed" in p.reading else 0.1 for p in pool], 3)[0].text

    assert first("Why is the road closed?") == "The road is closed. The pass is steep."
    assert first("Is the road closed?") == "The road is closed."


def test_a_range_of_chapters_has_an_end():
    assert named("chapters 2 to 4 and chapter 9") == [2, 3, 4, 9]
    assert named("What do chapters 1 to 3000000000 say?") == list(range(1, MAX_CHAPTERS + 1))


def test_a_question_of_thousands_of_chapters_is_answered_like_any_other(rag):
    assert rag.retrieve("What do chapters 1 to 3000000000 say about HNSW?").hits
