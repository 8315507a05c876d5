"""Traces written out: Markdown that nothing breaks out of, OTLP that its own protobuf reads, gold drafts that load."""
from __future__ import annotations

import base64
import json
import re

import pytest

from assistant.errors import InputError
from assistant.exchange import line, read, written
from assistant.records import Answer, Check, Citation, DocumentVersion
from assistant.trace import from_json, to_json
from assistant.trace.gold import draft
from assistant.trace.markdown import markdown
from assistant.trace.otel import otlp
from eval.suite.gold_set import load
from tests.fakes import made_trace

EVIL = "```\n# fake\n| a | b |\n<script>alert(1)</script>\u2028[x](javascript:y)"


def test_no_text_breaks_out_of_its_place_in_markdown():
    text = markdown(made_trace(question=EVIL, texts=(EVIL,), draft=EVIL, gate_reason=EVIL,
                               answer=Answer(EVIL), checks=(Check(EVIL, False, (), EVIL),)))
    outside = re.sub(r"(?ms)^(`{3,})text\n.*?^\1$", "", text)
    assert "<script" not in outside.replace("\\<", "") and "\n# fake" not in outside
    assert len(re.findall(r"(?m)^#+ ", outside)) == len(re.findall(r"(?m)^#{2,3} \w", outside))
    rows = [row for row in outside.splitlines() if row.startswith("| ")]
    columns = [len(re.findall(r"(?<!\\)\|", row)) - 1 for row in rows]
    assert columns == [8, 8, 8, 5, 5, 5, 5]  # one candidate, two spans, each under a head of two lines


def test_markdown_tables_are_tables_to_a_reader_of_markdown():
    """A head, then a rule of plain hyphens: GitHub's reader shows an escaped rule as text."""
    lines = markdown(made_trace(texts=("one", "two"))).splitlines()
    rules = [at for at, line in enumerate(lines) if re.fullmatch(r"\|( -{3,} \|)+", line)]
    assert [lines[at].count("|") for at in rules] == [lines[at - 1].count("|") for at in rules] == [9, 6]
    assert all(lines[at - 2] == "" and lines[at + 1].startswith("| ") for at in rules)


def test_markdown_holds_what_a_bug_report_needs():
    text = markdown(made_trace("t7", parent="t6", threshold=0.2, query="searched", query_reason="why it differs"))
    for part in ("`t7`", "replay of `t6`", "What?", "searched", "why it differs", "A text [1].", "0.700 #1", "`k=4`",
                 "`rerank=on`", "`threshold=auto`", "| dense | 0.0 | 10.0 | 1 | 20 |"):
        assert part in text, part
    assert "### Searched (asked as two)" in markdown(made_trace(query="What?", query_reason="asked as two"))


def test_otlp_is_read_by_its_own_protobuf_and_says_what_the_trace_says():
    json_format = pytest.importorskip("google.protobuf.json_format")
    service = pytest.importorskip("opentelemetry.proto.collector.trace.v1.trace_service_pb2")
    made = made_trace(config={"llm": "embedded", "temperature": 0.0, "max_tokens": 64, "k": 4, "threshold": None})
    made = from_json({**to_json(made), "spans": [
        *to_json(made)["spans"], {"stage": "generate", "start_ms": 20.0, "duration_ms": 5.5, "n_in": 1, "n_out": 1}],
        "prompt": [{"role": "user", "content": "hello"}], "draft": "said"})
    body = json.loads(json.dumps(otlp(made)))
    for spans in body["resourceSpans"][0]["scopeSpans"]:  # protobuf's own JSON writes bytes in base64, OTLP/JSON in hex
        for span in spans["spans"]:
            for key in ("traceId", "spanId", "parentSpanId"):
                assert re.fullmatch(r"(?:[0-9a-f]{16}|[0-9a-f]{32})?", span[key])
                span[key] = base64.b64encode(bytes.fromhex(span[key])).decode()
    parsed = json_format.ParseDict(body, service.ExportTraceServiceRequest())
    root, *stages = parsed.resource_spans[0].scope_spans[0].spans
    assert root.name == "invoke_agent glassbox" and {span.status.code for span in [root, *stages]} == {0}  # unset
    assert [span.name for span in stages] == ["retrieval dense", "rerank", "chat SmolLM2-135M-Instruct"]
    assert {bytes(span.parent_span_id) for span in stages} == {bytes(root.span_id)} and not root.parent_span_id
    assert {len(span.trace_id) for span in [root, *stages]} == {16} and len({s.span_id for s in [root, *stages]}) == 4
    start = 1767323045678 * 10 ** 6  # 2026-01-02T03:04:05.678 UTC in nanoseconds
    assert root.start_time_unix_nano == start and root.end_time_unix_nano == start + 25_500_000
    assert stages[2].start_time_unix_nano == start + 20_000_000
    said = {a.key: a.value for a in stages[2].attributes}
    assert said["gen_ai.operation.name"].string_value == "chat" and said["gen_ai.request.max_tokens"].int_value == 64
    assert json.loads(said["gen_ai.output.messages"].string_value) == [
        {"role": "assistant", "parts": [{"type": "text", "content": "said"}], "finish_reason": "stop"}]
    assert said["gen_ai.request.stream"].bool_value and said["gen_ai.provider.name"].string_value == "glassbox"
    found = {a.key: a.value for a in stages[0].attributes}
    assert json.loads(found["gen_ai.retrieval.documents"].string_value) == [{"id": "c1", "score": 0.8}]


def spans_of(made):
    """[(span, {attribute: its one value})] of an export."""
    spans = otlp(made)["resourceSpans"][0]["scopeSpans"][0]["spans"]
    return [(span, {a["key"]: next(iter(a["value"].values())) for a in span["attributes"]}) for span in spans]


def test_otlp_writes_times_and_integers_as_strings_and_enums_as_numbers():
    for span, said in spans_of(made_trace(config={"candidates": 20})):
        assert all(re.fullmatch(r"\d{19}", span[key]) for key in ("startTimeUnixNano", "endTimeUnixNano"))
        assert isinstance(span["kind"], int) and isinstance(said.get("gen_ai.retrieval.top_k", ""), str)
    retrieval = spans_of(made_trace(config={"candidates": 20}))[1][1]
    assert (retrieval["gen_ai.operation.name"], retrieval["gen_ai.retrieval.top_k"]) == ("retrieval", "20")


def test_a_served_model_is_named_by_its_name_its_address_and_the_kind_of_a_call():
    body = to_json(made_trace(config={"llm": "https://host:8443/v1#big"}, draft="said"))
    body["spans"].append({"stage": "generate", "start_ms": 20.0, "duration_ms": 5.5, "n_in": 1, "n_out": 1})
    span, said = spans_of(from_json(body))[-1]
    assert (span["name"], span["kind"], said["gen_ai.request.model"]) == ("chat big", 3, "big")
    assert (said["gen_ai.provider.name"], said["server.address"], said["server.port"]) == ("openai", "host", "8443")
    assert said["llm.output_messages.0.message.content"] == "said"
    body["config"]["llm"] = "http://host:port/v1"
    assert "server.address" not in spans_of(from_json(body))[-1][1]


@pytest.mark.parametrize("error, kind", [("RuntimeError", "RuntimeError"), ("the server said no", "_OTHER")])
def test_a_failed_trace_has_the_status_of_an_error_with_its_words(error, kind):
    (root, said), *stages = spans_of(made_trace(status="failed", error=error, answer=Answer("")))
    assert root["status"] == {"code": 2, "message": error} and said["error.type"] == kind
    assert said["gen_ai.output.messages"] == "[]" and all(span["status"] == {} for span, _ in stages)


def test_a_trace_without_a_time_makes_no_spans():
    with pytest.raises(InputError, match="created"):
        otlp(made_trace(created="yesterday"))


@pytest.mark.parametrize("thumb, abstained, answerable, evidence, reference", [
    ("up", False, True, 1, "It is so, indeed."), ("up", True, False, 0, ""),
    ("down", False, True, 0, ""), ("down", True, True, 0, ""), ("", False, True, 0, "")])
def test_a_gold_draft_loads_in_the_eval_suite(tmp_path, thumb, abstained, answerable, evidence, reference):
    quote = Citation(1, "c1", "Book", "Part", 100, 106, "A text", 9, 12)
    made = made_trace("t", answer=Answer("It is so [1], indeed [1].", () if abstained else (quote, quote), abstained),
                      documents=(DocumentVersion("d", "Book", "folder/book.md", "5"),))
    file = tmp_path / "gold.jsonl"
    file.write_text(json.dumps(draft(made, thumb, "note")) + "\n", encoding="utf-8")
    gold = load(file)[0]
    assert (gold.question, gold.answerable, gold.reference) == ("What?", answerable, reference)
    assert gold.evidence == (("folder/book.md", "A text"),) * evidence


def test_an_export_is_read_back_equal_however_it_is_laid_out():
    made = [made_trace("a", question=EVIL), made_trace("b", texts=("\x85 \u2029 \U0001f600", ""))]
    lines = written(None, made, "json")
    assert len(lines.splitlines()) == 2 and read(lines.encode(), "f") == made
    assert read(json.dumps([to_json(trace) for trace in made], indent=1).encode(), "f") == made
    assert read(b"\xef\xbb\xbf" + line(to_json(made[0])).encode(), "f") == made[:1]


@pytest.mark.parametrize("raw", [b"", b"nonsense", b"\xff\xfe", b"[]", b"{}", b"[1]", b"[" * 100_000, b'{"layout": 1}',
                                 b'{"layout": ' + b"1" * 5000 + b"}", b'{"layout": 1, "id": "\\ud800"}'])
def test_what_is_no_export_is_refused(raw):
    with pytest.raises(InputError):
        read(raw, "file.json")


@pytest.mark.parametrize("change, said", [
    ({"gate": "partial"}, "trace.gate is 'partial': expected 'passed' or 'declined' or 'off'"),
    ({"question": "half a pair \ud800"}, "holds no JSON that can be read"),
    ({"config": {"k": ["\udfff"]}}, "holds no JSON that can be read"),
    *(({"id": wrong}, "a trace with the id ") for wrong in ("", "a\x1b[2J\nb", "a\n", "x" * 65, "../a", "a b"))])
def test_a_trace_with_a_value_that_would_break_a_view_is_refused(change, said):
    with pytest.raises(InputError, match=re.escape(said)) as caught:
        read(json.dumps(to_json(made_trace()) | change).encode(), "file.json")
    assert "\x1b" not in str(caught.value) and "\n" not in str(caught.value)
