"""From data to the shipped query encoder in one command.

    python -m eval.train_query_encoder --data FOLDER --work FOLDER [--ship assistant/weights/query_encoder]

Steps, each skipped where its result is in the work folder already (delete the file to repeat the step):
  build    groups of public questions, as for the reranker   work/train.pickle
  embed    the texts of all families by the embedder          work/vectors.npz, work/vectors32.npz
  train    LoRA on the questions' side; goes on from state.pt work/query_encoder/adapter
  measure  beside the embedder alone                          work/query_encoder/measured.json
  ship     copy adapter.safetensors and adapter.json          --ship (left out: nothing is copied)

Seeded: the same seed and data give the same batches. Two CPU cores: about 10 minutes. Nothing is downloaded.
"""
from __future__ import annotations

import argparse
import json
import pickle
import shutil
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
GOLD = ROOT / "eval" / "gold" / "negation50.jsonl"
PUBLIC = 3600  # public questions; more need more passages embedded


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="folder with the public sets, one folder a set")
    parser.add_argument("--work", type=Path, required=True, help="folder for what the steps leave")
    parser.add_argument("--steps", type=int, default=700)
    parser.add_argument("--public", type=int, default=PUBLIC, help="public questions to train on")
    parser.add_argument("--others", type=int, help="questions of documents on other fields than search, drawn by the "
                        "seed (all); all of search.jsonl's are asked in any case")
    parser.add_argument("--average-with", type=Path, metavar="FOLDER", help="ship the mean with this adapter")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--ship", type=Path, help="folder to copy the result to")
    return parser.parse_args()


def main() -> None:
    asked = arguments()
    from assistant.backends import embedder, query_encoder
    from assistant.config import Config
    from eval.query_encoder import measure, pairs, training
    from eval.reranker import written
    from eval.reranker.build import FIELD, build
    from eval.reranker.vectors import Vectors

    work = asked.work / "query_encoder"
    work.mkdir(parents=True, exist_ok=True)
    if not (asked.work / "train.pickle").is_file():
        build(asked.data, GOLD, asked.work, asked.seed)
    with (asked.work / "train.pickle").open("rb") as stored:
        groups = pickle.load(stored)
    mined, exact = Vectors(asked.work / "vectors.npz"), Vectors(asked.work / "vectors32.npz", bf16=False)
    field = {document.title for document in written.documents(files=FIELD)}
    others = [document for document in written.documents() if document.title not in field]
    taught, held = others + written.documents(files=FIELD), written.documents(held_out=True)
    public = pairs.of_public(groups, mined, asked.public, asked.seed)
    passages, lines = pairs.of_passages(taught, mined), pairs.of_lines(taught, mined)
    if asked.others is not None:
        before = len(pairs.of_passages(others, mined).queries)
        passages, lines = (pairs.drawn(family, before, asked.others, asked.seed) for family in (passages, lines))
    sets = {"passages": pairs.of_passages(held, exact).beside(passages.vectors),
            "lines": pairs.of_lines(held, exact).beside(lines.vectors)}
    mined.save()
    recipe = training.Recipe(steps=asked.steps, seed=asked.seed)
    if not (work / "adapter").is_dir():
        training.train(public, passages, lines, recipe, work)
    made = work / "adapter"
    if asked.average_with:
        made = training.averaged(asked.average_with, made, work / "averaged")
    stock = embedder.build(Config())
    tuned = query_encoder.TunedQueries(stock, made)
    result = measure.measured({"embedder": stock.embed, "query encoder": tuned.embed_query}, sets, asked.data, exact)
    exact.save()
    (work / "measured.json").write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    print(json.dumps(result, indent=1))
    if asked.ship:
        asked.ship.mkdir(parents=True, exist_ok=True)
        for name in (query_encoder.FILE, query_encoder.NOTES):
            shutil.copy(made / name, asked.ship / name)
        print(f"shipped to {asked.ship}; now bring the numbers into its README.md")


if __name__ == "__main__":
    main()
