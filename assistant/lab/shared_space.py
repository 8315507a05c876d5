"""One space for pictures and words (chapter 6): a small CLIP, trained on drawn shapes, sorts, finds and matches."""
from __future__ import annotations

from pathlib import Path

import numpy as np

from assistant.errors import InputError
from assistant.lab import figures, shapes
from assistant.lab.demo import Demo, Input, Report, Result, Table, Values, lines, short
from assistant.lab.inside import PictureEncoder, kept
from assistant.lab.tiny_clip import TinyClip, load
from assistant.pipeline import Assistant

Clip = TinyClip | PictureEncoder
TESTED = 60         # drawings of combinations that training saw, and of those it did not
MATRIX = 8          # pictures and captions in the N x N picture
MAX_PIXELS = 40_000_000
BY_TEXT, BY_PICTURE = "found by caption", "found by picture"
CLASSES = lines(*map(shapes.called, shapes.NAMES, shapes.SHAPES), "a yellow circle", "a red star")


def read_picture(path: str, pixels: int = shapes.SIDE) -> np.ndarray:
    """uint8 (pixels, pixels, 3): the file's middle square, in that size. InputError where it is no picture."""
    from PIL import Image, UnidentifiedImageError
    try:
        with Image.open(Path(path).expanduser()) as opened:
            if opened.width * opened.height > MAX_PIXELS:
                raise InputError(f"{short(path, 120)} has {opened.width} × {opened.height} pixels: expected at most "
                                 f"{MAX_PIXELS:,}; make it smaller")
            with_alpha = opened.convert("RGBA")
    except (OSError, UnidentifiedImageError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise InputError(f"cannot read {short(path, 120)} as a picture ({type(error).__name__}): expected a PNG or "
                         "JPEG of one shape on a plain ground") from error
    flat = Image.new("RGBA", with_alpha.size, (255, 255, 255, 255))
    flat.alpha_composite(with_alpha)
    side = min(flat.size)
    left, top = (flat.width - side) // 2, (flat.height - side) // 2
    small = flat.convert("RGB").crop((left, top, left + side, top + side)).resize((pixels, pixels))
    return np.asarray(small, np.uint8)


def gallery() -> tuple[list[shapes.Scene], np.ndarray]:
    """(scenes, pictures uint8 (64, 32, 32, 3)) to search: each colour of each shape once, the same ones each time."""
    def make() -> tuple[list[shapes.Scene], np.ndarray]:
        rng = np.random.default_rng(11)
        chosen = [shapes.Scene(colour, shape, str(rng.choice(list(shapes.SIZES))), str(rng.choice(list(shapes.PLACES))))
                  for colour in shapes.NAMES for shape in shapes.SHAPES]
        return chosen, np.stack([shapes.draw(scene, rng) for scene in chosen])
    return kept(("gallery",), make)


def chances(cosines: np.ndarray, scale: float) -> np.ndarray:
    """Softmax over the last axis of the cosines times the learnt scale."""
    powers = np.exp(scale * (cosines - cosines.max(axis=-1, keepdims=True)))
    return powers / powers.sum(axis=-1, keepdims=True)


def named(clip: Clip, pictures: np.ndarray) -> list[tuple[str, str]]:
    """(colour, shape) of each picture: the nearest of the 64 captions such as "a red star"."""
    pairs = [(colour, shape) for colour in shapes.NAMES for shape in shapes.SHAPES]
    captions = kept(("all captions", clip.key), lambda: clip.texts([shapes.called(*pair) for pair in pairs]))
    return [pairs[at] for at in (clip.images(pictures) @ captions.T).argmax(axis=1)]


def zero_shot(clip: Clip) -> tuple[float, float]:
    """(share of unseen, of known combinations named right) among all 64 colours and shapes, on new drawings."""
    def count() -> tuple[float, float]:
        rng = np.random.default_rng(12)
        scenes = [pool[at] for pool in (shapes.scenes(True), shapes.scenes(False))
                  for at in rng.permutation(len(pool))[:TESTED]]
        best = named(clip, np.stack([shapes.draw(scene, rng) for scene in scenes]))
        right = np.array([pair == (scene.colour, scene.shape) for pair, scene in zip(best, scenes, strict=True)])
        unseen = np.array([scene.held_out for scene in scenes])
        return float(right[unseen].mean()), float(right[~unseen].mean())
    return kept(("zero shot", clip.key), count)


def work(values: Values, rag: Assistant, report: Report) -> Result:
    clip: Clip = load() if values["model"] == "embedded" else PictureEncoder(rag, values["model"])
    scenes, pictures = gallery()
    wanted = shapes.Scene(values["colour"], values["shape"], values["size"], values["place"])
    uploaded = values["picture"]  # or drawn by hand
    picture = read_picture(uploaded, clip.side) if uploaded else \
        shapes.draw(wanted, np.random.default_rng(values["seed"]))
    classes = tuple(dict.fromkeys(values["classes"]))
    if len(classes) < 2:
        raise InputError("classes holds the same line twice: expected at least 2 different captions")
    names = clip.texts(classes)
    asked, query = clip.images(picture[None])[0], clip.texts([values["query"]])[0]
    odds = chances(names @ asked, clip.scale)
    best = int(odds.argmax())
    stored = kept(("gallery vectors", clip.key), lambda: clip.images(pictures))
    by_text = np.argsort(-(stored @ query), kind="stable")[:5]
    by_image = np.argsort(-(stored @ asked), kind="stable")[:5]
    unseen, known = zero_shot(clip)
    fits = None if uploaded else [at for at, name in enumerate(classes)
                                  if wanted.colour in name.split() and wanted.shape in name.split()]
    holds = best in fits if fits else None
    what = "Your picture" if uploaded else f"The drawing of {wanted.caption}"
    verdict = f"{what} is sorted as “{classes[best]}” ({odds[best]:.0%}). " + (
        "As claimed" if holds else "That is wrong, so the claim does not hold for this input" if holds is False else
        "You see whether that is right; nothing else says what it should be" if uploaded else
        "None of the captions names its colour and shape, so the claim is not put to the test")
    own = shapes.called(*named(clip, picture[None])[0])
    if uploaded:
        verdict += f". Among all 64 captions of a colour and a shape it is “{own}”" + (
            ", which your captions lack" if own not in classes else "")
    verdict += (f". “{values['query']}” finds {scenes[by_text[0]].caption}. Of combinations never seen in training it "
                f"names {unseen:.0%} right, of known ones {known:.0%}, among 64.")
    if not uploaded and wanted.held_out and clip.key == "embedded":
        verdict += f" Training never saw {shapes.called(wanted.colour, wanted.shape)}."
    pick = np.linspace(0, len(scenes) - 1, MATRIX).astype(int)
    matrix = stored[pick] @ clip.texts([scenes[at].caption for at in pick]).T
    labels = [f"{scenes[at].colour} {scenes[at].shape}" for at in pick]

    def draw():
        if values["view"] == "matrix":
            return figures.heatmap("Pictures (rows) against captions (columns)", labels, labels, matrix, "cosine")
        if values["view"] == "picture":
            made = figures.figure(f"The picture as the model gets it, {len(picture)} × {len(picture)} pixels")
            made.add_image(z=picture.tolist())
            return made
        if values["view"] in (BY_TEXT, BY_PICTURE):
            best_first = by_text if values["view"] == BY_TEXT else by_image
            return figures.grid(f"Nearest pictures to “{values['query']}”" if values["view"] == BY_TEXT else
                                f"Nearest pictures to {what[0].lower()}{what[1:]}",
                                [(scenes[at].caption, pictures[at]) for at in best_first])
        return figures.bars(f"{what}: chance of each caption", list(classes), {"chance": odds.tolist()}, "chance",
                            showlegend=False)

    found = [(f"caption → picture, {rank}", scenes[at].caption, round(float(stored[at] @ query), 3))
             for rank, at in enumerate(by_text, 1)]
    found += [(f"picture → picture, {rank}", scenes[at].caption, round(float(stored[at] @ asked), 3))
              for rank, at in enumerate(by_image, 1)]
    found += [(f"picture → caption, {rank}", classes[at], round(float(names[at] @ asked), 3))
              for rank, at in enumerate(np.argsort(-odds, kind="stable")[:5], 1)]
    return Result(
        {"class": classes[best], "of_64": own, "chance": round(float(odds[best]), 4), "unseen_right": round(unseen, 3),
         "known_right": round(known, 3), "found_by_text": scenes[by_text[0]].caption,
         "diagonal_mean": round(float(matrix.diagonal().mean()), 3),
         "off_diagonal_mean": round(float((matrix.sum() - matrix.trace()) / (MATRIX * (MATRIX - 1))), 3)},
        holds, verdict,
        "Two encoders, one for pictures and one for words, were trained by contrast to put a picture beside its "
        "caption. So a class is only a caption, and the nearest one wins, with no classifier trained for it. This CLIP "
        "knows one drawn shape at a time and nothing else.",
        (f"Bars of chance: {classes[best]} {odds[best]:.2f}, the others less." if values["view"] == "chances" else
         f"A matrix of {MATRIX} pictures and captions, {matrix.diagonal().mean():.2f} on the diagonal, lower beside it."
         if values["view"] == "matrix" else f"{what}, enlarged." if values["view"] == "picture" else
         "Five drawings side by side: " + "; ".join(
             scenes[at].caption for at in (by_text if values["view"] == BY_TEXT else by_image)) + "."),
        draw, Table(("search", "found", "cosine"), tuple(found)))


DEMO = Demo(
    "shared-space", "One space for pictures and words", 6,
    "A picture can be sorted into classes that are only captions, because pictures and words share one space.",
    (Input("colour", "Colour", "yellow", "choice", options=shapes.NAMES),
     Input("shape", "Shape", "circle", "choice", options=shapes.SHAPES),
     Input("size", "Size", "large", "choice", options=tuple(shapes.SIZES)),
     Input("place", "Place", "in the middle", "choice", options=tuple(shapes.PLACES)),
     Input("picture", "Or your own picture", "", "picture",
           help="Draw one shape with the brush, filled or outlined, or upload one: it replaces the shape above"),
     Input("classes", "Captions to choose from, one a line", CLASSES, "lines", low=2, high=100),
     Input("query", "Caption to search pictures with", "a blue triangle",
           help="among 64 drawings: each shape in each colour, once"),
     Input("model", "Model", "embedded", help="\"embedded\", the small one, or the folder of a CLIP for "
           "sentence-transformers, such as clip-ViT-B-32", local=True),
     Input("view", "Picture shown", "chances", "choice", options=("chances", "matrix", "picture", BY_TEXT, BY_PICTURE)),
     Input("seed", "Seed of the drawing", 0, "number", low=0, high=10000)),
    work,
    (("All pictures against all captions", {"view": "matrix"}), ("Pictures for a caption", {"view": BY_TEXT}),
     ("A small red star", {"colour": "red", "shape": "star", "size": "small", "view": "picture"})),
    ("clip", "imagebind", "multimodal", "modalities", "zero-shot", "shared space"))
