"""The Eval tab in a real Chromium: measure on the real models, read the report, compare, review a draft, a phone."""
from __future__ import annotations

import json

import pytest

from eval.panel import own_sets
from eval.suite import runs
from tests.test_browser import address, chrome, rag, window  # noqa: F401 (fixtures)

RUN_MS = 420_000  # the longest that a run of six questions may take here: it loads the models and indexes the chapters


def open_eval(page) -> None:
    page.click("#gb-panel-eval-button")
    page.wait_for_selector("#gb-evalrows .gb-evalruns, #gb-evalrows .gb-empty")


def measure(page, settings: str = "") -> str:
    """Run retrieval on six questions; the name of the run that was kept."""
    before = set(runs.files())
    page.fill("#gb-evallimit input", "6")
    if settings:
        page.click("#gb-evalsettings button")
        page.fill("#gb-evalset textarea", settings)
    page.click("#gb-evalgo")
    page.wait_for_selector("#gb-evalgo:has-text('Running')")
    page.wait_for_selector("#gb-evalgo:not(:has-text('Running'))", timeout=RUN_MS)
    new = set(runs.files()) - before
    assert len(new) == 1, page.inner_text("#gb-evalstate")
    return new.pop().stem


def report(page):
    """The opened report, inside its frame."""
    page.wait_for_selector("#gb-evalreport iframe")
    frame = page.frame_locator("#gb-evalreport iframe")
    frame.locator("h1").wait_for()
    return frame


def test_a_run_is_measured_read_and_compared(window):  # noqa: F811
    open_eval(window)
    window.click("#gb-evalsettings button")
    window.fill("#gb-evalset textarea", "k = 99")
    window.click("#gb-evalgo")
    window.wait_for_selector("#gb-evalstate .gb-bad:has-text('expected 1 to 20')")
    window.fill("#gb-evalset textarea", "")
    window.click("#gb-evalsettings button")
    first = measure(window)
    result = runs.kept(first)
    assert result["limit"] == 6 and list(result["suites"]) == ["retrieval"] and result["config"]["llm"] == "off"

    frame = report(window)
    assert "6 asked of each list" in frame.locator(".eyebrow").inner_text()
    assert frame.locator(".frow").count() == 5, "a bar for each stage"
    lost = [row for row in result["suites"]["retrieval"]["questions"] if row.get("lost_at") and row["split"] == "open"]
    assert frame.locator("#failed .q").count() == len(lost)
    background = "getComputedStyle(document.body).backgroundColor"
    light = frame.locator("body").evaluate(background.replace("document.body", "document.body"))
    window.click("#gb-switches [data-theme]")
    for _ in range(50):
        if frame.locator("body").evaluate(background) != light:
            break
        window.wait_for_timeout(100)
    assert frame.locator("body").evaluate(background) != light, "the report follows the page's switch"
    window.click("#gb-switches [data-theme]")
    with window.expect_download() as caught:
        window.click("[data-keep]")
    assert caught.value.suggested_filename == f"{first}.html"

    second = measure(window, "rerank = off")
    assert window.locator(".gb-evalruns li").count() == 2
    assert "rerank=off" in window.inner_text(".gb-evalruns li.gb-here")
    window.click("#gb-eval-compare-button")
    for side, name in (("before", first), ("after", second)):
        when = next(i for i, file in enumerate(reversed(runs.files())) if file.stem == name)
        window.click(f"#gb-eval{side} input")
        window.locator("ul[role=listbox] li").nth(when).click()
    window.wait_for_selector("#gb-evalcomparison iframe")
    compared = window.frame_locator("#gb-evalcomparison iframe")
    compared.locator(".verdict").wait_for()
    assert "rerank on → off" in compared.locator("body").inner_text()
    assert compared.locator(".cmp tbody tr").count() > 0

    window.click(f".gb-evalruns [data-event=delete][data-id='{second}']")
    window.click(f".gb-evalruns [data-event=delete][data-id='{second}']")
    window.wait_for_function("document.querySelectorAll('.gb-evalruns li').length === 1")
    assert [file.stem for file in runs.files()] == [first]


def test_drafts_are_reviewed_and_become_a_gold_set(window, rag):  # noqa: F811
    open_eval(window)
    window.click("#gb-eval-drafts-button")
    window.fill("#gb-evalmost input", "3")
    window.click("#gb-evaldraft")
    window.wait_for_selector(".gb-draft")
    cards = window.locator(".gb-draft")
    assert cards.count() > 9
    assert not window.locator("#gb-evalsaved .gb-note").count()
    window.click("[data-savedrafts]")
    window.wait_for_selector("#gb-evalsaved .gb-bad:has-text('no draft was accepted')")
    cards.nth(0).locator("[data-judge=yes]").click()
    cards.nth(1).locator("[data-judge=no]").click()
    cards.nth(2).locator("[data-judge=yes]").click()
    cards.nth(2).locator("[name=question]").fill("And in my own words?")
    assert window.inner_text("#gb-draftcount").startswith("2 accepted, 1 rejected")
    quote = cards.nth(0).locator(".gb-draftquote").first.inner_text()
    window.fill("#gb-evalname input, #gb-evalname textarea", "reviewed")
    window.click("[data-savedrafts]")
    window.wait_for_selector("#gb-evalsaved:has-text('“reviewed” holds 2 questions now')")
    assert window.locator("#gb-evalsaved .gb-note").evaluate("e => e.getBoundingClientRect().bottom <= innerHeight")
    rows = [json.loads(line) for line in own_sets.path("reviewed").read_text(encoding="utf-8").splitlines()]
    assert [row["question"] for row in rows][1] == "And in my own words?" and "draft" not in rows[0]
    assert " ".join(quote.split()).startswith(" ".join(rows[0]["evidence"][0]["quote"].split())[:40])
    window.click("#gb-evalgold input")
    window.wait_for_selector("ul[role=listbox] li:has-text('reviewed')")


@pytest.mark.parametrize("mode", ["light", "dark"])
def test_a_phone_shows_it_without_overflow(chrome, address, mode):  # noqa: F811
    context = chrome.new_context(viewport={"width": 390, "height": 844}, color_scheme=mode, has_touch=True)
    page = context.new_page()
    page.goto(address)
    page.wait_for_selector(".gb-example", timeout=20_000)
    open_eval(page)
    for tab in ("report", "compare", "drafts"):
        page.click(f"#gb-eval-{tab}-button")
        assert page.evaluate("Math.max(document.documentElement.scrollWidth, document.body.scrollWidth)") <= 390
    context.close()
