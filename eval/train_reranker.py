"""From data to the shipped reranker in one command.

    python -m eval.train_reranker --data FOLDER --work FOLDER [--minutes 70] [--ship assistant/weights/reranker]

Steps, each skipped where its result is in the work folder already (delete the file to repeat the step):
  build      groups with hard negatives mined by the bi-encoder and BM25   work/train.pickle   (about 4 minutes)
  train      the network; continues from work/<run>/state.pt               work/<run>/model    (--minutes or --steps)
  export     int8 ONNX, tokenizer                                          work/<run>/out
  calibrate  logit and cosine to a probability, the gate's threshold       work/<run>/out/calibration.json
  measure    every set of the issue that is public                         work/<run>/out/measured.json
  ship       copy model.onnx, tokenizer.json, calibration.json             --ship (left out: nothing is copied)

Seeded: the same seed, data and --steps give the same batches; with --minutes the machine's speed decides how many.
Two CPU cores: about 45 pairs a second in bf16 where the machine is otherwise idle. Nothing is downloaded.
"""

from __future__ import annotations

import argparse
import json
import pickle
import shutil
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SHIPPED = ROOT / "assistant" / "weights" / "reranker"
GOLD = ROOT / "eval" / "gold" / "negation50.jsonl"


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--data", type=Path, required=True, help="folder with the public sets, one folder a set"
    )
    parser.add_argument("--work", type=Path, required=True, help="folder for what the steps leave")
    parser.add_argument("--run", default="run", help="name of this run in the work folder")
    parser.add_argument(
        "--start", help='name of a run whose averaged weights this one begins with; "shipped" for the shipped graph\'s'
    )
    parser.add_argument("--minutes", type=float, default=70.0)
    parser.add_argument(
        "--steps", type=int, default=0, help="bound by steps instead of minutes: repeatable exactly"
    )
    parser.add_argument("--loss", choices=("distil", "softmax", "margin", "bce"), default="distil")
    parser.add_argument("--lift", type=float, default=1.0, help="times the lift of the gold over the bi-encoder")
    parser.add_argument("--bce", type=float, default=0.2, help="weight of the pointwise loss")
    parser.add_argument("--no-twins", action="store_true", help="leave the negation and number twins out")
    parser.add_argument("--layers", type=int, choices=(3, 6), default=6)
    parser.add_argument("--rate", type=float, default=7e-5)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--size", choices=("small", "full"), default="full", help="of the measured sets")
    parser.add_argument("--lesson", type=Path, help="text of the home check (with --home-gold)")
    parser.add_argument("--home-gold", type=Path, help="questions of the home check, JSON lines")
    parser.add_argument("--ship", type=Path, help="folder to copy the result to")
    return parser.parse_args()


def main() -> None:
    asked = arguments()
    from eval.reranker.build import build
    from eval.reranker.export import export
    from eval.reranker.measure import calibrated, measured
    from eval.reranker.training import Recipe, begin_from, begin_from_shipped, export_mean, train

    run, out = asked.work / asked.run, asked.work / asked.run / "out"
    asked.work.mkdir(parents=True, exist_ok=True)
    groups = asked.work / "train.pickle"
    if not groups.is_file():
        build(asked.data, GOLD, asked.work, asked.seed)
    recipe = Recipe(
        minutes=asked.minutes,
        steps=asked.steps,
        rate=asked.rate,
        loss=asked.loss,
        lift=asked.lift,
        bce=asked.bce,
        twins=not asked.no_twins,
        layers=asked.layers,
        seed=asked.seed,
    )
    if asked.start == "shipped" and not (run / "state.pt").is_file():
        begin_from_shipped(SHIPPED, recipe, run)
    elif asked.start and not (run / "state.pt").is_file():
        begin_from(asked.work / asked.start, run)
    if not (run / "model").is_dir():
        with groups.open("rb") as stored:
            train(pickle.load(stored), recipe, run)
    if not (out / "model.onnx").is_file():
        export(export_mean(recipe, run), out)
    if not (out / "calibration.json").is_file():
        calibrated(asked.data, asked.work, out, asked.lesson, asked.home_gold)
    result = measured(asked.data, asked.work, out, GOLD, asked.size, asked.lesson, asked.home_gold)
    (out / "measured.json").write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    if asked.ship:
        asked.ship.mkdir(parents=True, exist_ok=True)
        for name in ("model.onnx", "tokenizer.json", "calibration.json"):
            shutil.copy(out / name, asked.ship / name)
        print(f"shipped to {asked.ship}; now bring the numbers of {out / 'measured.json'} into its README.md")


if __name__ == "__main__":
    main()
