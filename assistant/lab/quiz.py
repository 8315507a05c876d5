"""Quiz (all chapters): each chapter's review question, your answer in your own words, graded by the cross-encoder.

The grade is a hint. RIGHT and PARTLY were set on eight answers written for it, four right and four wrong: in their own
words the right ones agreed with the chapter's answer by 0.33 or more, the wrong ones by 0.18 or less.
"""
from __future__ import annotations

import re
from dataclasses import dataclass

from assistant.errors import InputError
from assistant.lab import counting, figures
from assistant.lab.demo import Demo, Input, Report, Result, Table, Values, short
from assistant.lab.inside import probabilities
from assistant.pipeline import Assistant
from assistant.text.sections import front_matter

RIGHT, PARTLY = 0.3, 0.22  # agreement, 0..1
ECHO = 0.7                 # share of the answer's content words that stand in the question: nothing of its own is said


@dataclass(frozen=True)
class Review:
    """A chapter's review question and its answer, from the front matter of its document."""

    chapter: int
    title: str
    question: str
    answer: str

    @property
    def facts(self) -> list[str]:
        """The answer's clauses, one fact each; what hangs on a clause ("which ...", "such as ...") stays with it."""
        parts = re.split(r"[:;]\s+|,\s+(?:and|so|while|but|because)\s+", self.answer)
        return [part.strip(" .") for part in parts if len(part.split()) > 2]


def reviews(rag: Assistant) -> dict[int, Review]:
    """{chapter: its review question} of the index's documents that have one."""
    found = {}
    for document in rag.documents():
        head, _ = front_matter(document.text)
        if {"number", "question", "answer"} <= head.keys() and head["number"].isdigit():
            number = int(head["number"])
            found[number] = Review(number, head.get("title", document.title), head["question"], head["answer"])
    return found


def work(values: Values, rag: Assistant, report: Report) -> Result:
    if not rag.config.rerank:
        raise InputError("rerank is off, and the cross-encoder grades the quiz: set rerank=on")
    known = reviews(rag)
    if values["chapter"] not in known:
        there = ", ".join(map(str, sorted(known))) or "none"
        raise InputError(f"no review question for chapter {values['chapter']} in this index: expected one of {there}; "
                         "ingest the folder corpus to have all ten")
    review, answer = known[values["chapter"]], values["answer"]
    facts = review.facts
    vectors = rag.embed([review.answer, answer, *facts])
    asked = rag.embed_query([review.answer, answer, *facts])
    cosine = float(vectors[0] @ vectors[1])
    forth = probabilities(rag, review.answer, [answer], [float(asked[0] @ vectors[1])])[0]
    back = probabilities(rag, answer, [review.answer], [float(asked[1] @ vectors[0])])[0]
    agreement = (forth + back) / 2
    by_fact = [probabilities(rag, fact, [answer], [float(vector @ vectors[1])])[0]
               for fact, vector in zip(facts, asked[2:], strict=True)]
    own = counting.content_words(answer)
    said = counting.words(review.question)
    echo = sum(word in said for word in own) / max(len(own), 1)
    report(0.7, "the passage that says it")
    hits = rag.retrieve(review.question).hits
    passage = hits[0].chunk.text if hits else ""
    repeats = echo >= ECHO
    grade = "repeats the question" if repeats else "right" if agreement >= RIGHT else \
        "partly right" if agreement >= PARTLY else "not there yet"
    holds = not repeats and agreement >= PARTLY
    verdict = f"{review.question} Your answer: {grade} (agreement {agreement:.2f}). "
    verdict += "The nearest key fact: “" + facts[max(range(len(facts)), key=lambda at: by_fact[at])] + "”." if holds \
        else f"The chapter says: {review.answer}"
    return Result(
        {"chapter": review.chapter, "agreement": round(agreement, 3), "grade": grade, "cosine": round(cosine, 3),
         "echo": round(echo, 2),
         **{f"fact {n}": round(chance, 3) for n, chance in enumerate(by_fact, 1)}},
        holds, verdict,
        "The cross-encoder reads your answer together with the chapter's, in both orders, and with each key fact by "
        "itself; its mean is the agreement. It was trained on questions and passages, so free wording earns modest "
        "numbers. Take the grade as a hint and read the passage.",
        "Bars of probability for each key fact: "
        + "; ".join(f"{short(fact, 40)} {chance:.2f}" for fact, chance in zip(facts, by_fact, strict=True)) + ".",
        lambda: figures.bars(f"Your answer against the key facts of chapter {review.chapter}",
                             [f"{n}. {short(fact, 22)}" for n, fact in enumerate(facts, 1)],
                             {"probability": by_fact}, "probability", showlegend=False),
        Table(("what", "text"), (("question", review.question), ("your answer", answer),
                                 *((f"key fact {n}", fact) for n, fact in enumerate(facts, 1)),
                                 ("the passage that says it", passage))))


DEMO = Demo(
    "quiz", "Quiz", None,
    "Your answer says what the chapter says.",
    (Input("chapter", "Chapter", 7, "number", low=0, high=99),
     Input("answer", "Your answer, in your own words",
           "A sentence and its negation share topic and context, and training rewards that, so one small word moves "
           "the average only a little.", longest=1200)),
    work,
    (("A wrong answer", {"answer": "Because the tokenizer removes words such as not before embedding."}),
     ("HNSW and IVF", {"chapter": 9, "answer": "HNSW hops through a graph of neighbours, quick but needs much memory; "
                       "IVF groups vectors in clusters and looks only in the nearest lists."})),
    ("review question", "review questions", "quiz"))
