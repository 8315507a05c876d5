/* Manners of the Lab: a demo has an address, and links lead to it, to its chapter and to a trace. */
(() => {
  const $ = (selector) => document.querySelector(selector);
  const wait = (ms) => new Promise((done) => setTimeout(done, ms));
  const shown = () => $("#gb-labhead [data-demo]")?.dataset.demo || "";
  const inFront = () => $("#gb-panel-lab-button")?.getAttribute("aria-selected") === "true";

  async function press(selector) {
    for (let n = 0; n < 200 && !$(selector); n++) await wait(50);
    $(selector)?.click();
  }

  async function openDemo(name) {
    document.body.dataset.panel = "";
    $("#gb-panel-lab-button")?.click();
    await press(`#gb-labcards [data-id="${CSS.escape(name)}"]`);
  }

  async function openIn(tab, rows, id) {
    $(`#gb-panel-${tab}-button`)?.click();
    await press(`${rows} [data-event="select"][data-id="${CSS.escape(id)}"]`);
  }

  /* A trace, and in it the tab where a stage is seen. */
  const TABS = { fuse: "stages", dense: "stages", lexical: "stages", rerank: "stages", select: "stages", evidence: "answer", generate: "prompt" };
  async function openTrace(id, stage) {
    await openIn("traces", "#gb-tracerows", id);
    if (!stage) return;
    const tab = TABS[stage] || "timings", head = `#gb-tracehead [data-id^="${CSS.escape(id.slice(0, 12))}"]`;
    for (let n = 0; n < 100 && !$(head); n++) await wait(50);
    await press(`#gb-trace-${tab}-button`);
    if (tab !== "timings") return;
    await wait(150);
    const row = [...document.querySelectorAll("#gb-tracetabs .gb-waterfall th")].find((th) => th.textContent === stage)?.parentElement;
    row?.classList.add("gb-flash");
    row?.scrollIntoView({ block: "center" });
  }

  /* The picture has a role and a name, and a click on a point presses the button in the table that does the same. */
  function dress() {
    const picture = $("#gb-labfigure .js-plotly-plot");
    if (!picture || picture.dataset.dressed || !picture.on) return;
    picture.dataset.dressed = "yes";
    picture.setAttribute("role", "img");
    picture.setAttribute("aria-labelledby", "gb-labalt");
    picture.on("plotly_click", (event) => {
      const pick = event.points.map((point) => point.customdata).find(Boolean);
      if (pick) $(`#gb-labtable [data-pick="${CSS.escape(String(pick))}"]`)?.click();
    });
  }
  new MutationObserver(dress).observe(document.body, { childList: true, subtree: true });

  /* Gradio cannot take a drawing back: to its editor an empty value is no change while Python holds none. */
  const wipe = () => $('.gb-lab-picture button[aria-label="Clear canvas"]')?.click();

  let asked = new URLSearchParams(location.search).has("lab");

  /* The address names the opened demo while the Lab is in front; the card of it is marked. */
  function address() {
    const query = new URLSearchParams(location.search), before = query.toString(), name = shown();
    if (name) asked = false;
    else if (asked) return; // Python has not read it yet, or knows no such demo and says so
    query.delete("lab");
    if (name && inFront()) query.set("lab", name);
    if (query.toString() !== before) history.replaceState(null, "", location.pathname + (query.size ? `?${query}` : ""));
    document.querySelectorAll("#gb-labcards [data-id]").forEach((card) => {
      if (card.dataset.id === name) card.setAttribute("aria-current", "true"); else card.removeAttribute("aria-current");
    });
  }

  let last = "";
  function lab(watch) {
    const show = () => {
      const name = shown();
      address();
      if (name === last) return;
      last = name;
      wipe();
      if (!name || !inFront()) return;
      $("#gb-labdemo").scrollTop = 0;
      if (matchMedia("(max-width: 800px)").matches) scrollTo(0, 0);
      $("#gb-labhead h2")?.focus({ preventScroll: true });
      $("#gb-labcards [aria-current]")?.scrollIntoView({ block: "nearest" });
    };
    watch("value", show);
    show();
  }

  /* The tab is built when it first comes to the front; until then nothing of the Lab is there to open itself. */
  if (asked) comeToFront();

  /* Gradio draws the tabs before they listen, so one click may be lost. */
  async function comeToFront() {
    for (let n = 0; n < 100 && !inFront(); n++) {
      $("#gb-panel-lab-button")?.click();
      await wait(150);
    }
  }

  document.addEventListener("click", (click) => {
    const button = click.target.closest("button");
    if (!button) return;
    if (button.closest(".gb-labpresets")) wipe(); // its inputs take the drawing's place
    const { lab: name, chapter, opentrace, stage } = button.dataset;
    if (name) openDemo(name);
    else if (chapter) openIn("corpus", "#gb-table", chapter);
    else if (opentrace) openTrace(opentrace, stage);
    else if (button.closest("#gb-tabs > .tab-wrapper")) setTimeout(address, 0);
  });

  Object.assign(window.glassbox, { lab });
})();
