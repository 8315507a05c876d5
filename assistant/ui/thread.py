"""The middle column as HTML: the conversation's turns, the answer in the making, the first screen. Pure functions."""
from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence

from assistant.catalog.conversations import Turn
from assistant.records import Answer, Document, Evidence, Support, Trace
from assistant.text.place import place
from assistant.ui.answer import answer_html, chip, partial, sources_text
from assistant.ui.icons import icon
from assistant.ui.jobs import Job
from assistant.ui.prose import esc

QUESTION_LIMIT = 1500  # characters of a question that are shown; all of them are kept
LIVE = "live"          # stands for the trace of an answer that has none yet
STAGES = {"waiting": "Waiting for another answer to finish", "start": "Starting", "load": "Loading the models",
          "search": "Searching the documents", "rerank": "Reranking the candidates",
          "evidence": "Choosing the sentences", "generate": "Writing, and checking each sentence"}
THUMBS = (("up", "Good answer"), ("down", "Bad answer"))
TAGLINE = "Glassbox answers from your documents, cites the exact sentences, and shows how it found them."
# (question, the word that the documents must hold for it to make sense; "" fits any documents)
EXAMPLES = (("What is the difference between HNSW and IVF?", "HNSW"),
            ("Why does one-hot encoding say nothing about meaning?", "one-hot"),
            ("How does Word2Vec learn its vectors?", "Word2Vec"),
            ("When is cosine similarity better than Euclidean distance?", "Euclidean"),
            ("Why do embeddings struggle with negation?", "negation"),
            ("Who won the football World Cup in 2022?", ""))


def turns_html(turns: Sequence[Turn], trace_of: Callable[[str], Trace | None], view: str, running: bool = False,
               conversation: str = "", thumbs: Mapping[str, str] | None = None) -> str:
    """The stored turns. `view` is the trace that the inspector shows; the last question can be edited and retried.

    thumbs: {trace id: "up" or "down"} of what was judged.
    """
    last = max((turn.position for turn in turns if turn.role == "user"), default=-1)
    parts = []
    for turn in turns:
        tail = turn.position >= last and not running
        if turn.role == "user":
            parts.append(_question(turn.content, turn.position if tail else None))
        elif turn.role == "assistant":
            parts.append(_answer(turn, trace_of(turn.trace_id), view, tail, (thumbs or {}).get(turn.trace_id, "")))
        else:
            parts.append(notice_html(turn.content, retry=tail))
    if turns and turns[-1].role == "user" and not running:
        parts.append(notice_html("The answer to this question was interrupted.", retry=True))
    return (f'<div class="gb-thread" role="log" aria-label="Conversation" data-conversation="{esc(conversation)}" '
            f'data-view="{esc(view)}">{"".join(parts)}</div>')


def _question(text: str, editable: int | None) -> str:
    edit = "" if editable is None else (
        f'<button type="button" class="gb-tool" data-event="edit" data-position="{editable}">'
        f'{icon("rename")}Edit</button>')
    return (f'<article class="gb-turn gb-question"><h3 class="gb-sr">Question</h3><p dir="auto">'
            f'{esc(text, QUESTION_LIMIT)}</p><div class="gb-tools">{edit}</div></article>')


def _answer(turn: Turn, trace: Trace | None, view: str, last: bool, thumb: str) -> str:
    answer = trace.answer if trace else Answer(turn.content, trace_id=turn.trace_id)
    here = " gb-inview" if turn.trace_id and turn.trace_id == view else ""
    kind = " gb-declined" if answer.abstained else ""
    state = ""
    if trace and trace.status != "complete":
        state = f'<p class="gb-state">{"Stopped here." if trace.status == "stopped" else "It failed here."}</p>'
    shown, closest = _declined(trace) if trace and answer.abstained else (answer, "")
    tools = _tools(turn.trace_id if trace else "", answer, last, thumb)
    return (f'<article class="gb-turn gb-answer{here}{kind}" data-trace="{esc(turn.trace_id)}">'
            f'<h3 class="gb-sr">Answer</h3><div class="gb-body" dir="auto">{answer_html(shown)}{closest}{state}</div>'
            f'{_sources(answer)}<div class="gb-tools">{tools}</div></article>')


def _tools(trace_id: str, answer: Answer, last: bool, thumb: str) -> str:
    """trace_id: "" where its trace is gone, so that there is nothing to inspect, link or judge."""
    tools = []
    if trace_id:
        tools.append(f'<button type="button" class="gb-tool gb-inspect" data-event="select" '
                     f'data-trace="{esc(trace_id)}">'
                     f'{icon("inspect")}Inspect</button>')
    tools.append(f'<button type="button" class="gb-tool" data-copy="{esc(sources_text(answer))}">'
                 f'{icon("copy")}Copy with sources</button>')
    if trace_id:
        tools.append(f'<button type="button" class="gb-tool" data-link="{esc(trace_id)}">{icon("link")}'
                     "Copy link</button>")
        tools += [f'<button type="button" class="gb-tool gb-thumb" data-event="submit" data-act="{name}" '
                  f'data-trace="{esc(trace_id)}" aria-pressed="{"true" if thumb == name else "false"}" '
                  f'aria-label="{label}" title="{label}">{icon(name)}</button>' for name, label in THUMBS]
    if last:
        tools.append(_retry())
    return "".join(tools)


def _retry() -> str:
    return f'<button type="button" class="gb-tool" data-event="submit" data-act="retry">{icon("retry")}Retry</button>'


def _sources(answer: Answer) -> str:
    names: dict[str, set[int]] = {}
    for citation in answer.citations:
        names.setdefault(place(citation.document, citation.heading), set()).add(citation.marker)
    if not names:
        return ""
    items = "".join(
        f"<li>{''.join(chip(marker, name) for marker in sorted(markers))}<span>{esc(name.split(' > ')[-1])}</span></li>"
        for name, markers in sorted(names.items(), key=lambda item: min(item[1])))
    return f'<ul class="gb-sources" aria-label="Sources">{items}</ul>'


def _declined(trace: Trace) -> tuple[Answer, str]:
    """A decline's first words, and the sections that came nearest as a list instead of in its second sentence."""
    says, names_them, _ = trace.answer.text.partition(" The closest section")
    nearest: dict[str, str] = {}
    for hit in trace.hits:
        score = (f"probability {hit.rerank.value:.2f}" if hit.rerank else
                 f"cosine {hit.dense.value:.2f}" if hit.dense else "")
        if score:
            nearest.setdefault(place(hit.document, hit.chunk.heading), score)
    if not names_them or not nearest:
        return trace.answer, ""
    items = "".join(f"<li>{esc(name.replace(' > ', ' › '))} <span>{score}</span></li>"
                    for name, score in list(nearest.items())[:3])
    short = Answer(says, abstained=True, support=(Support(0, len(says), True, (), None, "fixed"),))
    return short, f'<p class="gb-caps">Closest sections</p><ul class="gb-closest">{items}</ul>'


def notice_html(text: str, retry: bool = False) -> str:
    """A line of Glassbox itself, such as an error."""
    tools = f'<div class="gb-tools">{_retry()}</div>' if retry else ""
    return (f'<article class="gb-turn gb-notice" role="alert"><p dir="auto">{esc(text, QUESTION_LIMIT)}</p>'
            f"{tools}</article>")


def hint_html(text: str, cancel: bool = False) -> str:
    """A line above the question's field. cancel: with a button that gives up what the line speaks of."""
    button = ""
    if cancel:
        button = f'<button type="button" class="gb-tool" data-event="select">{icon("close")}Cancel</button>'
    return f'<p class="gb-hint{" gb-calm" if cancel else ""}" role="alert">{esc(text, 400)}{button}</p>'


def address_html(current: str | None, trace_id: str) -> str:
    """What the page's address is to name."""
    return f'<span data-c="{esc(current or "")}" data-trace="{esc(trace_id)}"></span>'


def live_html(job: Job | None, loading: bool = False) -> str:
    """The answer as far as it has come, under what is being done now."""
    if job is None:
        return ""
    stage = "load" if loading and job.stage in ("start", "search") else job.stage
    words = STAGES.get(stage, stage)
    if job.stop.is_set():
        words = "Stopping"
    body = ""
    if job.sentences:
        evidence = job.found.evidence if job.found else ()
        shown = answer_html(partial(job.sentences), _places(evidence), streaming=True)
        body = f'<div class="gb-body" dir="auto">{shown}</div>'
    return (f'<div class="gb-thread"><article class="gb-turn gb-answer gb-inview gb-live" data-trace="{LIVE}">{body}'
            f'<p class="gb-stage" role="status"><span class="gb-pulse"></span>{esc(words)}…</p></article></div>')


def _places(evidence: Sequence[Evidence]) -> dict[int, str]:
    return {item.marker: place(item.document, item.heading) for item in evidence}


def lone_html(trace: Trace, thumb: str = "") -> str:
    """One question and its answer, opened by address, that no conversation here holds."""
    turns = [Turn(0, "user", trace.question), Turn(1, "assistant", trace.answer.text, trace.id)]
    if not trace.answer.text.strip():
        turns[1] = Turn(1, "notice", trace.error or f"This question was {trace.status}; there is no answer to show.")
    shown = turns_html(turns, lambda _: trace, trace.id, running=True, thumbs={trace.id: thumb})
    return ('<p class="gb-note gb-lone">One answer, opened by its address. A new question starts a conversation.</p>'
            f"{shown}")


def first_screen(documents: Sequence[Document]) -> str:
    """What this is, and questions to begin with; with an empty index, what to do."""
    if not documents:
        return ('<section class="gb-first"><h2>The index is empty</h2>'
                f'<p>{TAGLINE} It has no documents yet.</p>'
                '<p>Open the <b>Corpus</b> tab and add files, or run <code>assistant ingest PATH</code> '
                "and reload this page.</p></section>")
    buttons = "".join(
        f'<li><button type="button" class="gb-example" data-event="submit" data-act="ask" data-text="{esc(text)}">'
        f'{esc(text)}{note}</button></li>' for text, note in examples(documents))
    return (f'<section class="gb-first"><h2>Ask your documents</h2><p>{TAGLINE}</p>'
            f'<ul class="gb-examples" aria-label="Example questions">{buttons}</ul></section>')


def examples(documents: Sequence[Document]) -> list[tuple[str, str]]:
    """(question, note as HTML): those whose subject the documents hold; else one for each of a few titles."""
    texts = [document.text for document in documents]
    fitting = [text for text, word in EXAMPLES if word and any(re.search(re.escape(word), t, re.I) for t in texts)]
    if len(fitting) < 2:
        fitting = [f"What is said about {document.title}?" for document in documents[:5]]
    unanswerable = [text for text, word in EXAMPLES if not word]
    return [(text, "") for text in fitting] + [(text, "<i>not in the documents</i>") for text in unanswerable]
