"""Cosine explorer (chapter 4): turn two vectors and stretch them; or take the real vectors of two sentences."""
from __future__ import annotations

import math

import numpy as np

from assistant.errors import InputError
from assistant.lab import counting, figures
from assistant.lab.demo import Demo, Input, Report, Result, Table, Values, short
from assistant.lab.inside import tokens
from assistant.pipeline import Assistant


def measures(first: np.ndarray, second: np.ndarray) -> dict[str, float]:
    """Cosine, dot product and Euclidean distance of two vectors."""
    return {"cosine": counting.cosine(first, second), "dot": float(first @ second),
            "euclid": float(np.linalg.norm(first - second))}


def _vectors(values: Values, rag: Assistant) -> tuple[np.ndarray, np.ndarray, str, str]:
    texts = [values["first"], values["second"]]
    if any(texts) and not all(texts):
        raise InputError("one of the two sentences is empty: type both, or leave both empty to use the sliders")
    if all(texts):  # the mean of the token vectors, before it is normalised: its length is the model's own
        a, b = (inside.contextual.mean(axis=0) for inside in tokens(rag, texts))
        first, second = figures.pair_plane(a, b)
        return first, second, short(texts[0], 30), short(texts[1], 30)
    polar = [(math.radians(values[f"angle_{n}"]), values[f"length_{n}"]) for n in "ab"]
    first, second = (np.array([r * math.cos(t), r * math.sin(t)]) for t, r in polar)
    return first, second, "A", "B"


def work(values: Values, rag: Assistant, report: Report) -> Result:
    first, second, name_a, name_b = _vectors(values, rag)
    stretch = values["stretch"]
    before, after = measures(first, second), measures(first * stretch, second)
    angle = math.degrees(math.acos(max(-1.0, min(1.0, before["cosine"]))))
    holds = abs(before["cosine"] - after["cosine"]) < 1e-6 if stretch != 1 else None
    verdict = f"The angle is {angle:.1f}°, the cosine {before['cosine']:.3f}. " + (
        "Nothing was stretched, so the claim is not put to the test." if holds is None else
        f"With A {stretch:g} times as long the cosine stays {after['cosine']:.3f}, the dot product goes from "
        f"{before['dot']:.2f} to {after['dot']:.2f} and the distance from {before['euclid']:.2f} to "
        f"{after['euclid']:.2f}, as claimed." if holds else "The cosine moved, against the claim.")
    numbers = {"angle": round(angle, 2), **{name: round(value, 4) for name, value in before.items()},
               **{f"{name}_stretched": round(value, 4) for name, value in after.items()},
               "length_a": round(float(np.linalg.norm(first)), 3), "length_b": round(float(np.linalg.norm(second)), 3)}
    drawn = {name_a: ((0, 0), tuple(first)), name_b + " ": ((0, 0), tuple(second))}
    if stretch != 1:
        drawn[f"{name_a} × {stretch:g}"] = ((0, 0), tuple(first * stretch))
    return Result(
        numbers, holds, verdict,
        "Cosine divides the dot product by both lengths, so only the angle is left. Dot product and straight-line "
        "distance change when a vector is stretched. For vectors of length 1 all three give the same ranking: "
        "the squared distance is 2 minus twice the cosine.",
        f"Two arrows from one point at an angle of {angle:.0f} degrees, {np.linalg.norm(first):.2f} and "
        f"{np.linalg.norm(second):.2f} long; the first also drawn stretched by {stretch:g}.",
        lambda: figures.arrows(f"Angle {angle:.0f}°, cosine {before['cosine']:.2f}", drawn),
        Table(("measure", "as given", f"A × {stretch:g}"),
              tuple((name, round(before[name], 4), round(after[name], 4)) for name in before)))


DEMO = Demo(
    "cosine", "Cosine explorer", 4,
    "Stretching a vector changes dot product and distance; the cosine stays, because it knows only the angle.",
    (Input("angle_a", "Angle of A (degrees)", 30.0, "number", low=-360, high=360),
     Input("length_a", "Length of A", 1.0, "number", low=0.1, high=10),
     Input("angle_b", "Angle of B (degrees)", 70.0, "number", low=-360, high=360),
     Input("length_b", "Length of B", 1.0, "number", low=0.1, high=10),
     Input("stretch", "Stretch A by", 2.0, "number", low=0.1, high=10),
     Input("first", "Or: a sentence for A", "", optional=True, longest=600,
           help="its real vector, before normalisation"),
     Input("second", "and one for B", "", optional=True, longest=600)),
    work,
    (("Perpendicular", {"angle_a": 0.0, "angle_b": 90.0}), ("Opposite", {"angle_a": 30.0, "angle_b": 210.0}),
     ("Two real sentences", {"first": "The cat purrs", "second": "Cats are small animals that purr when they are "
                             "content, sleep for most of the day and hunt at dusk"})),
    ("cosine similarity", "dot product", "euclidean distance"))
