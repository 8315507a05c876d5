"""What is said when the documents do not answer, and to words that ask nothing of them."""
from __future__ import annotations

import re
from collections.abc import Sequence

from assistant.answer.expected import missing
from assistant.records import Evidence, Hit, Retrieval
from assistant.text.names import mentioned, names
from assistant.text.place import place

_GREETING = re.compile(r"\W*(hi|hello|hey|good (morning|afternoon|evening|day)|greetings|howdy|hallo)\b"
                       r"( there| all| glassbox| everyone)?(\W*(how are you|how do you do|how is it going|what's up)"
                       r"( doing| today)?)?\W*$|\W*how are you( doing| today)?\W*$", re.I)
_THANKS = re.compile(r"\W*(many )?(thanks?( you| a lot| so much| very much)*|cheers|great|cool|nice|perfect|awesome|"
                     r"bye|goodbye|ok(ay)?|got it|that helps|well done|see you)"
                     r"(,? (thanks?|thank you|bye|goodbye))?\W*$", re.I)
_ABILITY = re.compile(r"\W*(what (can|do) you do|who are you|what are you|how (do|can) (i|you) (use|work)( you| this)?|"
                      r"what is (this|glassbox)( thing| app| tool)?|help( me)?)\W*$", re.I)


def small_talk(question: str, documents: int) -> str | None:
    """A short reply to a greeting, thanks or "what can you do?"; None for anything else. It cites nothing.

    documents: how many the index holds.
    """
    if _GREETING.match(question):
        return "Hello. Ask me something about the documents, and I will show where the answer stands."
    if _THANKS.match(question):
        return "You are welcome. Ask on whenever you like."
    if _ABILITY.match(question):
        about = f"{documents} document{'s' if documents != 1 else ''}"
        return (f"I answer questions from {about}, cite the exact sentences, and show every passage that was "
                "considered with its scores. What the documents do not say, I decline to answer.")
    return None


SURE = 0.5  # probability of the best passage from which on it is trusted


DOUBTFUL = 0.2  # probability of the best chunk under which an answer says that it may be none; see eval/EXPERIMENTS.md
UNSURE = "The documents may not answer this. The closest passages:"


def unsure(found: Retrieval) -> bool:
    """Whether the gate was passed by so little that the answer should say so."""
    best = max((hit.rerank.value for hit in found.hits if hit.rerank), default=1.0)
    return found.calibrated and found.gate == "passed" and best < DOUBTFUL


def unanswered(query: str, essential: Sequence[Evidence], evidence: Sequence[Evidence] = ()) -> str:
    """Why the passages that an answer would be made of do not answer after all; "" where nothing speaks against it.

    A reranker likes a passage of the right kind: what was published instead of when, another thing's price. evidence:
    all that was found, best first.
    """
    if not essential or max(e.score or 0.0 for e in essential) >= SURE:
        return ""
    every = " ".join(f"{e.document} {e.heading} {e.text}" for e in essential)
    if kind := missing(query, essential[0].text, every):
        return f"the question asks for {kind}, and the best sentences hold none"
    if all(_key(e) for e in essential):
        of = [name for name in names(query) if name.lower() in {_key(e) for e in evidence}]
        if of and not any(mentioned(of[0], e.text.lower()) for e in essential):
            return f"the best rows of tables are of other things than \"{of[0]}\""
    return ""


def _key(row: Evidence) -> str:
    """The first cell of a table's row, in small letters; "" of anything else."""
    return row.text.partition(" — ")[0].lower() if len(row.spans) > 1 else ""


def decline(hits: Sequence[Hit]) -> str:
    """"The documents do not cover this", with the two closest sections and their scores."""
    near, seen = [], set()
    for hit in hits:
        heading = hit.chunk.heading
        where = place(hit.document, heading)
        if where in seen or (hit.rerank is None and hit.dense is None):
            continue
        seen.add(where)
        score = f"probability {hit.rerank.value:.2f}" if hit.rerank else f"cosine {hit.dense.value:.2f}"
        near.append(f"\"{where}\" ({score})")
        if len(near) == 2:
            break
    if not near:
        return "The documents do not cover this: nothing in them shares its words or its meaning."
    return f"The documents do not cover this. The closest sections are {' and '.join(near)}."
