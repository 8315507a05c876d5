"""What an adapter is worth: the base model, the model with the adapter, and the plain evidence, on the same questions.

    python -m eval.phrasing.measure --held WORK/held.jsonl [--adapter FILE] [--limit 100]
    python -m eval.phrasing.measure --gold eval/gold/dev.jsonl --documents corpus [--adapter FILE] [--limit N]

Held-out examples: the model alone, with the assistant's own prompt. A sentence passes where assistant.answer.verify
says so; an answer is right where a sentence that passes cites the passage that answers.
Gold: the whole assistant, three times: quotations alone, the base model, the adapter. An answer is right by its key
facts. The reranker's work is done once for the three, so that `seconds` of the later ones are the model's.
Prints a table and one JSON line. Seconds are the process's own of CPU, for a shared machine's clock says little.
"""
from __future__ import annotations

import argparse
import json
import re
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from assistant.answer import prompt
from assistant.answer.generate import MAX_SENTENCES
from assistant.answer.verify import check, declines
from assistant.backends.llama import LlamaGenerator
from assistant.records import Evidence, Message
from assistant.text.segment import split_sentences
from eval.phrasing.chat import prompt_ids, reply_ids
from eval.phrasing.examples import DECLINED, Example
from eval.phrasing.model import embedded_file

MAX_TOKENS = 128  # the assistant's default


@dataclass(frozen=True)
class Drafted:
    """What a model made of one example. right: a passing sentence cites the passage that answers."""

    declined: bool
    sentences: int
    passed: int
    right: bool
    exact: bool
    words: int
    seconds: float
    decline: float
    draft: str


def drafted(generator: LlamaGenerator, example: Example) -> Drafted:
    """The model's draft for the example's prompt, each sentence of it checked."""
    evidence = [Evidence(n, "", "", place, ((0, 1),), text, None)
                for n, (text, place) in enumerate(zip(example.readings, example.places, strict=True), 1)]
    messages = prompt.build(example.question, evidence)
    began = time.process_time()
    draft = "".join(generator.stream(messages, temperature=0.0, max_tokens=MAX_TOKENS)).strip()
    seconds = time.process_time() - began
    wanted = set(_markers(example.reply))
    sentences = [draft[a:b] for a, b in split_sentences(draft)][:MAX_SENTENCES]
    checks = [] if declines(draft) else [check(s, example.question, evidence) for s in sentences]
    passed = [c for c in checks if c.supported]
    return Drafted(declines(draft), len(checks), len(passed),
                   bool(wanted) and wanted <= {n for c in passed for n in c.markers}, draft == example.reply,
                   len(draft.split()), seconds, decline_probability(generator, messages), draft)


def decline_probability(generator: LlamaGenerator, messages: Sequence[Message]) -> float:
    """P("The documents ...") as the reply's beginning, 0..1; other replies seldom begin so."""
    model = generator._model
    ids, said = prompt_ids(model, messages), reply_ids(model, prompt.DECLINE)[:2]
    same = int(np.argmin([*(model.input_ids[:min(model.n_tokens, len(ids))] == ids[:model.n_tokens]), False]))
    model.n_tokens = min(same, len(ids) - 1)  # what was read for the draft is in the cache; only the rest is read anew
    total = 0.0
    for follows, piece in zip((ids[model.n_tokens:], said[:1]), said, strict=True):
        model.eval(follows)
        logits = np.ctypeslib.as_array(model._ctx.get_logits(), shape=(model.n_vocab(),)).astype(np.float64)
        total += logits[piece] - logits.max() - np.log(np.exp(logits - logits.max()).sum())
    return float(np.exp(total))


def _markers(text: str) -> list[int]:
    return [int(n) for n in re.findall(r"\[(\d+)\]", text)]


def summary(examples: Sequence[Example], found: Sequence[Drafted]) -> dict[str, float]:
    """Shares over the held-out examples, and `decline_auc`: how well the probability to decline tells the two apart."""
    yes = [d for e, d in zip(examples, found, strict=True) if e.kind != DECLINED]
    no = [d for e, d in zip(examples, found, strict=True) if e.kind == DECLINED]
    return {"n": len(found), "passed": share(sum(d.passed for d in yes), sum(d.sentences for d in yes)),
            "right": share(sum(d.right for d in yes), len(yes)), "exact": share(sum(d.exact for d in yes), len(yes)),
            "wrongly_declined": share(sum(d.declined for d in yes), len(yes)),
            "declined": share(sum(d.declined for d in no), len(no)),
            "decline_auc": area([d.decline for d in no], [d.decline for d in yes]),
            "words": float(np.median([d.words for d in yes])), "seconds": float(np.mean([d.seconds for d in found]))}


def share(part: float, whole: float) -> float:
    return part / whole if whole else float("nan")


def area(higher: Sequence[float], lower: Sequence[float]) -> float:
    """Chance that one of `higher` stands above one of `lower`, ties half: the area under the ROC curve."""
    if not higher or not lower:
        return float("nan")
    a, b = np.asarray(higher)[:, None], np.asarray(lower)[None, :]
    return float(np.mean((a > b) + 0.5 * (a == b)))


def on_gold(gold_file: Path, documents: Sequence[str], adapter: Path | None, limit: int, index: str,
            only: bool = False) -> dict:
    """{"evidence", "base", "adapter": summary} of the whole assistant on gold questions. only: without the base."""
    from assistant import Assistant, Config
    from assistant.parts import Parts
    from eval.suite.gold_set import load
    name = "lesson" if any(path.endswith("lesson.txt") for path in documents) else "corpus"
    asked = [g for g in load(gold_file) if not g.history and g.kind != "smalltalk" and name not in g.not_on]
    if limit:  # evenly drawn, for the unanswerable ones stand together
        asked = [asked[int(n)] for n in np.linspace(0, len(asked) - 1, min(limit, len(asked)))]
    rag = Assistant(Config(index=index))
    rag.ingest(list(documents))
    rag.parts = rag.parts.with_reranker(Remembering(rag.parts.reranker))
    ways = {"evidence": rag.with_config(rag.config.replace({"llm": "off"})), **({} if only else {"base": rag})}
    if adapter:
        ways["adapter"] = twin = rag.with_config(rag.config)
        twin.parts = Parts(rag.config, {**rag.parts._made,
                                         ("llm", "embedded"): LlamaGenerator(embedded_file(), adapter)})
    return {name: _asked(way, asked) for name, way in ways.items()}


class Remembering:
    """A reranker that answers the same question over the same texts from memory."""

    def __init__(self, reranker) -> None:
        self._reranker, self._known = reranker, {}

    def logits(self, question: str, texts: Sequence[str]) -> np.ndarray:
        key = question, tuple(texts)
        if key not in self._known:
            self._known[key] = self._reranker.logits(question, texts)
        return self._known[key]

    def __getattr__(self, name: str):
        return getattr(self._reranker, name)


def _asked(rag, asked) -> dict[str, float]:
    """Figures of one way of answering."""
    from eval.benchmark import ask
    rag.warm()
    rows, checks, model_words, words, seconds = [], [], 0, 0, 0.0
    for gold in asked:
        began = time.process_time()
        row = ask(rag, gold)
        seconds += time.process_time() - began
        rows.append(row)
        trace = rag.trace(rag.traces.list(limit=1)[0].id)
        checks += [c.supported for c in trace.checks]
        for said in trace.answer.support:
            count = len(trace.answer.text[said.start:said.end].split())
            words += count
            model_words += count if said.origin == "model" else 0
    yes, no = [r for r in rows if r["answerable"]], [r for r in rows if not r["answerable"]]
    return {"n": len(rows), "right": share(sum(bool(r["right"]) for r in yes), len(yes)),
            "wrongly_declined": share(sum(r["declined"] for r in yes), len(yes)),
            "declined": share(sum(r["declined"] for r in no), len(no)),
            "drafted": len(checks), "passed": share(sum(checks), len(checks)),
            "model_words": share(model_words, words),
            "words": float(np.median([r["words"] for r in yes if not r["declined"]])),
            "seconds": seconds / len(rows),
            "answers": {r["id"]: [r["right"], r["declined"], r["answer"]] for r in rows}}


def table(results: dict[str, dict[str, float]]) -> str:
    """One line a way, one column a figure."""
    names = [n for n in next(iter(results.values())) if n != "answers"]
    lines = ["".join(f"{n:>18}" for n in ["", *names])]
    for way, row in results.items():
        lines.append(f"{way:>18}" + "".join(f"{row[n]:>18.3f}" if isinstance(row[n], float) else f"{row[n]:>18}"
                                            for n in names))
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--held", type=Path, help="held-out examples, as eval.train_phrasing leaves them")
    parser.add_argument("--gold", type=Path, help="gold questions, JSON lines")
    parser.add_argument("--documents", nargs="*", default=[], help="what the gold questions are about")
    parser.add_argument("--adapter", type=Path, help="GGUF adapter; left out: the base model alone")
    parser.add_argument("--only", action="store_true", help="leave the base model out")
    parser.add_argument("--limit", type=int, default=0, help="questions, evenly drawn; 0: all")
    parser.add_argument("--index", help="index folder to keep; left out: a temporary one")
    parser.add_argument("--json", type=Path, help="where the drafts or answers are written")
    asked = parser.parse_args()
    if bool(asked.held) == bool(asked.gold):
        sys.exit("expected one of --held and --gold")
    if asked.held:
        from eval.train_phrasing import load
        examples = load(asked.held)[:asked.limit or None]
        results, drafts = {}, {}
        ways = {**({} if asked.only else {"base": None}), **({"adapter": asked.adapter} if asked.adapter else {})}
        for name, adapter in ways.items():
            generator = LlamaGenerator(embedded_file(), adapter)
            generator.load()
            drafts[name] = [drafted(generator, e) for e in examples]
            results[name] = summary(examples, drafts[name])
        if asked.json:
            asked.json.write_text("".join(
                json.dumps({"question": e.question, "reply": e.reply, "kind": e.kind, "source": e.source,
                            **{name: asdict(found[n]) for name, found in drafts.items()}}, ensure_ascii=False) + "\n"
                for n, e in enumerate(examples)), encoding="utf-8")
    else:
        with tempfile.TemporaryDirectory() as folder:
            results = on_gold(asked.gold, asked.documents, asked.adapter, asked.limit, asked.index or folder,
                              asked.only)
        if asked.json:
            asked.json.write_text(json.dumps({way: row["answers"] for way, row in results.items()}, indent=1) + "\n",
                                  encoding="utf-8")
    print(table(results))
    print(json.dumps({way: {n: v for n, v in row.items() if n != "answers"} for way, row in results.items()}))


if __name__ == "__main__":
    main()
