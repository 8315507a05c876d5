"""Cost and batching (chapter 5): what N documents cost by price list, and what batches and a cache gain here."""
from __future__ import annotations

from assistant.errors import InputError
from assistant.lab import figures
from assistant.lab.demo import Demo, Input, Report, Result, Table, Values, lines, quoted, short
from assistant.lab.encoders import best_of
from assistant.lab.inside import count_tokens
from assistant.pipeline import Assistant

PRICES = lines("text-embedding-3-small = 0.02", "text-embedding-3-large = 0.13", "BGE (self-hosted) = 0.001")
BATCHES = (1, 4, 8, 16)  # the embedder itself never takes more than 32 at a time
LOOKUPS = 1000


def prices(given: tuple[str, ...]) -> dict[str, float]:
    """{model: US dollars for a million tokens}. InputError names a line that is not "name = price"."""
    found = {}
    for number, line in enumerate(given, 1):
        name, equals, price = line.rpartition("=")
        try:
            found[name.strip()] = float(price.strip().lstrip("$~"))
            if not equals or not name.strip() or not 0 <= found[name.strip()] < 1e6:
                raise ValueError
        except ValueError:
            raise InputError(f"line {number} of prices is {quoted(line)}: expected a name, = and US dollars for a "
                             "million tokens, such as my-model = 0.05") from None
    return found


def throughput(rag: Assistant, texts: list[str], batch: int) -> float:
    """Texts a second, `batch` of them in each call; the better of two runs."""
    def run() -> None:
        for at in range(0, len(texts), batch):
            rag.embed(texts[at:at + batch])
    return len(texts) * 1000 / best_of(run, 2)


def work(values: Values, rag: Assistant, report: Report) -> Result:
    listed = prices(values["prices"])
    documents, tokens = values["documents"], values["tokens"]
    millions = documents * tokens / 1e6
    dollars = {name: price * millions for name, price in listed.items()}
    base = values["query"]
    texts = [f"{base} ({n})" for n in range(1, 17)]
    rag.embed(texts[:1])
    speeds = {}
    for at, batch in enumerate(BATCHES):
        report(at / len(BATCHES), f"batches of {batch}")
        speeds[batch] = throughput(rag, texts, batch)
    best = max(speeds, key=lambda batch: speeds[batch])
    gain = speeds[best] / speeds[1]
    cache = {(rag.config.embedder, base): rag.embed([base])[0]}  # the model's name and the exact text are the key
    once_ms = best_of(lambda: rag.embed([base]))
    hit_ms = best_of(lambda: [cache[rag.config.embedder, base] for _ in range(LOOKUPS)]) / LOOKUPS
    share = values["repeated"] / 100
    with_cache = once_ms * (1 - share) + hit_ms * share
    hours = documents / speeds[best] * (tokens / max(count_tokens(rag, texts[:1])[0], 1)) / 3600
    holds = gain > 1.1
    much = f"{millions:,.1f}" if millions < 1000 else f"{millions:,.0f}"
    verdict = (f"{documents:,} documents of {tokens:,} tokens are {much} million tokens: "
               + ", ".join(f"${cost:,.2f} with {name}" for name, cost in list(dollars.items())[:3])
               + f". Here, one text a call gives {speeds[1]:.0f} texts/s, batches of {best} give {speeds[best]:.0f}, "
               f"{gain:.1f} times as many. ")
    verdict += "Batching pays, as claimed." if holds else \
        "Batching gained next to nothing in this run, against the claim."
    verdict += f" A cached query takes {hit_ms * 1000:.1f} µs in place of {once_ms:.1f} ms."
    return Result(
        {**{f"usd {name}": round(cost, 4) for name, cost in dollars.items()}, "million_tokens": round(millions, 4),
         **{f"texts_per_s batch {batch}": round(speed, 1) for batch, speed in speeds.items()},
         "gain": round(gain, 2), "query_ms": round(once_ms, 2), "cached_us": round(hit_ms * 1000, 2),
         "mean_query_ms_with_cache": round(with_cache, 2), "hours_here": round(hours, 2)},
        holds, verdict,
        "A bill is documents × tokens × price. In a batch the processor works on many texts at once and the fixed cost "
        "of a call is paid once. Queries repeat, so their vectors are worth keeping; the key is the model's name and "
        "the exact text, because another model's vector is another thing.",
        "Bars of texts a second by batch size: " + ", ".join(f"{b}: {s:.0f}" for b, s in speeds.items()) + ".",
        lambda: figures.bars(f"Throughput here, “{short(base, 30)}”", [f"batch of {batch}" for batch in speeds],
                             {"texts a second": list(speeds.values())}, "texts a second", showlegend=False),
        Table(("model", "US$ for a million tokens", f"US$ for {documents:,} documents"),
              (*((name, listed[name], round(cost, 4)) for name, cost in dollars.items()),
               ("this machine, hours", None, round(hours, 2)))))


DEMO = Demo(
    "cost", "Cost and batching", 5,
    "Embedding in batches is faster than one text at a time, and a cached query costs next to nothing.",
    (Input("documents", "Documents", 100_000, "number", low=1, high=1_000_000_000),
     Input("tokens", "Tokens of each", 200, "number", low=1, high=100_000),
     Input("prices", "Prices, one a line: name = US$ for a million tokens", PRICES, "lines", low=1, high=30,
           help="the lesson's, of January 2024; put your provider's"),
     Input("query", "A query to time", "How do I reset my password?", longest=300),
     Input("repeated", "Repeated queries (%)", 30, "number", low=0, high=100)),
    work, (("A million short notes", {"documents": 1_000_000, "tokens": 60}),),
    ("batching", "batch", "price", "prices", "per million", "throughput", "cache", "embedding costs", "does embedding",
     "cost to embed"))
