"""Word analogies (chapter 2): king - man + woman over the whole words of the embedder's own vocabulary."""
from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np

from assistant.errors import InputError
from assistant.lab import figures, files
from assistant.lab.demo import Demo, Input, Report, Result, Table, Values, no_report, quoted, short
from assistant.lab.inside import embed_wide, kept, table
from assistant.pipeline import Assistant

QUESTIONS = "analogies.txt"  # 200, written for this demo, in the format of Mikolov's questions-words.txt
EXPECTED = "lines of four words, a : b as c : d, and lines \": name\" that open a category"
SPACES = ("word table", "sentence encoder")
STEP = 1024      # words embedded between two reports of progress
Quad = tuple[str, str, str, str]
ROYAL: list[Quad] = [("man", "king", "woman", "queen")]  # the lesson's own, which the 200 leave out


def space(rag: Assistant, which: str, most: int, report: Report) -> tuple[list[str], np.ndarray]:
    """(words, float32 (n, dim) unit rows): the vocabulary's first `most` whole words, alphabetic, of two letters on.

    The sentence encoder embeds each word as a text of its own, once: kept as int8 beside the index, about 8 MB.
    """
    pieces, rows = table(rag)
    at = [n for n, piece in enumerate(pieces) if piece.isascii() and piece.isalpha() and len(piece) > 1][:most]
    words = [pieces[n] for n in at]
    if which == "word table":
        chosen = rows[at]
        return words, chosen / np.linalg.norm(chosen, axis=1, keepdims=True)
    return words, kept(("words", rag.parts.embedder.fingerprint, str(most)), lambda: _encoded(rag, words, report))


def _encoded(rag: Assistant, words: list[str], report: Report) -> np.ndarray:
    key = hashlib.sha256("\n".join([rag.parts.embedder.fingerprint, *words]).encode()).hexdigest()[:16]
    file = Path(rag.config.index).expanduser() / "lab" / f"words-{key}.npz"
    if file.is_file():
        stored = np.load(file)
        rows = stored["rows"].astype(np.float32) * stored["scales"][:, None]
        return rows / np.linalg.norm(rows, axis=1, keepdims=True)
    parts = []
    for start in range(0, len(words), STEP):
        report(0.6 * start / len(words), f"embedding {len(words):,} words, once")
        parts.append(embed_wide(rag, words[start:start + STEP]))
    rows = np.concatenate(parts)
    scales = np.abs(rows).max(axis=1) / 127
    file.parent.mkdir(parents=True, exist_ok=True)
    np.savez_compressed(file, rows=np.round(rows / scales[:, None]).astype(np.int8), scales=scales)
    return rows


def parse(text: str, where: str) -> dict[str, list[Quad]]:
    """{category: questions}; "all" where no line opens one. InputError names the first line that is not four words."""
    found: dict[str, list[Quad]] = {}
    category = "all"
    for number, line in enumerate(text.splitlines(), 1):
        if line.startswith(":"):
            category = line[1:].strip() or "all"
        elif line.strip():
            words = line.lower().split()
            if len(words) != 4:
                raise InputError(f"line {number} of {where} has {len(words)} words: expected {EXPECTED}")
            found.setdefault(category, []).append(tuple(words))  # type: ignore[arg-type]
    if not found:
        raise InputError(f"{where} holds no question: expected {EXPECTED}")
    return found


def answers(rows: np.ndarray, quads: np.ndarray, report: Report = no_report) -> dict[str, np.ndarray]:
    """{method: index of the answer, (n,)} for questions as word indices (n, 4); in parts of 256."""
    made: dict[str, list[np.ndarray]] = {"arithmetic": [], "control": [], "inputs allowed": []}
    for start in range(0, len(quads), 256):
        if start:
            report(0.6 + 0.4 * start / len(quads), f"asked {start:,} of {len(quads):,} questions")
        a, b, c = quads[start:start + 256, :3].T
        each = np.arange(len(a))[:, None]
        scores = (rows[b] - rows[a] + rows[c]) @ rows.T
        made["inputs allowed"].append(scores.argmax(axis=1))
        scores[each, np.stack([a, b, c], axis=1)] = -np.inf
        made["arithmetic"].append(scores.argmax(axis=1))
        near = rows[c] @ rows.T  # no arithmetic: the third word's nearest neighbour
        near[each, np.stack([a, b, c], axis=1)] = -np.inf
        made["control"].append(near.argmax(axis=1))
    return {name: np.concatenate(parts) for name, parts in made.items()}


def accuracy(words: list[str], rows: np.ndarray, asked: dict[str, list[Quad]],
             report: Report = no_report) -> list[tuple[str, int, int, dict]]:
    """(category, questions asked, left out for a word that is not there, {method: share right}), last the total, which
    is all that there is where the questions have no categories."""
    index = {word: at for at, word in enumerate(words)}
    result, totals, total_n, total_out = [], dict.fromkeys(("arithmetic", "control", "inputs allowed"), 0), 0, 0
    for n, (category, quads) in enumerate(asked.items()):
        report(0.6 + 0.4 * n / len(asked), f"asking {category}")
        known = np.array([[index[w] for w in quad] for quad in quads if all(w in index for w in quad)]).reshape(-1, 4)
        right = {name: int((found == known[:, 3]).sum()) for name, found in answers(rows, known, report).items()} \
            if len(known) else dict.fromkeys(totals, 0)
        result.append((category, len(known), len(quads) - len(known),
                       {name: n / max(len(known), 1) for name, n in right.items()}))
        totals = {name: totals[name] + n for name, n in right.items()}
        total_n, total_out = total_n + len(known), total_out + len(quads) - len(known)
    total = ("total", total_n, total_out, {name: n / max(total_n, 1) for name, n in totals.items()})
    return [*result, total] if len(result) > 1 else [total]


def known_answer(asked: dict[str, list[Quad]], a: str, b: str, c: str) -> str:
    """The fourth word of a : b as c : ? where the questions pair the words so, or across, a : c as b : ?; else ""."""
    for quads in (ROYAL, *asked.values()):
        pairs = {pair for quad in quads for pair in (quad[:2], quad[2:])}
        for known, start in (((a, b), c), ((a, c), b)):
            found = {second for first, second in pairs if first == start}
            if known in pairs and len(found) == 1:
                return found.pop()
    return ""


def work(values: Values, rag: Assistant, report: Report) -> Result:
    file = values["questions"]
    asked = parse(files.read(file, EXPECTED), short(file, 80)) if file else parse(files.text(QUESTIONS), QUESTIONS)
    words, rows = space(rag, values["space"], values["words"], report)
    index = {word: at for at, word in enumerate(words)}
    given = [values[name].lower() for name in ("a", "b", "c")]
    for word in given:
        if word not in index:
            raise InputError(f"{quoted(word)} is not among the {len(words):,} whole words of the embedder's "
                             "vocabulary: choose a commoner single word")
    if len(set(given)) < 3:
        raise InputError(f"from, to and the third word are {', '.join(given)}: expected three different words")
    at = [index[word] for word in given]
    target = rows[at[1]] - rows[at[0]] + rows[at[2]]
    scores = rows @ (target / np.linalg.norm(target))
    allowed = words[int(scores.argmax())]
    scores[at] = -np.inf
    top = np.argsort(-scores)[:5]
    first, wanted = words[top[0]], values["expected"].lower() or known_answer(asked, *given)
    if wanted and wanted not in index:
        raise InputError(f"expected is {quoted(wanted)}, which is not among the {len(words):,} whole words either: "
                         "choose another one, or leave it empty")
    near = rows @ rows[at[2]]
    near[at] = -np.inf
    control = words[int(near.argmax())]
    by_category = accuracy(words, rows, asked, report)
    total = by_category[-1]
    if not total[1]:
        raise InputError("no question of the file has its four words in the vocabulary: use commoner words")
    holds = first == wanted if wanted else None
    without = f" ({total[2]:,} more have a word that is not among the {len(words):,})" if total[2] else ""
    verdict = f"{given[1]} − {given[0]} + {given[2]} is nearest to “{first}” ({scores[top[0]]:.2f}). " + (
        "As claimed" if holds else f"Expected was “{wanted}”, so the claim does not hold here" if wanted else
        "No answer was expected, so the claim is not put to the test")
    verdict += (f". With the input words allowed the answer would be “{allowed}”; without arithmetic, “{control}”. "
                f"Over {total[1]:,} questions{without}: {total[3]['arithmetic']:.0%} right, control "
                f"{total[3]['control']:.0%}, inputs allowed {total[3]['inputs allowed']:.0%}.")
    numbers = {"answer": first, "cosine": round(float(scores[top[0]]), 3), "inputs_allowed_answer": allowed,
               "control_answer": control, "accuracy": round(total[3]["arithmetic"], 3),
               "accuracy_control": round(total[3]["control"], 3),
               "accuracy_inputs_allowed": round(total[3]["inputs allowed"], 3),
               "asked": total[1], "left_out": total[2], "words": len(words)}
    xy, share = figures.plane(np.stack([*rows[at], target / np.linalg.norm(target), rows[top[0]]]))

    def draw():
        steps = {f"{given[0]} → {given[1]}": (xy[0], xy[1]), f"{given[2]} → the sum": (xy[2], xy[3])}
        made = figures.arrows(f"The step, drawn in a plane that keeps {share:.0%} of the variance", steps)
        for arrow, end in zip(made.data, ("", "the sum"), strict=True):  # a word at the other's end has its own label
            arrow.text = ["", end]
        places, sides = xy[[0, 1, 2, 4]], ["bottom center"] * 4
        close = int(np.linalg.norm(places[:3] - places[3], axis=1).argmin())  # the answer often lies close to it
        sides[3 if places[3, 1] >= places[close, 1] else close] = "top center"
        made.add_scatter(x=places[:, 0].tolist(), y=places[:, 1].tolist(), mode="markers+text",
                         text=[*given, first], textposition=sides, name="words",
                         marker={"color": figures.GREEN, "symbol": "diamond", "size": 10})
        return made

    return Result(
        numbers, holds, verdict,
        "A relation that text expresses alike for many words becomes a step in a roughly constant direction. It proves "
        "less than it seems: the answer often is a near neighbour anyway, which the control shows, and the input words "
        "must be barred, or the sum stays nearest to one of them.",
        f"Two arrows in a plane: {given[0]} to {given[1]}, and {given[2]} to the sum; the nearest word is {first}.",
        draw,
        Table(("category", "asked", "left out", "right", "control", "inputs allowed"),
              tuple((name, n, out, *(round(shares[m], 3) for m in ("arithmetic", "control", "inputs allowed")))
                    for name, n, out, shares in by_category)))


DEMO = Demo(
    "analogies", "Word analogies", 2,
    "Adding the step from one word to another to a third word leads to the fourth: king − man + woman is nearest to "
    "queen.",
    (Input("a", "From", "man"), Input("b", "to", "king"), Input("c", "is as from", "woman"),
     Input("expected", "to (expected)", "", optional=True,
           help="empty: as the questions have it; queen for king − man + woman"),
     Input("space", "Vectors", "word table", "choice", options=SPACES,
           help="the sentence encoder embeds the vocabulary once, which takes up to half a minute"),
     Input("words", "Words of the vocabulary, commonest first", 30000, "number", low=1000, high=200000),
     Input("questions", "Questions of your own", "", "file", help=EXPECTED)),
    work,
    (("Paris", {"a": "france", "b": "paris", "c": "italy", "expected": "rome"}),
     ("Royalty taken away", {"a": "king", "b": "man", "c": "woman", "expected": ""}),
     ("Rivers", {"a": "river", "b": "rivers", "c": "knife", "expected": "knives"})),
    ("analogy", "word analogy", "analogies", "king − man", "king - man", "king minus man", "word2vec"), trains=True)
