"""Clusters (chapter 4): K-means and DBSCAN over the index's chunks or your own lines, named by their words."""
from __future__ import annotations

import numpy as np

from assistant.errors import InputError
from assistant.lab import counting, figures
from assistant.lab.demo import Demo, Input, Report, Result, Table, Values, lines, short
from assistant.lab.inside import chunk_vectors, own_vectors
from assistant.pipeline import Assistant

MOST = 2000      # chunks looked at
NEIGHBOURS = 4   # that a point needs within eps for DBSCAN to call it dense (Ester et al. 1996 use 4)
NAME_WORDS = 3
FEW = 100        # texts under which chance is the best of five deals: with few texts one deal may be lucky
COURSE = lines(  # twelve sentences on three topics
    "Simmer the tomatoes with garlic and basil", "Knead the dough until it is smooth",
    "Roast the carrots with honey and thyme", "Whisk the eggs into the warm milk",
    "The striker scored in the last minute", "The goalkeeper saved two penalties",
    "The team trains on the pitch every morning", "She won the final in three sets",
    "The telescope showed the rings of Saturn", "A comet passes the sun every eighty years",
    "Jupiter has more than ninety moons", "The galaxy lies two million light years away")


def names(texts: list[str], labels: np.ndarray) -> dict[int, str]:
    """{cluster: its words with the highest TF-IDF}, each cluster counted as one document."""
    found = sorted(set(labels.tolist()))
    spoken = [[word for word in counting.content_words(text) if word.isalpha() and len(word) > 2] for text in texts]
    joined = [" ".join(" ".join(spoken[at]) for at in np.flatnonzero(labels == c)) or "…" for c in found]
    if not any(spoken):
        return dict.fromkeys(found, "…")
    bags, vocabulary = counting.counts(joined)
    # counts over size, so that no cluster wins by its length; 0.1 keeps words of all clusters above nothing
    weights = bags / np.maximum(bags.sum(axis=1, keepdims=True), 1) * (
        np.log(len(found) / np.maximum(counting.one_hot(bags).sum(axis=0), 1)) + 0.1)
    return {c: ", ".join(vocabulary[at] for at in np.argsort(-weights[n], kind="stable")[:NAME_WORDS])
            for n, c in enumerate(found)}


def reach(vectors: np.ndarray) -> float:
    """An eps for DBSCAN in cosine distance: the median distance to the 4th nearest neighbour."""
    apart = 1 - vectors @ vectors.T
    np.fill_diagonal(apart, np.inf)
    return float(np.median(np.sort(apart, axis=1)[:, min(NEIGHBOURS, len(apart) - 1) - 1]))


def without_structure(vectors: np.ndarray, seed: int = 0) -> np.ndarray:
    """Unit rows with the same values in each dimension, dealt out anew: what is left to find there is chance.

    Shuffled labels would be too easy to beat: K-means finds tight groups in anything, also in noise.
    """
    mixed = np.random.default_rng(seed).permuted(vectors, axis=0)
    return mixed / np.maximum(np.linalg.norm(mixed, axis=1, keepdims=True), 1e-9)


def work(values: Values, rag: Assistant, report: Report) -> Result:
    from sklearn.cluster import DBSCAN, KMeans
    from sklearn.metrics import adjusted_mutual_info_score, silhouette_score
    own, k = list(values["texts"]), values["clusters"]
    if own:
        texts, vectors, topics = own, own_vectors(rag, own, report), None
    else:
        chunks, vectors = chunk_vectors(rag, 12)
        texts, topics = [chunk.text for chunk in chunks[:MOST]], [chunk.document_id for chunk in chunks[:MOST]]
        vectors = vectors[:MOST]
    if k >= len(texts):
        raise InputError(f"clusters is {k}, but there are {len(texts)} texts: expected at most {len(texts) - 1}")
    if values["method"] == "K-means" and k > (different := len(set(texts))):
        raise InputError(f"clusters is {k}, but only {different} of the {len(texts)} texts differ: expected at most "
                         f"{different}")
    report(0.5, "clustering")

    def grouped(rows: np.ndarray) -> np.ndarray:
        if values["method"] == "K-means":
            return KMeans(k, n_init=4, random_state=values["seed"]).fit_predict(rows)
        eps = values["eps"] or reach(rows)
        return DBSCAN(eps=eps, min_samples=min(NEIGHBOURS, len(rows)), metric="cosine").fit_predict(rows)

    def tightness(rows: np.ndarray, labels: np.ndarray) -> float | None:
        """Silhouette without the noise; None where there are no two clusters to compare."""
        inside = labels >= 0
        if not 2 <= len(set(labels[inside].tolist())) < int(inside.sum()):
            return None
        return float(silhouette_score(rows[inside], labels[inside], metric="cosine"))

    labels = grouped(vectors)
    report(0.7, "the same without meaning")
    deals = [without_structure(vectors, seed) for seed in range(5 if len(texts) < FEW else 1)]
    chance = max(tightness(mixed, grouped(mixed)) or 0.0 for mixed in deals)
    noise = int((labels < 0).sum())
    kinds = sorted(set(labels[labels >= 0].tolist()))
    silhouette = tightness(vectors, labels)
    enough = silhouette is not None
    silhouette = silhouette or 0.0
    holds = silhouette > chance + 0.02 if enough else None
    numbers: dict[str, float | int | str] = {
        "texts": len(texts), "clusters": len(kinds), "noise": noise, "silhouette": round(silhouette, 4),
        "silhouette_by_chance": round(chance, 4)}
    verdict = (f"{values['method']} makes {len(kinds)} cluster{'' if len(kinds) == 1 else 's'} of {len(texts)} texts"
               + (f", {noise} left as noise" if noise else "")
               + (f"; silhouette {silhouette:.2f}, against {round(chance, 2) + 0.0:.2f} where the same numbers are "
                  "dealt out anew among the texts. " if enough else
                  ". "))
    if topics and len(set(topics)) > 1:
        agreement = float(adjusted_mutual_info_score(topics, labels))
        numbers["agreement_with_documents"] = round(agreement, 4)
        verdict += f"The clusters agree with the documents to {agreement:.2f} (0 by chance, 1 fully). "
    verdict += ("As claimed." if holds else "There are no two clusters to compare, so the claim is not put to the test."
                if not enough else "That is no better than chance, so the claim does not hold for this input.")
    named = names(texts, labels) if kinds else {}
    xy, share = figures.plane(vectors)
    shown = [*kinds, *([-1] if noise else [])]
    title = {c: "noise" if c < 0 else f"{c + 1}: {named[c]}" for c in shown}
    return Result(
        numbers, holds, verdict,
        "K-means places a chosen number of centres and gives each vector to the nearest one; DBSCAN grows clusters "
        "through dense regions and leaves lone points as noise. Nobody named a topic: nearness of vectors alone made "
        "the groups, and the names are their words with the highest TF-IDF.",
        f"A map of {len(texts)} texts in {len(kinds)} groups: "
        + "; ".join(f"{title[c]} ({int((labels == c).sum())})" for c in shown[:10]) + ".",
        lambda: figures.points(
            f"{values['method']}; the plane keeps {share:.0%} of the variance",
            {title[c]: (xy[labels == c], [short(texts[at], 60) for at in np.flatnonzero(labels == c)]) for c in shown},
            labels=False),
        Table(("cluster", "texts", "an example"),
              tuple((title[c], int((labels == c).sum()), short(texts[int(np.flatnonzero(labels == c)[0])], 90))
                    for c in shown)))


DEMO = Demo(
    "clusters", "Clusters", 4,
    "Vectors alone group texts by topic, with no label given: the groups are tighter than chance.",
    (Input("method", "Method", "K-means", "choice", options=("K-means", "DBSCAN")),
     Input("clusters", "Clusters (K-means)", 8, "number", low=2, high=30),
     Input("eps", "Reach in cosine distance (DBSCAN; 0: measured)", 0.0, "number", low=0, high=1),
     Input("texts", "Texts of your own, one a line", "", "lines", low=4, high=300, optional=True,
           help="empty: the chunks of the index"),
     Input("seed", "Seed", 0, "number", low=0, high=10000)),
    work,
    (("Cooking, sport, astronomy", {"texts": COURSE, "clusters": 3}), ("DBSCAN", {"method": "DBSCAN"})),
    ("clustering", "k-means", "dbscan", "cluster", "clusters"))
