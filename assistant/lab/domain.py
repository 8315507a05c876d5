"""Domain mismatch (chapter 7): jargon that the model never learnt; lexical search, fusion and a fine-tune as fixes."""
from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from assistant.errors import InputError
from assistant.lab import counting, figures, files
from assistant.lab.demo import Demo, Input, Report, Result, Table, Values, lines, means, no_report, quoted, short
from assistant.lab.inside import embed_mixed, kept, models_key
from assistant.pipeline import Assistant

RRF_K = 60          # of reciprocal rank fusion, as in the pipeline
LISTED = 0.01       # BM25 from which a passage is listed
STEPS, RATE, TEMPERATURE = 400, 60.0, 0.05
CASES = (  # (query, passages, which of them answers, from 1)
    ("What is JIRA-4521 about?",
     ("JIRA-9077 is about the payment export.", "JIRA-4512 is about slow search results.",
      "JIRA-5421 is about the colour of the buttons.", "The login page times out after a minute (JIRA-4521).",
      "An open issue prevents the team from reaching its target.", "JIRA-4251 is about the spelling of names."), 4),
    ("Where is part X7-441B kept?",
     ("Part X7-414B is kept in hall 2.", "Parts of the X7 family are kept in hall 3.",
      "Shelf 9 in the cellar holds the last X7-441B.", "Spare parts are kept where the old press stood."), 3),
    ("What does ERR_2087 mean?",
     ("ERR_2078 means that the disk is full.", "An error means that the program stopped early.",
      "The certificate has expired: ERR_2087.", "ERR_2807 means that a file is missing."), 3),
    ("Who fills in form K-12b?",
     ("Form K-21b is filled in by the applicant.", "Form K-12 is filled in by the landlord.",
      "The tax office sends K-12b to employers, who return it by May.", "Forms are filled in with black ink."), 3),
    ("difference between HNSW and IVF",
     ("The difference between two fertility methods, IVF and ICSI.", "The difference between a fox and a wolf is size.",
      "HNSW keeps links between vectors, IVF only centres of lists.", "The difference between high and low tide."), 3),
    ("Who looks after server db-eu-07?",
     ("Server db-eu-70 is looked after by the web team.", "Servers in Europe are looked after in Vilnius.",
      "The billing team runs db-eu-07 and restarts it on Sundays.", "Server db-us-07 is looked after by night shift."),
     3),
    ("Which oil does the TK-30 pump need?",
     ("The TK-80 pump needs oil of grade 46.", "Every pump needs its oil changed once a year.",
      "Grade 68 goes into TK-30, filled up to the red mark.", "Olive oil keeps for two years in the dark."), 3),
    ("What happens in step Q4-REV?",
     ("In step Q4-REC the receipts are collected.", "In every step something happens that is written down.",
      "Q4-REV: two people who did not write the report read it.", "The fourth quarter ends in December."), 3),
    ("How long is flight LX1938?",
     ("Flight LX1983 takes two hours.", "A long flight takes more than six hours.",
      "LX1938 is in the air for seventy minutes.", "Flight LX1398 takes four hours."), 3),
    ("What did the vote on motion M-117 decide?",
     ("The vote on motion M-171 decided to plant trees.", "A vote decides by simple majority.",
      "Motion M-71 was withdrawn before the vote.", "M-117 passed: the library opens on Sundays."), 4),
    ("Is colour RAL-7016 in stock?",
     ("Colour RAL-7061 is in stock.", "Colours that are in stock are sent within two days.",
      "Forty tins with RAL-7016 stand in hall 4.", "Colour RAL-1670 is sold out."), 3),
    ("Which ward is in building H-B2?",
     ("The ward in building H-B1 is for children.", "Each building has at least one ward.",
      "The ward in building H-D2 is for eyes.", "H-B2 houses the patients of the heart clinic."), 4),
)
PAIRS = lines("JIRA-4521 | the login page times out", "HNSW | a layered graph that connects neighbouring vectors",
              "IVF | an inverted file that sorts vectors into clusters",
              "OKR | the goals that a team sets itself for a quarter",
              "blocks a metric | prevents a target from being reached")


def by_words(query: str, passages: Sequence[str]) -> list[float]:
    """BM25 of the query's content words."""
    return counting.bm25(" ".join(counting.content_words(query)), passages)


def ranks(scores: Sequence[float], lexical: bool = False) -> list[int | None]:
    """Rank of each from 1, ties in the given order; None where a lexical search does not list it.

    A word of more than half of the passages has next to no weight (counting.bm25) and lists none of them.
    """
    order = sorted(range(len(scores)), key=lambda at: (-scores[at], at))
    found: list[int | None] = [None] * len(scores)
    for rank, at in enumerate(order, 1):
        if not lexical or scores[at] > LISTED:
            found[at] = rank
    return found


def fuse(*rankings: Sequence[int | None]) -> list[float]:
    """Reciprocal rank fusion of rankings over the same items (Cormack, Clarke and Buettcher 2009)."""
    return [sum(1 / (RRF_K + ranking[at]) for ranking in rankings if ranking[at]) for at in range(len(rankings[0]))]


def tune(left: np.ndarray, right: np.ndarray, fixed: np.ndarray, report: Report = no_report) -> np.ndarray:
    """A matrix (dim, dim) to add to the identity on the query's side, learnt by InfoNCE on pairs (n, dim).

    Row i of left must find row i of right among all of right and `fixed`; each row of `fixed` must find itself, so that
    other queries stay where they are. Plain gradient descent; documents keep their vectors.
    """
    queries, goals = np.concatenate([left, fixed]), np.concatenate([right, fixed])
    gram = queries @ queries.T
    share = np.zeros_like(queries)  # the matrix is queries.T @ share at every step: few rows to move in place of dim²
    n = np.arange(len(queries))
    for step in range(STEPS):
        if step % 40 == 0:
            report(0.3 + 0.7 * step / STEPS, "fine-tuning")
        moved = queries + gram @ share
        norm = np.linalg.norm(moved, axis=1, keepdims=True)
        unit = moved / norm
        logits = unit @ goals.T / TEMPERATURE
        chance = np.exp(logits - logits.max(axis=1, keepdims=True))
        chance /= chance.sum(axis=1, keepdims=True)
        chance[n, n] -= 1
        slope = chance @ goals / (TEMPERATURE * len(n))
        slope = (slope - (slope * unit).sum(axis=1, keepdims=True) * unit) / norm  # through the normalisation
        share -= RATE * TEMPERATURE ** 2 * slope
    return queries.T @ share


def measure(rag: Assistant) -> dict[str, list[float]]:
    """For each fixed case: whether dense, lexical and fused search put the right passage first."""
    def count() -> dict[str, list[float]]:
        first: dict[str, list[float]] = {"dense_first": [], "lexical_first": [], "hybrid_first": []}
        for query, passages, right in CASES:
            vectors = rag.embed([query, *passages])
            dense = ranks((vectors[1:] @ vectors[0]).tolist())
            lexical = ranks(by_words(query, passages), lexical=True)
            for name, found in (("dense", dense), ("lexical", lexical), ("hybrid", ranks(fuse(dense, lexical)))):
                first[f"{name}_first"].append(float(found[right - 1] == 1))
        return first
    return kept(("domain", *models_key(rag)), count)


def work(values: Values, rag: Assistant, report: Report) -> Result:
    query, passages, right = values["query"], values["passages"], values["right"] - 1
    if right >= len(passages):
        raise InputError(f"right is {right + 1}, but there are {len(passages)} passages: expected 1 to {len(passages)}")
    pairs = [tuple(part.strip() for part in line.split("|")) for line in values["pairs"]]
    for number, pair in enumerate(pairs, 1):
        if len(pair) != 2 or not all(pair):
            raise InputError(f"line {number} of pairs is {quoted(values['pairs'][number - 1])}: expected two texts "
                             "with one | between them, such as OKR | the goals of a quarter")
    vectors = embed_mixed(rag, [query, *passages], 32)
    cosines = (vectors[1:] @ vectors[0]).tolist()
    bm25 = by_words(query, passages)
    dense, lexical = ranks(cosines), ranks(bm25, lexical=True)
    hybrid = ranks(fuse(dense, lexical))
    report(0.3, "fine-tuning")
    both = embed_mixed(rag, [text for pair in pairs for text in pair], 32)
    moved = tune(both[0::2], both[1::2], rag.embed(files.text("filler.txt").splitlines()), report)
    asked = vectors[0] + vectors[0] @ moved
    asked /= np.linalg.norm(asked)
    after_cosines = (vectors[1:] @ asked).tolist()
    after = ranks(after_cosines)
    holds = dense[right] != 1 and (lexical[right] == 1 or hybrid[right] == 1 or after[right] == 1)
    verdict = (f"The right passage has rank {dense[right]} by vectors, {lexical[right] or 'none'} by words, "
               f"{hybrid[right]} fused, and {after[right]} by vectors after the fine-tune on {len(pairs)} pairs. ")
    verdict += ("The vectors miss it and a fix finds it, as claimed." if holds else
                "No fix finds it, so the claim does not hold for this input." if dense[right] != 1 else
                "The vectors find it at once, so the claim does not hold for this input.")
    rows = tuple((passage, round(cosines[at], 3), dense[at], round(bm25[at], 2), lexical[at], hybrid[at],
                  round(after_cosines[at], 3), after[at]) for at, passage in enumerate(passages))
    return Result(
        {"rank_dense": dense[right], "rank_lexical": lexical[right] or 0, "rank_hybrid": hybrid[right],
         "rank_tuned": after[right], "cosine_before": round(cosines[right], 3),
         "cosine_after": round(after_cosines[right], 3), **{k: round(v, 2) for k, v in means(measure(rag)).items()}},
        holds, verdict,
        "An unknown name is cut into pieces that the model knows, so its vector follows the spelling and not the "
        "meaning. BM25 matches the letters exactly. The fine-tune here is one matrix on the query's side, learnt by "
        "contrast from your pairs; it knows only what they say.",
        "Bars of cosine with the query before and after the fine-tune for each passage; the right one goes from "
        f"{cosines[right]:.2f} to {after_cosines[right]:.2f}.",
        lambda: figures.bars(f"“{short(query, 48)}”", [f"{n}. {short(p, 20)}{' ✓' if n == right + 1 else ''}"
                                                       for n, p in enumerate(passages, 1)],
                             {"cosine": cosines, "cosine after the fine-tune": after_cosines}, "cosine"),
        Table(("passage", "cosine", "rank", "BM25", "rank by words", "rank fused", "cosine, tuned", "rank, tuned"),
              rows))


DEMO = Demo(
    "domain", "Domain mismatch", 7,
    "A name that the model never learnt misleads its vectors; a search for words, the fusion of both, or a fine-tune "
    "finds it.",
    (Input("query", "Query", "JIRA-4521 blocks the Q3 OKR metric"),
     Input("passages", "Passages, one a line", lines(*CASES[0][1]), "lines", low=2, high=60),
     Input("right", "The passage that answers (its number)", CASES[0][2], "number", low=1, high=60),
     Input("pairs", "Pairs to fine-tune on, one a line: jargon | plain words", PAIRS, "lines", low=1, high=100)),
    work,
    (("What is JIRA-4521 about?", {"query": CASES[0][0]}),
     ("HNSW and IVF, in plain words", {"query": "difference between HNSW and IVF", "right": 1, "passages": lines(
        "A graph index connects neighbouring vectors, while an inverted file sorts vectors into clusters.",
        "IVF and natural conception differ in cost and in success rate.",
        "The difference between a fox and a wolf is mainly one of size."), "pairs": lines(
            PAIRS, "HNSW or IVF | a graph index or an inverted file", "IVF index | vectors sorted into clusters")}),
     ("No fix helps", {"query": "JIRA-4521 blocks the Q3 OKR metric", "right": 1, "passages": lines(
         "The login page times out after a minute (JIRA-4521).", "JIRA-9077 blocks the Q2 OKR metric.",
         "The Q3 report was late because of a blocked drain.")})),
    ("domain mismatch", "jargon", "acronym", "acronyms", "in-house"), measure,
    roles={"dense_first": "problem", "lexical_first": "fix", "hybrid_first": "fix"})
