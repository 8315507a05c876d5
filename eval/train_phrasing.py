"""From data to an adapter that makes the embedded language model phrase grounded answers.

    python -m eval.train_phrasing --data FOLDER --work FOLDER [--minutes 180] [--session 40] [--ship FOLDER]

Steps, each skipped where its result is in the work folder already (delete the file to repeat the step):
  build    examples of the training documents and of the held-out ones    work/train.jsonl, work/held.jsonl
  train    the adapter; goes on from work/<run>/state.pt, which is written every two minutes, until it has trained for
           --minutes in all, or for --session in this call (then call it again: nothing is lost, not even by a crash)
  export   work/<run>/adapter.gguf and the loss on the held-out examples   work/<run>/held.json
  ship     copy adapter.gguf                                               --ship (left out: nothing is copied)
Then measure, base model and adapter on the same prompts:
    python -m eval.phrasing.measure --held WORK/held.jsonl [--adapter WORK/run/adapter.gguf]
    python -m eval.phrasing.measure --gold eval/gold/dev.jsonl --documents corpus [--adapter WORK/run/adapter.gguf]

The rate of learning falls over the last half of --minutes, so choose --minutes for all sessions together at the start.
Seeded: the same seed, data and --steps give the same batches. One core: 300 tokens, 1.5 examples a second.
Nothing is downloaded. Needs `pip install -e '.[train]'`.
"""
from __future__ import annotations

import argparse
import dataclasses
import json
import shutil
from collections import Counter
from pathlib import Path

from eval.phrasing.examples import Example
from eval.reranker.written import FOLDER

HELD = 400  # held-out examples that are kept


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="folder with the public sets, one folder a set")
    parser.add_argument("--written", type=Path, default=FOLDER, help="folder with the documents written for training")
    parser.add_argument("--work", type=Path, required=True, help="folder for what the steps leave")
    parser.add_argument("--run", default="run", help="name of this run in the work folder")
    parser.add_argument("--minutes", type=float, default=180.0, help="of training, all sessions together")
    parser.add_argument("--session", type=float, default=0.0, help="minutes of this call; 0: until --minutes are done")
    parser.add_argument("--steps", type=int, default=0, help="bound by steps instead of minutes: repeatable exactly")
    parser.add_argument("--rate", type=float, default=1e-3)
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--rank", type=int, default=8)
    parser.add_argument("--public", type=float, default=0.35, help="share of the examples from the public sets")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--ship", type=Path, help="folder to copy the adapter to")
    return parser.parse_args()


def build(data: Path, written: Path, work: Path, seed: int, public: float) -> None:
    """Write work/train.jsonl and work/held.jsonl."""
    from eval.phrasing.sources import examples
    for name, held in (("held", True), ("train", False)):
        found = examples(data, written, held=held, seed=seed, public=public)
        found = found[:HELD] if held else found
        text = "".join(json.dumps(dataclasses.asdict(e), ensure_ascii=False) + "\n" for e in found)
        (work / f"{name}.jsonl").write_text(text, encoding="utf-8")
        print(f"{name}: {len(found)} examples, {dict(Counter(f'{e.source} {e.kind}' for e in found))}", flush=True)


def load(path: Path) -> list[Example]:
    """The examples of a file that `build` wrote."""
    rows = map(json.loads, path.read_text(encoding="utf-8").splitlines())
    return [Example(**{**row, "readings": tuple(row["readings"]), "places": tuple(row["places"])}) for row in rows]


def main() -> None:
    asked = arguments()
    asked.work.mkdir(parents=True, exist_ok=True)
    if not (asked.work / "train.jsonl").is_file():
        build(asked.data, asked.written, asked.work, asked.seed, asked.public)
    import torch

    from eval.phrasing.chat import Chat
    from eval.phrasing.training import Recipe, Trainer, lessons, train
    torch.set_num_threads(1)  # a second thread waits for the first where somebody else uses the machine
    recipe = Recipe(minutes=asked.minutes, steps=asked.steps, rate=asked.rate, batch=asked.batch, rank=asked.rank,
                    seed=asked.seed)
    run, chat = asked.work / asked.run, Chat()
    start, found = lessons(chat, load(asked.work / "train.jsonl"), recipe.longest)
    _, held = lessons(chat, load(asked.work / "held.jsonl"), recipe.longest)
    print(f"{len(found)} examples, {len(start)} tokens of common beginning, {sum(map(len, found)) / len(found):.0f} of "
          f"their own on average", flush=True)
    trainer = Trainer(recipe, run)
    print(f"begins at step {trainer.step}, {trainer.seconds / 60:.1f} min", flush=True)
    train(trainer, start, found, stop_after=asked.session)
    size = trainer.export(run / "adapter.gguf")
    result = {"steps": trainer.step, "minutes": round(trainer.seconds / 60, 1), "bytes": size,
              "held_loss": round(trainer.held_loss(start, held[:120]), 4)}
    (run / "held.json").write_text(json.dumps(result) + "\n", encoding="utf-8")
    print(json.dumps(result))
    if asked.ship:
        asked.ship.mkdir(parents=True, exist_ok=True)
        shutil.copy(run / "adapter.gguf", asked.ship / "adapter.gguf")
        print(f"shipped to {asked.ship}; now bring the numbers into its README.md")


if __name__ == "__main__":
    main()
