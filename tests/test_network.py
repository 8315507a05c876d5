"""Nothing leaves the machine: what Python connects to or looks up while everything runs, and telemetry's switches."""
from __future__ import annotations

import json
import os
import subprocess
import sys

from tests.fakes import CORPUS, ROOT

WATCHED = """
import json, sys
seen = []

def watch(event, arguments):
    if event in ("socket.connect", "socket.sendto"):
        seen.append([event, str(arguments[1])])
    elif event in ("socket.getaddrinfo", "socket.gethostbyname"):
        seen.append([event, str(arguments[0])])
    elif event == "urllib.Request":
        seen.append([event, str(arguments[0])])

sys.addaudithook(watch)
"""

EVERYTHING = (
    WATCHED
    + """
from assistant import Assistant, Config
rag = Assistant(Config(index=sys.argv[1], threshold=0.0))  # no gate: the language model is asked
rag.ingest([sys.argv[2]])
answer = rag.answer("Why is scanning titles for exact words not enough?")
trace = rag.trace(answer.trace_id)
import os
print(json.dumps({"seen": seen, "text": answer.text, "draft": trace.draft, "stages": [s.stage for s in trace.spans],
                  "env": {n: os.environ.get(n) for n in sys.argv[3:]}}))
"""
)

OFF = {"HF_HUB_OFFLINE": "1", "TRANSFORMERS_OFFLINE": "1", "ANONYMIZED_TELEMETRY": "False", "DO_NOT_TRACK": "1",
       "HF_HUB_DISABLE_TELEMETRY": "1"}

CONTROL = WATCHED + """
import socket
for name in ("localhost", "203.0.113.1"):
    try:
        socket.create_connection((name, 9), timeout=0.2)
    except OSError:
        pass
print(json.dumps({"seen": seen}))
"""


def run(code: str, *arguments: str) -> dict:
    done = subprocess.run([sys.executable, "-c", code, *arguments], cwd=ROOT, capture_output=True, text=True,
                          env={k: v for k, v in os.environ.items() if "TELEMETRY" not in k and "OFFLINE" not in k})
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def beyond_loopback(seen: list[list[str]]) -> list[list[str]]:
    return [entry for entry in seen if not any(own in entry[1] for own in ("127.0.0.1", "::1", "localhost"))
            and not entry[1].startswith(("/", "b'/"))]          # a path is a socket of this machine


def test_the_watch_sees_a_connection_to_elsewhere():
    assert [entry for entry in beyond_loopback(run(CONTROL)["seen"]) if "203.0.113.1" in entry[1]]


def test_importing_ingesting_and_asking_connects_to_nowhere(tmp_path):
    done = run(EVERYTHING, str(tmp_path / "index"), str(CORPUS / "00-why-embeddings.md"), *OFF)
    assert beyond_loopback(done["seen"]) == []
    assert "generate" in done["stages"] and done["draft"] and done["text"], "the language model must have taken part"
    assert done["env"] == OFF
