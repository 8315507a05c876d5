"""Training groups over what is not prose: Markdown table rows, code lines, documentation entries.

Tables are made up from themes below; code and entries are read from Python's own standard library
(PSF licence), so they need no download and are real.
"""

from __future__ import annotations

import importlib
import inspect
import random
import re

from eval.reranker.groups import Group

# theme: (name of the rows, rows, {column: (question form with {row}, values or (low, high, unit))})
THEMES = [
    (
        "Planet",
        ["Mercury", "Venus", "Earth", "Mars", "Jupiter", "Saturn", "Uranus", "Neptune"],
        {
            "Moons": ("How many moons does {row} have?", (0, 90, "")),
            "Day length": ("How long is a day on {row}?", (9, 5000, " h")),
            "Diameter": ("How large is {row}?", (4000, 140000, " km")),
        },
    ),
    (
        "Language",
        ["Python", "Rust", "Go", "Java", "Haskell", "Ruby", "Swift", "Kotlin"],
        {
            "Year": ("When did {row} first appear?", (1985, 2015, "")),
            "Typing": ("How is {row} typed?", ["static", "dynamic", "gradual", "static, inferred"]),
            "Designer": (
                "Who designed {row}?",
                ["G. Hoare", "G. van Rossum", "J. Gosling", "Y. Matsumoto", "a team"],
            ),
        },
    ),
    (
        "Plan",
        ["Free", "Starter", "Team", "Business", "Enterprise"],
        {
            "Price": ("How much does the {row} plan cost?", (0, 400, " euros a month")),
            "Users": ("How many users does {row} allow?", (1, 500, "")),
            "Support": (
                "What support comes with the {row} plan?",
                ["e-mail", "none", "phone, day and night", "chat"],
            ),
        },
    ),
    (
        "Structure",
        ["array", "linked list", "hash map", "binary heap", "skip list", "B-tree", "trie"],
        {
            "Lookup": ("What is the lookup cost of a {row}?", ["O(1)", "O(log n)", "O(n)", "O(k)"]),
            "Memory": ("How much memory does a {row} take?", ["low", "medium", "high", "twice the data"]),
            "Best for": (
                "When should I use a {row}?",
                ["random access", "fast inserts", "prefix search", "ranges"],
            ),
        },
    ),
    (
        "Model",
        ["Sparrow", "Heron", "Finch", "Wren", "Owl", "Kestrel"],
        {
            "Parameters": ("How big is {row}?", (1, 900, " million")),
            "Accuracy": ("How accurate is {row}?", (51, 99, " %")),
            "Latency": ("Which latency does {row} have?", (2, 900, " ms")),
        },
    ),
    (
        "Database",
        ["Postgres", "MySQL", "SQLite", "MongoDB", "Redis", "Cassandra"],
        {
            "Type": (
                "What type of database is {row}?",
                ["relational", "document", "key-value", "wide column"],
            ),
            "Port": ("Which port does {row} listen on?", (1000, 30000, "")),
            "Licence": ("What licence is {row} under?", ["BSD", "GPL", "public domain", "SSPL"]),
        },
    ),
    (
        "Setting",
        ["timeout", "retries", "cache_size", "log_level", "batch_size", "port", "workers"],
        {
            "Default": ("What is the default of {row}?", (1, 9000, "")),
            "Meaning": (
                "What does {row} do?",
                [
                    "how long a request may take",
                    "attempts before giving up",
                    "entries kept in memory",
                    "what is written to the log",
                ],
            ),
        },
    ),
    (
        "City",
        ["Oslo", "Lisbon", "Vienna", "Cairo", "Lima", "Hanoi", "Perth"],
        {
            "Population": ("What is the population of {row}?", (200, 9900, " thousand")),
            "River": ("Which river flows through {row}?", ["Tagus", "Danube", "Nile", "Swan", "Red River"]),
            "Height": ("How high does {row} lie?", (1, 900, " m")),
        },
    ),
    (
        "Metric",
        ["precision", "recall", "F1", "mean absolute error", "perplexity", "throughput"],
        {
            "Range": ("What range does {row} have?", ["0 to 1", "0 upwards", "1 upwards", "any number"]),
            "Better": ("Is a higher {row} better?", ["higher", "lower", "depends"]),
            "Used for": (
                "What is {row} used for?",
                ["classification", "regression", "language models", "servers"],
            ),
        },
    ),
    (
        "Tree",
        ["oak", "birch", "spruce", "maple", "willow", "beech"],
        {
            "Height": ("How tall does a {row} grow?", (5, 60, " m")),
            "Leaves": ("What leaves does the {row} have?", ["needles", "lobed", "oval", "narrow"]),
            "Age": ("How old can a {row} become?", (50, 1200, " years")),
        },
    ),
    (
        "Command",
        ["copy", "move", "list", "remove", "search", "pack"],
        {
            "Short form": (
                "What is the short form of the {row} command?",
                ["-c", "-m", "-l", "-r", "-s", "-p"],
            ),
            "Since": ("Since which version is there a {row} command?", (1, 9, ".0")),
            "Effect": (
                "What does the {row} command do?",
                [
                    "duplicates a file",
                    "changes a file's place",
                    "shows names",
                    "deletes a file",
                    "finds a word",
                    "makes an archive",
                ],
            ),
        },
    ),
    (
        "Drug",
        ["Altazine", "Benforin", "Corvex", "Delamol", "Enzatrol"],
        {
            "Dose": ("What is the dose of {row}?", (5, 800, " mg")),
            "Side effect": (
                "Which side effect does {row} have?",
                ["headache", "dry mouth", "nausea", "none"],
            ),
            "Taken": ("When is {row} taken?", ["mornings", "evenings", "with meals", "as needed"]),
        },
    ),
]
CODE_MODULES = """
    shutil os.path json csv random statistics math re textwrap datetime collections itertools functools
    pathlib tempfile subprocess threading queue socket ssl hashlib hmac secrets logging argparse
    configparser zipfile tarfile gzip sqlite3 urllib.request urllib.parse http.client email.message html
    string heapq bisect copy pprint enum fractions decimal time calendar glob fnmatch pickle shelve
    struct io asyncio concurrent.futures multiprocessing contextlib inspect ast dis unittest doctest
    trace timeit
""".split()  # noqa: SIM905 (as in rules.py)


def _value(rng: random.Random, values: list[str] | tuple[int, int, str]) -> str:
    if isinstance(values, tuple):
        return f"{rng.randint(values[0], values[1])}{values[2]}"
    return rng.choice(values)


def table_groups(rng: random.Random, n: int) -> list[Group]:
    """A question for one cell against the rows of its table and a sentence that only names the row.

    The texts are "header row, value row" as the assistant gives a table row to the reranker.
    """
    made: list[Group] = []
    while len(made) < n:
        name, rows, columns = rng.choice(THEMES)
        heads = rng.sample(list(columns), rng.randint(2, len(columns)))
        some = rng.sample(rows, min(len(rows), rng.randint(3, 5)))
        style = rng.choice(("pipes", "bars", "bare"))

        def line(cells: list[str], style=style) -> str:
            return "| " + " | ".join(cells) + " |" if style == "pipes" else " | ".join(cells)

        def shown(row: str, columns=columns, heads=heads, name=name, line=line, style=style) -> str:
            body = line([row] + [_value(rng, columns[h][1]) for h in heads])
            return body if style == "bare" else line([name, *heads]) + rng.choice(["\n", "\n", " "]) + body

        ask = columns[rng.choice(heads)][0].format(row=some[0])
        if rng.random() < 0.3:
            ask = f"{some[0]} {rng.choice(heads).lower()}"
        if rng.random() < 0.3:
            ask = ask.lower().rstrip("?")
        topic = rng.choice(
            [
                f"The table compares every {name.lower()} that we looked at.",
                f"{some[0]} is mentioned again in the next section.",
                f"There is more to say about {some[0]} later.",
                f"People often ask about {some[0]} and {some[1]}.",
                f"Choosing a {name.lower()} depends on what you need.",
            ]
        )
        made.append(
            Group(
                ask,
                (shown(some[0]), *(shown(r) for r in some[1:4]), topic),
                (1, *[0] * min(3, len(some) - 1), 0),
                "table",
                4.0,
            )
        )
    return made


def _functions() -> list[tuple[str, str, str, str]]:
    """(qualified name, signature line, first sentence of the documentation, a line of the body)."""
    found = []
    for name in CODE_MODULES:
        module = importlib.import_module(name)
        for attribute, value in sorted(vars(module).items()):
            if attribute.startswith("_") or not callable(value) or getattr(value, "__module__", "") is None:
                continue
            entry = inspect.getdoc(value) or ""
            first = re.split(r"(?<=[.])\s|\n\n", entry)[0].replace("\n", " ").strip()
            try:
                signature = f"def {attribute}{inspect.signature(value)}:"
            except (ValueError, TypeError):
                continue
            if (
                25 < len(first) < 220
                and "Built-in" not in first
                and "->" not in first
                and len(signature) < 200
            ):
                found.append((f"{name}.{attribute}", signature, first, " ".join(entry.split())[:500]))
    return found


def code_groups(rng: random.Random, n: int) -> list[Group]:
    """What a function does, asked in words, against code lines; and a function's name against entries."""
    functions = _functions()
    made: list[Group] = []
    while len(made) < n:
        name, signature, first, entry = rng.choice(functions)
        module = name.rsplit(".", 1)[0]
        near = [f for f in functions if f[0].startswith(module + ".") and f[0] != name]
        others = rng.sample(near, min(2, len(near))) + rng.sample(functions, 2)
        plain = first.rstrip(".")
        plain = plain[0].lower() + plain[1:]
        short = name.rsplit(".", 1)[1]
        if rng.random() < 0.5:
            ask = rng.choice([f"how do I {plain}?", f"function to {plain}", plain, f"code that will {plain}"])
            args = re.sub(r"[:=][^,)]*", "", signature[4 + len(short) : -1].split("->")[0]).strip()
            texts = [rng.choice([signature, f"{module}.{short}{args}", f"result = {module}.{short}{args}"])]
            texts += [f"result = {f[0]}(value)" if rng.random() < 0.3 else f[1] for f in others]
        else:
            ask = rng.choice(
                [
                    f"what does {short} do?",
                    f"What is {name}?",
                    name,
                    f"{short} {module}",
                    f"how does {short} work",
                ]
            )
            texts = [rng.choice([entry, f"{name}\n{entry}", f"{short}: {first}"])]
            texts += [rng.choice([f[3], f"{f[0]}\n{f[3]}"]) for f in others]
        keep = [texts[0]] + [
            t for t, f in zip(texts[1:], others, strict=True) if f[2] != first and t != texts[0]
        ]
        made.append(Group(ask, tuple(keep), (1, *[0] * (len(keep) - 1)), "code", 3.0))
    return made
