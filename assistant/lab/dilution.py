"""Long-text dilution (chapter 7): one key sentence in ever more other words, and what chunking gives back."""
from __future__ import annotations

import numpy as np

from assistant.lab import figures, files
from assistant.lab.demo import Demo, Input, Report, Result, Table, Values, short
from assistant.lab.inside import count_tokens, embed_mixed, kept, max_tokens, models_key
from assistant.pipeline import Assistant

SIZES = (10, 25, 50, 100, 200, 500, 1000, 2000)  # words of the whole text
FILLER = "filler.txt"                            # forty sentences about other things, written for this demo
ANSWERS = 0.3                                    # cosine from which a sentence can be said to answer the question
CHUNK = 3                                        # sentences of a chunk
PAIRS = (  # for `measure`: a question and the sentence that answers it
    ("Does cosine similarity depend on vector length?", "Cosine similarity ignores the length of the vectors."),
    ("What does HNSW stand for?", "HNSW is short for hierarchical navigable small world."),
    ("When was the dam built?", "The dam was built in 1958 by prisoners of war."),
    ("Which vitamin does sunlight give?", "Sunlight lets the skin produce vitamin D."),
    ("How is the alarm switched off?", "The alarm is switched off with the grey key beside the door."),
    ("Who wrote the opera about the miner?", "The opera about the miner was written by Clara Ost."),
    ("What does a passport photo cost?", "A passport photo costs nine euros at the counter."),
    ("How many legs does a lobster have?", "A lobster walks on eight legs and carries two claws."),
    ("Why do leaves turn red in autumn?", "Leaves turn red in autumn because sugar trapped in them forms a dye."),
    ("Which gate does the ferry leave from?", "The ferry to the island leaves from gate 4."),
    ("How long must the resin harden?", "The resin must harden for two days before it is sanded."),
    ("What is the smallest unit of the currency?", "The smallest unit of the currency is the grosh."),
)


def around(key: str, filler: list[str], words: int, first: bool) -> list[str]:
    """Sentences of about `words` words in all, the key first or in the middle; whole filler sentences, repeated."""
    room, chosen, at = words - len(key.split()), [], 0
    while room > 0:
        sentence = filler[at % len(filler)]
        if len(sentence.split()) > room:  # the last one is cut, so that short texts have their size
            sentence = " ".join(sentence.split()[:room])
        chosen.append(sentence)
        room, at = room - len(sentence.split()), at + 1
    middle = 0 if first else (len(chosen) + 1) // 2
    return [*chosen[:middle], key, *chosen[middle:]]


def chunks(sentences: list[str]) -> list[str]:
    """Passages of three sentences each."""
    return [" ".join(sentences[at:at + CHUNK]) for at in range(0, len(sentences), CHUNK)]


def cosines(rag: Assistant, question: str, texts: list[str]) -> np.ndarray:
    """float64 (n,); a text that occurs twice, or twice alike as far as the model reads, is embedded once."""
    limit = max_tokens(rag)
    seen = [" ".join(text.split()[:limit]) for text in texts]  # a word has at least one piece
    unique = list(dict.fromkeys([question, *seen]))
    vectors = dict(zip(unique, embed_mixed(rag, unique), strict=True))
    return np.array([float(vectors[text] @ vectors[question]) for text in seen])


def measure(rag: Assistant) -> dict[str, list[float]]:
    """Cosines of each fixed pair: alone, in the middle of 100 and 2,000 words, and of the best chunk of 500."""
    def count() -> dict[str, list[float]]:
        filler, rows = files.text(FILLER).splitlines(), []
        for question, key in PAIRS:
            long = around(key, filler, 500, first=False)
            texts = [key, *(" ".join(around(key, filler, n, first=False)) for n in (100, 2000)), *chunks(long)]
            found = cosines(rag, question, texts)
            rows.append((*found[:3], found[3:].max()))
        return dict(zip(("alone", "in_100_words", "in_2000_words", "best_chunk"), np.array(rows).T.tolist(),
                        strict=True))
    return kept(("dilution", *models_key(rag)), count)


def work(values: Values, rag: Assistant, report: Report) -> Result:
    question, key = values["question"], values["key"]
    filler = list(values["filler"]) or files.text(FILLER).splitlines()
    sizes = [n for n in SIZES if n > len(key.split())]
    sentences = {(n, first): around(key, filler, n, first) for n in sizes for first in (True, False)}
    texts = [" ".join(parts) for parts in sentences.values()]
    parts = chunks(sentences[sizes[-1], False])
    bare = " ".join(s for s in sentences[sizes[-1], False] if s != key)
    report(0.1, "embedding the texts")
    found = cosines(rag, question, [key, *texts, bare, *parts])
    alone, whole, bare_cosine = found[0], found[1:-1 - len(parts)], found[-1 - len(parts)]
    by_chunk = found[-len(parts):]
    first, middle = whole[0::2].tolist(), whole[1::2].tolist()
    pieces = count_tokens(rag, [texts[-1]])[0]
    limit = max_tokens(rag)
    best = int(np.argmax(by_chunk))
    restored = key in parts[best]
    holds = middle[-1] < alone - 0.1 if alone >= ANSWERS else None
    verdict = (f"Alone the key sentence has cosine {alone:.2f} with the question; in the middle of {sizes[-1]:,} "
               f"words, {middle[-1]:.2f}. " + ("It is diluted, as claimed. " if holds else
                                        "Even alone it is far from the question, so the claim is not put to the test. "
                                        if holds is None else
                                        "It is hardly diluted, so the claim does not hold for this input. "))
    verdict += (f"The long text has {pieces:,} word pieces, of which {limit} are read" +
                (": without the key its cosine is the same. " if abs(middle[-1] - bare_cosine) < 1e-4 else ". "))
    verdict += f"Cut into chunks, the best one has {by_chunk[best]:.2f}" + \
        (" and holds the key." if restored else ", but it is not the one with the key.")
    return Result(
        {"alone": round(float(alone), 3), "middle_100": _at(sizes, middle, 100), "first_100": _at(sizes, first, 100),
         f"middle_{sizes[-1]}": round(middle[-1], 3), f"first_{sizes[-1]}": round(first[-1], 3),
         "without_key": round(float(bare_cosine), 3), "best_chunk": round(float(by_chunk[best]), 3),
         "best_chunk_holds_key": int(restored), "pieces": pieces, "limit": limit},
        holds, verdict,
        "A text's vector is the average of its tokens' vectors, so one sentence weighs less the more others stand "
        "beside it. What lies beyond the model's limit is cut off without a word and weighs nothing. Chunks keep each "
        "sentence among few others, and every chunk has a vector of its own.",
        f"Two falling lines of cosine over text length: key first from {first[0]:.2f} to {first[-1]:.2f}, key in the "
        f"middle from {middle[0]:.2f} to {middle[-1]:.2f}; a level line for the best chunk at {by_chunk[best]:.2f}.",
        lambda: figures.curves(f"“{short(key, 40)}” in ever more words", "words of the text (log)",
                               "cosine with the question",
                               {"key first": (sizes, first), "key in the middle": (sizes, middle),
                                "best chunk of the longest": ((sizes[0], sizes[-1]), (by_chunk[best],) * 2)},
                               ).update_xaxes(type="log", tickvals=sizes, tickformat="~s"),
        Table(("words", "key first", "key in the middle"),
              tuple((n, round(a, 3), round(b, 3)) for n, a, b in zip(sizes, first, middle, strict=True))))


def _at(sizes: list[int], values: list[float], size: int) -> float:
    return round(values[sizes.index(size)], 3) if size in sizes else round(values[0], 3)


DEMO = Demo(
    "dilution", "Long-text dilution", 7,
    "The more other words stand around a sentence, the less its question finds it; chunking gives it back.",
    (Input("question", "Question", PAIRS[0][0], longest=600),
     Input("key", "The sentence that answers it", PAIRS[0][1], longest=600),
     Input("filler", "Other sentences, one a line", "", "lines", low=3, high=200, optional=True,
           help="empty: forty sentences about other things")),
    work,
    tuple((question, {"question": question, "key": key}) for question, key in PAIRS[2:4]),
    ("dilution", "diluted", "long text", "long texts", "long documents", "chunked", "chunking"), measure,
    roles={"alone": "beside", "in_100_words": "problem", "in_2000_words": "problem", "best_chunk": "fix"})
