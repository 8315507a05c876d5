"""Embedding explorer (chapter 8): two sentences by every method of the course, side by side."""
from __future__ import annotations

from assistant.lab import counting, figures
from assistant.lab.demo import Demo, Input, Report, Result, Table, Values, short
from assistant.lab.inside import probabilities, tokens
from assistant.pipeline import Assistant

PAIRS = (  # the eight of chapter 8; inverse document frequencies come from their fifteen different sentences
    ("I love cats", "I hate cats"),
    ("Paris is beautiful", "France is lovely"),
    ("The product is good", "The product is not good"),
    ("dog bites man", "man bites dog"),
    ("The bank is by the river", "I deposited money at the bank"),
    ("Paris is the capital of France", "Berlin is Germany's largest city"),
    ("Paris is the capital of France", "I enjoy eating pizza"),
    ("gripping thriller with a twist ending", "a nail-biting mystery that subverts expectations"),
)
COLLECTION = tuple(dict.fromkeys(sentence for pair in PAIRS for sentence in pair))
MARGIN = 0.05                # by which dense must lead the counting methods
SIMILAR, RELATED = 0.6, 0.3  # cosines; a hint about the topic only, see chapter 8 on why no threshold is right


def verdict_of(cosine: float) -> str:
    """A label for a cosine, to be read as a hint."""
    return "similar" if cosine >= SIMILAR else "related" if cosine >= RELATED else "unrelated"


def work(values: Values, rag: Assistant, report: Report) -> Result:
    first, second = values["first"], values["second"]
    vectors = counting.methods(first, second, COLLECTION)
    inner = tokens(rag, [first, second])
    vectors["static mean"] = tuple(piece.static[1:-1].mean(axis=0) for piece in inner)
    vectors["dense"] = tuple(rag.embed([first, second]))
    cosines = {name: round(counting.cosine(*pair), 3) for name, pair in vectors.items()}
    both = [set(counting.words(text)) for text in (first, second)]
    union = both[0] | both[1]
    numbers = {"jaccard": round(len(both[0] & both[1]) / len(union), 3) if union else 0.0, **cosines}
    cross = probabilities(rag, first, [second], [float(vectors["dense"][1] @ rag.embed_query([first])[0])])[0]
    if cross is not None:
        numbers["cross-encoder"] = cross
    best = max(("one-hot", "bag of words", "TF-IDF"), key=lambda name: cosines[name])
    holds = cosines["dense"] > cosines[best] + MARGIN
    same = first.casefold() == second.casefold()
    if same or max(cosines["dense"], cosines[best]) < RELATED:
        holds = None
    verdict = (f"Dense {cosines['dense']:.2f} ({verdict_of(cosines['dense'])}); best of the counting methods: {best} "
               f"{cosines[best]:.2f}. ") + (
        "The two are the same text, so the claim is not put to the test." if same else
        "All find the two unrelated, so the claim is not put to the test." if holds is None else
        "The dense vectors see more than shared words do, as claimed." if holds else
        "Dense scores this pair no higher than counting does, so the claim does not hold for this input.")
    chosen = values["method"]
    a, b = figures.pair_plane(*vectors[chosen])

    def draw():
        if values["view"] == "plane":
            return figures.arrows(f"{chosen}: cosine {cosines[chosen]:.2f}; lengths and angle are true",
                                  {short(first, 30): ((0, 0), tuple(a)), short(second, 30) + " ": ((0, 0), tuple(b))})
        shown = {**cosines, **({"cross-encoder": cross} if cross is not None else {})}
        return figures.bars("How alike each method finds the two sentences", list(shown),
                            {"score": list(shown.values())}, "cosine (cross-encoder: probability)", showlegend=False)

    rows = [(name, value, verdict_of(value)) for name, value in cosines.items()]
    if cross is not None:
        rows.append(("cross-encoder", cross, "reads the second as an answer to the first"))
    return Result(
        numbers, holds, verdict,
        "One-hot, bag of words and TF-IDF score shared words only, so synonyms count nothing. Dense vectors have "
        "learnt which words belong together, but score topic rather than truth. The cross-encoder is no measure of "
        "likeness: it gives the probability that the second text answers the first.",
        "Bars of scores: " + ", ".join(f"{name} {value:.2f}" for name, value in numbers.items()) + ".",
        draw, Table(("method", "score", "hint"), tuple(rows)))


DEMO = Demo(
    "explorer", "Embedding explorer", 8,
    "Dense vectors see more of a likeness in meaning than the methods that count words.",
    (Input("first", "Sentence A", "Paris is beautiful", longest=600),
     Input("second", "Sentence B", "France is lovely", longest=600),
     Input("view", "Picture", "bars", "choice", options=("bars", "plane"),
           help="plane: the two vectors of the chosen method, drawn without loss"),
     Input("method", "Method on the plane", "dense", "choice",
           options=("one-hot", "bag of words", "TF-IDF", "static mean", "dense"))),
    work,
    tuple((f"{short(a, 22)} / {short(b, 22)}", {"first": a, "second": b}) for a, b in PAIRS),
    ("embedding explorer", "jaccard", "paris is beautiful", "i love cats", "compare two sentences"))
