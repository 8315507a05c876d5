"""Train word2vec here (chapter 2): skip-gram with negative sampling on a grammar's sentences, the index, your text."""
from __future__ import annotations

import numpy as np

from assistant.errors import InputError
from assistant.lab import counting, figures, files
from assistant.lab.demo import Demo, Input, Report, Result, Table, Values, quoted
from assistant.lab.sgns import Grammar, Space, grammar, told_apart, train
from assistant.pipeline import Assistant
from assistant.text.segment import split_sentences

SOURCES = ("grammar", "index", "your text")
GRAMMAR_SENTENCES = 4000
HELD_OUT = 10  # every tenth sentence is not trained on
NEAR = 5


def purity(space: Space, made: Grammar, trained: bool) -> float:
    """Mean share of a class word's five nearest neighbours that are of its class."""
    kind = {word: name for name, words in made.classes.items() for word in words}
    shares = [sum(kind.get(other) == kind[word] for other, _ in space.neighbours(word, NEAR, trained)) / NEAR
              for word in space.words if word in kind]
    return float(np.mean(shares)) if shares else 0.0


def _texts(values: Values, rag: Assistant, made: Grammar) -> tuple[list[str], int]:
    """(sentences, how often a word must occur)."""
    if values["source"] == "grammar":
        return made.sentences([""], GRAMMAR_SENTENCES, values["seed"]), 1
    if values["source"] == "index":
        texts = [chunk.text for chunk in rag.chunks()]
        if not texts:
            raise InputError("the index holds no text: ingest some documents, or choose source=grammar")
        return [text[a:b] for text in texts for a, b in split_sentences(text)], 5
    if not values["text"]:
        raise InputError("text is empty: paste a text to train on, or choose source=grammar")
    return [line[a:b] for line in values["text"] for a, b in split_sentences(line)], 2


def work(values: Values, rag: Assistant, report: Report) -> Result:
    made = grammar(files.text("grammar.txt"))
    texts, least = _texts(values, rag, made)
    kept_back = texts[::HELD_OUT]
    learnt = [text for at, text in enumerate(texts) if at % HELD_OUT]
    if len({word for text in learnt for word in counting.words(text)}) < 20:
        raise InputError("the text has fewer than 20 different words: paste a longer one")
    space = train(learnt, dim=values["dimensions"], window=values["window"], epochs=values["epochs"], negatives=5,
                  seed=values["seed"], least=least, report=report)
    if len(space.words) < 20 or not space.losses:
        raise InputError(f"only {len(space.words)} words occur {least} times or more: paste a longer text")
    report(1.0, "measuring")
    before, after = told_apart(space, kept_back, values["window"], values["seed"])
    word = values["word"].lower()
    if word not in space.words:
        raise InputError(f"word {quoted(word)} does not occur often enough in these sentences: try one of "
                         f"{', '.join(w for w in space.words[:400] if w not in counting.STOP and len(w) > 3)[:120]}")
    near = space.neighbours(word, 8), space.neighbours(word, 8, trained=False)
    numbers: dict[str, float | int | str] = {
        "sentences": len(learnt), "words": len(space.words), "loss_first": round(space.losses[0], 3),
        "loss_last": round(space.losses[-1], 3), "told_apart_before": round(before, 3),
        "told_apart_after": round(after, 3), "nearest": near[0][0][0]}
    holds = after > before + 0.1 and space.losses[-1] < space.losses[0]
    verdict = (f"Trained on {len(learnt):,} sentences with {len(space.words):,} words; the loss fell from "
               f"{space.losses[0]:.2f} to {space.losses[-1]:.2f}. On sentences kept back, true neighbours score above "
               f"chance ones {after:.0%} of the time, {before:.0%} before. “{word}” is now nearest to "
               f"{', '.join(w for w, _ in near[0][:4])}; before, to {', '.join(w for w, _ in near[1][:4])}. ")
    if values["source"] == "grammar":
        shares = purity(space, made, trained=False), purity(space, made, trained=True)
        numbers |= {"same_class_before": round(shares[0], 3), "same_class_after": round(shares[1], 3)}
        holds = holds and shares[1] > 0.8
        verdict += f"{shares[1]:.0%} of the nearest five are of the same class, {shares[0]:.0%} before. "
        verdict += "The sentences come from a small grammar, where neighbours are easy to find. "
    else:
        verdict += (f"{sum(len(counting.words(text)) for text in learnt):,} words of text are very few: word2vec was "
                    "trained on billions, so expect rough neighbours. ")
    verdict += "As claimed." if holds else "The claim does not hold here."
    if space.epochs < values["epochs"]:
        verdict += f" The time was over after {space.epochs:.1f} of {values['epochs']} epochs."
    losses = space.losses
    return Result(
        numbers, holds, verdict,
        "Skip-gram predicts a word's neighbours and tells them from words drawn at random. Each error moves the "
        "vectors a little, so words in like company drift together; nobody says which words are alike. How good it "
        "gets hangs on how much text there is.",
        f"A falling curve of the loss from {losses[0]:.2f} to {losses[-1]:.2f} over {space.epochs:.0f} epochs.",
        lambda: figures.curves("Loss while training", "epochs", "loss",
                               {"loss": (np.linspace(0, space.epochs, len(losses)).tolist(), losses)}),
        Table(("rank", "neighbour after", "cosine", "neighbour before", "cosine before"),
              tuple((rank, a, round(x, 3), b, round(y, 3))
                    for rank, ((a, x), (b, y)) in enumerate(zip(*near, strict=True), 1))))


DEMO = Demo(
    "word2vec", "Train word2vec here", 2,
    "From raw sentences alone, predicting neighbours gives words of like use like vectors.",
    (Input("source", "Sentences from", "grammar", "choice", options=SOURCES),
     Input("word", "Word whose neighbours to show", "dog"),
     Input("text", "Your text", "", "lines", low=1, high=2000, optional=True, total=400_000),
     Input("epochs", "Epochs", 5, "number", low=1, high=30),
     Input("dimensions", "Dimensions", 32, "number", low=4, high=128),
     Input("window", "Window", 4, "number", low=1, high=8),
     Input("seed", "Seed", 0, "number", low=0, high=10000)),
    work,
    (("On the index", {"source": "index", "word": "cosine", "epochs": 15}), ("A vehicle", {"word": "tram"})),
    ("word2vec", "skip-gram", "negative sampling", "cbow", "distributional hypothesis"), trains=True, embeds=False)
