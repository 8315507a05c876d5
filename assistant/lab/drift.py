"""Semantic drift (chapter 7): two spaces trained on texts of two times, aligned: a word's neighbours then and now."""
from __future__ import annotations

import math

import numpy as np

from assistant.errors import InputError
from assistant.lab import counting, figures, files
from assistant.lab.demo import Demo, Input, Report, Result, Table, Values, quoted
from assistant.lab.inside import kept
from assistant.lab.sgns import Space, grammar, train, unit
from assistant.pipeline import Assistant

OWN_SECONDS = 12  # of training at the most on a text of the user's, for each time
SENTENCES = 4000  # of each time, from the grammar in drift.txt
MOVED = ("cloud", "stream", "tablet", "feed", "mouse")
STAYED = ("bread", "goat", "village", "mother", "rain", "laptop")
COMPANY = {"cloud": ("rain", "server"), "stream": ("river", "film"), "tablet": ("pill", "phone"),
           "feed": ("barn", "phone"), "mouse": ("goat", "laptop")}  # a word that moved: its company then, and now


def rotation(source: np.ndarray, target: np.ndarray) -> np.ndarray:
    """The orthogonal matrix (dim, dim) that brings `source` closest to `target`, row by row (Schönemann 1966)."""
    left, _, right = np.linalg.svd(source.T @ target)
    return left @ right


def align(then: Space, now: Space) -> tuple[list[str], np.ndarray, np.ndarray]:
    """(shared words, their vectors then turned into the space of now, their vectors now); unit rows."""
    shared = [word for word in then.words if word in set(now.words) and word not in counting.STOP]
    if len(shared) < 20:
        raise InputError(f"the two texts share {len(shared)} words apart from stop words: expected at least 20; use "
                         "longer texts on like matters")
    a = unit(np.stack([then.after[then.words.index(word)] for word in shared]))
    b = unit(np.stack([now.after[now.words.index(word)] for word in shared]))
    return shared, a @ rotation(a, b), b


def spaces(then_texts: tuple[str, ...], now_texts: tuple[str, ...], report: Report) -> tuple[Space, Space]:
    """One space for each time, alike in everything but the texts."""
    if then_texts:
        texts, least = (list(then_texts), list(now_texts)), 2
    else:
        made = grammar(files.text("drift.txt"))
        texts, least = tuple(made.sentences(["both", name], SENTENCES, 0) for name in ("then", "now")), 1
    def told(offset: float) -> Report:
        return lambda done, what: report(offset + done / 2, what)
    epochs, seconds = (30, OWN_SECONDS) if then_texts else (6, math.inf)  # the eval suite's numbers hang on no clock
    return tuple(train(part, dim=24, window=4, epochs=epochs, negatives=5, seed=1, least=least, report=told(n / 2),
                       seconds=seconds) for n, part in enumerate(texts))  # type: ignore[return-value]


def changes(report: Report) -> tuple[list[str], np.ndarray, np.ndarray]:
    """`align` of the two spaces of the built-in texts, trained once."""
    return kept(("drift", "built in"), lambda: align(*spaces((), (), report)))


def measure(rag: Assistant) -> dict[str, list[float]]:
    """On the built-in texts, for each word that moved: whether the old space, and the one trained again, put it nearer
    to its company of now than of then; aligned cosines, then to now, of words that moved and of words that stayed."""
    shared, then, now = changes(lambda done, what: None)
    at = {word: n for n, word in enumerate(shared)}

    def up_to_date(space: np.ndarray) -> list[float]:
        return [float(space[at[word]] @ space[at[new]] > space[at[word]] @ space[at[old]])
                for word, (old, new) in COMPANY.items()]
    cosine = dict(zip(shared, (then * now).sum(axis=1).tolist(), strict=True))
    return {"old_space_right": up_to_date(then), "new_space_right": up_to_date(now),
            "moved_cosine": [cosine[word] for word in MOVED], "stayed_cosine": [cosine[word] for word in STAYED]}


def work(values: Values, rag: Assistant, report: Report) -> Result:
    own = values["then"], values["now"]
    if any(own) and not all(own):
        raise InputError("one of then and now is empty: give texts of both times, or of neither for the built-in ones")
    shared, then, now = align(*spaces(*own, report)) if all(own) else changes(report)
    word = values["word"].lower()
    if word not in shared:
        raise InputError(f"word {quoted(word)} does not occur in both texts: try one of "
                         f"{', '.join(shared[:20])[:120]}")
    cosines = (then * now).sum(axis=1)
    at, order = shared.index(word), np.argsort(cosines, kind="stable")
    rank = int(np.flatnonzero(order == at)[0]) + 1
    median = float(np.median(cosines))
    def near(vector: np.ndarray, rows: np.ndarray) -> list[tuple[str, float]]:
        scores = rows @ vector
        return [(shared[n], float(scores[n])) for n in np.argsort(-scores, kind="stable") if n != at][:6]
    was, is_ = near(then[at], then), near(now[at], now)
    common = {name for name, _ in was} & {name for name, _ in is_}
    holds = bool(cosines[at] < median - 0.15 and len(common) <= 3)
    company = [", ".join(name for name, _ in found[:4]) for found in (was, is_)]
    verdict = (f"“{word}” then: {company[0]}; now: {company[1]}. "
               f"Its aligned vectors have cosine {cosines[at]:.2f}, the median word {median:.2f}; it is number {rank} "
               f"of {len(shared)} in change. ") + ("The word has drifted, as claimed." if holds else
                                                "The word has kept its company, so the claim does not hold for it.")
    numbers = {"cosine_then_now": round(float(cosines[at]), 3), "median_cosine": round(median, 3),
               "rank_of_change": rank, "shared_words": len(shared), "common_neighbours": len(common),
               "most_changed": ", ".join(shared[n] for n in order[:5])}

    def draw():
        names = list(dict.fromkeys([name for name, _ in was[:5]] + [name for name, _ in is_[:5]]))
        places = [shared.index(name) for name in names]
        xy, share = figures.plane(np.stack([then[at], now[at], *now[places]]))
        made = figures.arrows(f"“{word}” on its way; the plane keeps {share:.0%} of the variance",
                              {f"{word}, then to now": (xy[0], xy[1])})
        made.add_scatter(x=xy[2:, 0].tolist(), y=xy[2:, 1].tolist(), text=names, mode="markers+text",
                         textposition="top center", name="neighbours, then or now",
                         marker={"color": figures.GREEN, "symbol": "diamond", "size": 9})
        return made

    return Result(
        numbers, holds, verdict,
        "A model keeps the meanings of the texts that it was trained on. Two spaces cannot be compared as they are, "
        "since each has axes of its own; an orthogonal turn (Procrustes) lays one on the other without changing any "
        "angle. What then lies far apart has changed its company.",
        f"An arrow from {word} then to {word} now, among neighbours: then {', '.join(n for n, _ in was[:3])}, now "
        f"{', '.join(n for n, _ in is_[:3])}.",
        draw,
        Table(("rank", "neighbour then", "cosine then", "neighbour now", "cosine now"),
              tuple((n, a, round(x, 3), b, round(y, 3)) for n, ((a, x), (b, y)) in enumerate(
                  zip(was, is_, strict=True), 1))))


DEMO = Demo(
    "drift", "Semantic drift", 7,
    "A word whose use has changed has other neighbours in the space of the new texts than in that of the old.",
    (Input("word", "Word", "cloud"),
     Input("then", "Texts of then, one sentence a line", "", "lines", low=20, high=500, optional=True, total=100_000,
           help="empty: texts written for this demo, the 1990s against today"),
     Input("now", "Texts of now, one sentence a line", "", "lines", low=20, high=500, optional=True, total=100_000)),
    work, (("Tablet", {"word": "tablet"}), ("A word that stayed", {"word": "bread"})),
    ("semantic drift", "drift"), measure, trains=True, embeds=False,
    roles={"old_space_right": "problem", "new_space_right": "fix", "moved_cosine": "beside", "stayed_cosine": "beside"})
