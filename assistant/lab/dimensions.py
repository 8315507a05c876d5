"""High dimensions (chapter 4): random directions are nearly perpendicular, and random projections keep distances."""
from __future__ import annotations

import math

import numpy as np

from assistant.errors import InputError
from assistant.lab import figures
from assistant.lab.demo import Demo, Input, Report, Result, Table, Values, quoted
from assistant.lab.inside import chunk_vectors
from assistant.pipeline import Assistant

SOURCE_DIMENSIONS = 3000  # of the points that are projected
TARGETS = (50, 100, 200, 500, 1000)  # dimensions that the picture of the errors projects to
MOST_DRAWN = 12_000_000   # random numbers, pairs x all dimensions: about a second


def random_cosines(rng: np.random.Generator, pairs: int, dimensions: int) -> np.ndarray:
    """float32 (pairs,): cosines of random directions."""
    a, b = (rng.standard_normal((pairs, dimensions), np.float32) for _ in range(2))
    return (a * b).sum(axis=1) / (np.linalg.norm(a, axis=1) * np.linalg.norm(b, axis=1))


def guaranteed_error(points: int, dimensions: int) -> float:
    """The smallest eps for which Dasgupta and Gupta (2003) prove that a projection with all squared distances within
    1 ± eps exists, and that a random one is such a projection with probability 1 / points at least.

    Their bound: dimensions >= 4 ln(points) / (eps² / 2 - eps³ / 3), for eps below 1; inf where it says nothing.
    """
    low, high = 0.0, 1.0
    def needed(eps: float) -> float:
        return 4 * math.log(points) / (eps ** 2 / 2 - eps ** 3 / 3)
    if needed(high) > dimensions:
        return math.inf
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if middle == 0 or needed(middle) > dimensions else (low, middle)
    return high


def projection_errors(rng: np.random.Generator, points: int, dimensions: int) -> np.ndarray:
    """|squared distance after / before - 1| of every pair of random points, projected by a Gaussian matrix."""
    source = rng.standard_normal((points, SOURCE_DIMENSIONS), np.float32)
    kept = source @ rng.standard_normal((SOURCE_DIMENSIONS, dimensions), np.float32) / math.sqrt(dimensions)
    pairs = np.triu_indices(points, 1)
    def squared(rows: np.ndarray) -> np.ndarray:
        size = (rows ** 2).sum(axis=1)
        return (size[:, None] + size[None] - 2 * rows @ rows.T)[pairs]
    return np.abs(squared(kept) / squared(source) - 1)


def work(values: Values, rag: Assistant, report: Report) -> Result:
    try:
        sizes = sorted({int(part) for part in values["dimensions"].replace(",", " ").split()})
    except ValueError:
        raise InputError(f"dimensions is {quoted(values['dimensions'])}: expected whole numbers, such as "
                         "2, 10, 100") from None
    if not sizes or len(sizes) > 8 or not all(2 <= n <= 3000 for n in sizes):
        raise InputError(f"dimensions is {quoted(values['dimensions'])}: expected 1 to 8 numbers from 2 to 3000")
    if values["pairs"] * sum(sizes) > MOST_DRAWN:
        raise InputError(f"pairs is {values['pairs']:,} for {sum(sizes):,} dimensions in all: expected at most "
                         f"{MOST_DRAWN // sum(sizes):,} pairs, or fewer dimensions")
    rng = np.random.default_rng(values["seed"])
    found = {n: random_cosines(rng, values["pairs"], n) for n in sizes}
    spread = {n: float(cosines.std()) for n, cosines in found.items()}
    near = {n: float((np.abs(cosines) < 0.1).mean()) for n, cosines in found.items()}
    report(0.5, "projecting")
    errors = projection_errors(rng, values["points"], values["target"])
    promise = guaranteed_error(values["points"], values["target"])
    curve = {n: float(projection_errors(rng, values["points"], n).max()) for n in TARGETS}
    law = all(abs(spread[n] * math.sqrt(n) - 1) < 0.1 for n in sizes)
    falls = spread[sizes[-1]] < spread[sizes[0]] if len(sizes) > 1 else True
    holds = law and falls and float(errors.max()) <= promise
    promised = f"the bound is {promise:.0%}" if promise < 1 else \
        "in so few dimensions there is no bound, so that half is not put to the test"
    widest = f"by {spread[sizes[0]]:.3f} in {sizes[0]} dimensions and " if len(sizes) > 1 else ""
    verdict = (f"Between random directions the cosine spreads {widest}"
               f"by {spread[sizes[-1]]:.3f} in {sizes[-1]} (1/√d says {1 / math.sqrt(sizes[-1]):.3f}). Projected from "
               f"{SOURCE_DIMENSIONS:,} to {values['target']} dimensions, squared distances of {values['points']} "
               f"points are off by {errors.max():.0%} at worst; {promised}. ")
    verdict += "As claimed." if holds else "The claim does not hold for this draw."
    numbers = {**{f"std_{n}": round(value, 4) for n, value in spread.items()},
               **{f"within_0.1_{n}": round(value, 4) for n, value in near.items()},
               "error_max": round(float(errors.max()), 4), "error_mean": round(float(errors.mean()), 4),
               "error_bound": round(promise, 4) if promise < 1 else "none"}
    rows: list[tuple[object, ...]] = [
        (f"random, {n}", round(spread[n], 4), round(1 / math.sqrt(n), 4), round(near[n], 4)) for n in sizes]
    if len(rag.chunks()) >= 20:
        _, vectors = chunk_vectors(rag)
        at = rng.integers(0, len(vectors), (2, values["pairs"]))
        real = (vectors[at[0]] * vectors[at[1]]).sum(axis=1)[at[0] != at[1]]
        numbers |= {"index_mean": round(float(real.mean()), 4), "index_std": round(float(real.std()), 4)}
        rows.append((f"this index, {vectors.shape[1]}", round(float(real.std()), 4), None,
                     round(float((np.abs(real) < 0.1).mean()), 4)))

    def draw():
        if values["view"] == "projection":
            bounds = [(n, guaranteed_error(values["points"], n)) for n in TARGETS]
            known = [(n, bound) for n, bound in bounds if bound < 1]
            return figures.curves(
                f"Squared distances of {values['points']} points, projected", "dimensions kept (log)", "worst error",
                {"measured": (TARGETS, list(curve.values())),
                 "bound": ([n for n, _ in known], [bound for _, bound in known])}).update_xaxes(
                     type="log", tickvals=TARGETS)
        centres = np.linspace(-0.975, 0.975, 40)
        series = {f"{n} dimensions": (centres, np.histogram(found[n], 40, (-1, 1))[0] / len(found[n])) for n in sizes}
        return figures.curves("Cosines of random pairs", "cosine", "share of the pairs", series)

    return Result(
        numbers, holds, verdict,
        "In many dimensions two random directions share little of any one axis, so their cosine is close to 0: its "
        "spread is 1/√d. This leaves room for many distinct concepts. Johnson and Lindenstrauss: a random projection "
        "keeps all distances, with an error that depends on points and dimensions kept.",
        ("Two falling curves over the dimensions kept: the worst error measured, "
         + ", ".join(f"{error:.2f} in {n}" for n, error in curve.items()) + "; the bound lies above it."
         if values["view"] == "projection" else
         "Curves of the share of pairs by cosine, narrower with each dimension count: "
         + ", ".join(f"{n} dimensions spread {spread[n]:.3f}" for n in sizes) + "."),
        draw, Table(("vectors, dimensions", "spread of the cosine", "1/√d", "share within ±0.1"), tuple(rows)))


DEMO = Demo(
    "dimensions", "High dimensions", 4,
    "The cosine of random directions spreads by 1/√d, and a random projection keeps distances within the error of "
    "Johnson and Lindenstrauss's bound.",
    (Input("dimensions", "Dimensions to compare", "2, 10, 100, 384, 768"),
     Input("pairs", "Random pairs for each", 4000, "number", low=100, high=20000),
     Input("points", "Points to project", 300, "number", low=10, high=600),
     Input("target", "Project to dimensions", 500, "number", low=2, high=2000),
     Input("view", "Picture", "cosines", "choice", options=("cosines", "projection")),
     Input("seed", "Seed", 0, "number", low=0, high=10000)),
    work,
    (("The error against the bound", {"view": "projection"}), ("A projection that keeps little", {"target": 32})),
    ("near-orthogonality", "nearly orthogonal", "perpendicular", "johnson–lindenstrauss", "johnson-lindenstrauss",
     "high dimensions", "dimensionality"), embeds=False)
