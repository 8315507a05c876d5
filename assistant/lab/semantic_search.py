"""Semantic search (chapter 0): the nearest by meaning, beside what a search for the query's words finds."""
from __future__ import annotations

import numpy as np

from assistant.errors import InputError
from assistant.lab import counting, figures
from assistant.lab.demo import Demo, Input, Link, Report, Result, Table, Values, lines, short
from assistant.pipeline import Assistant

CLOSE = 0.3  # cosine under which the nearest item is no find: unrelated English texts reach 0.2
ITEMS = lines(
    "a suspenseful novel whose last page changes everything",
    "a nail-biting mystery that subverts expectations",
    "a crime story in which nobody is who they seem",
    "a tender love story set on a Greek island",
    "quick vegetarian recipes for busy weeknights",
    "a beginner's guide to growing tomatoes",
    "a biography of the first woman in space",
    "an atlas of the world's deepest oceans")


def work(values: Values, rag: Assistant, report: Report) -> Result:
    items, query, near = values["items"], values["query"], values["neighbours"]
    if values["item"] > len(items):
        raise InputError(f"item is {values['item']}, but there are {len(items)} items: expected 0 (the query) to "
                         f"{len(items)}")
    vectors = rag.embed([*items, query])
    chosen = values["item"] - 1  # -1: the query, which stands last
    cosines = vectors[:-1] @ vectors[chosen]
    if chosen >= 0:
        cosines[chosen] = -2.0  # an item is not its own neighbour
    wanted = counting.content_words(query if chosen < 0 else items[chosen])
    shared = [[word for word in wanted if word in counting.words(item)] for item in items]
    order = np.argsort(-cosines, kind="stable")[:min(near, len(items) - (chosen >= 0))]
    best = int(order[0])
    most = max((len(words) for at, words in enumerate(shared) if at != chosen), default=0)
    found = [at for at, words in enumerate(shared) if at != chosen and most and len(words) == most]
    holds = not shared[best] if cosines[best] >= CLOSE else None
    asked = query if chosen < 0 else items[chosen]
    words_say = "no item holds any word of it" if not most else \
        f"“{short(items[found[0]])}” holds the most of them ({', '.join(shared[found[0]])})"
    verdict = (f"Nearest to “{short(asked)}” by meaning: “{short(items[best])}” (cosine {cosines[best]:.2f}). By "
               f"words, {words_say}. ") + (
        "Meaning finds what the words do not, as claimed." if holds else
        "That is far from it too: no item fits, so the claim is not put to the test." if holds is None else
        f"A word search finds the nearest item as well, by “{shared[best][0]}”, so the claim does not hold here.")
    xy, share = figures.plane(vectors)
    lit = set(order.tolist())
    ranked = [at for at in np.argsort(-cosines, kind="stable").tolist() if at != chosen]
    listed = sorted((at for at in ranked if shared[at]), key=lambda at: (-len(shared[at]), at))
    by_words = {at: rank for rank, at in enumerate(listed, 1)}  # a word search lists no item without a word
    rest = [at for at in range(len(items)) if at not in lit and at != chosen]

    def draw():
        centre = xy[chosen][None]
        groups = {"asked": (centre, [asked]),
                  "nearest by meaning": (xy[order], [f"{items[at]} ({cosines[at]:.2f})" for at in order]),
                  "other items": (xy[rest], [items[at] for at in rest])}
        marks = {"asked": ["query" if chosen < 0 else str(chosen + 1)],
                 "nearest by meaning": [str(at + 1) for at in order], "other items": [str(at + 1) for at in rest]}
        numbers = {"asked": [chosen + 1], "nearest by meaning": [at + 1 for at in order.tolist()],
                   "other items": [at + 1 for at in rest]}
        made = figures.points(f"Neighbours by meaning; the plane keeps {share:.0%} of the variance", groups,
                              marks=marks)
        made.data[0].textposition = "bottom center"  # the nearest ones stand close by, with their numbers on top
        for trace in made.data:  # a click on a point asks for its neighbours
            trace.customdata = [f"item={number}" for number in numbers[trace.name]]
        return made

    return Result(
        {"best": items[best], "best_cosine": round(float(cosines[best]), 3), "words_shared_by_best": len(shared[best]),
         "most_words_shared": most, "items_with_all_words": sum(len(w) == len(wanted) > 0 for w in shared),
         "variance_kept": round(share, 3)},
        holds, verdict,
        "The embedder puts each text at a point of a space with hundreds of axes, and texts of like meaning lie close "
        "together, whatever words they use. A keyword search can only count words that occur in both texts, so it "
        "misses a fitting item in other words.",
        f"A map of {len(items)} items and the query. Lit up as nearest: "
        + "; ".join(f"{short(items[at])} {cosines[at]:.2f}" for at in order) + ".",
        draw,
        Table(("rank by meaning", "item (press for its neighbours)", "cosine", "rank by words", "words shared"),
              (*((rank, Link(items[at], f"item={at + 1}"), round(float(cosines[at]), 3), by_words.get(at),
                  ", ".join(shared[at])) for rank, at in enumerate(ranked, 1)),
               *([(None, Link(f"back to the query: {short(query)}", "item=0"), None, None, "")] if chosen >= 0 else
                 []))))


DEMO = Demo(
    "semantic-search", "Semantic search", 0,
    "Search by meaning finds a fitting item that a search for the query's words does not find.",
    (Input("query", "Query", "gripping thriller with a twist ending"),
     Input("items", "Items, one a line", ITEMS, "lines", low=2, high=60),
     Input("item", "Neighbours of item (0: of the query)", 0, "number", low=0, high=60),
     Input("neighbours", "Neighbours to light up", 3, "number", low=1, high=10)),
    work,
    (("With items that repeat the words", {"items": ITEMS + "\n" + lines(
        "a twist on classic knitting patterns, with a fresh ending for every row",
        "a gripping history of the cotton trade, with maps")}),
     ("Neighbours of an item", {"item": 1})),
    ("semantic search", "keyword search", "vocabulary mismatch", "bookshop", "bookstore", "by meaning"))
