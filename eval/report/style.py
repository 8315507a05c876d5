"""The look and the manners of the report: its styles and its script, written into the page. Nothing is loaded."""
from __future__ import annotations

# Colours are named by what they are for; every text colour has a contrast of at least 4.5 to 1 on paper and surface.
_LIGHT = """--paper:#f7f6f2;--surface:#fffefb;--sunk:#efede6;--line:#dedbd1;--ink:#1b2023;--soft:#5a5f61;
--accent:#0f6a6a;
--accent2:#4f9a97;--accent3:#8fbfbb;--accent4:#c3dcd8;--quote:#86540c;--quoteline:#d8b06a;--bad:#a2301f;
--badsoft:#f7e3de;
--goodsoft:#dcebe8;--none:#e4e1d8;--low:#f6e3cf"""
_DARK = """--paper:#14181a;--surface:#1a1f22;--sunk:#22282b;--line:#30373a;--ink:#e7e5de;--soft:#a3aaac;
--accent:#63c2ba;
--accent2:#43928c;--accent3:#2f6a66;--accent4:#244a48;--quote:#e0b467;--quoteline:#8a6a31;--bad:#f0907f;
--badsoft:#3d2320;
--goodsoft:#1d3a3a;--none:#2a3033;--low:#43301c"""

STYLE = f"""
:root{{color-scheme:light;{_LIGHT}}}
@media(prefers-color-scheme:dark){{:root:not([data-theme=light]){{color-scheme:dark;{_DARK}}}}}
:root[data-theme=dark]{{color-scheme:dark;{_DARK}}}
""" + """
*{box-sizing:border-box}
html{scroll-padding-top:3.6rem;-webkit-text-size-adjust:100%}
@media(prefers-reduced-motion:no-preference){html{scroll-behavior:smooth}}
body{margin:0;background:var(--paper);color:var(--ink);overflow-wrap:break-word;
font:16px/1.55 ui-sans-serif,system-ui,
-apple-system,"Segoe UI",Roboto,"Helvetica Neue","Liberation Sans",Arial,sans-serif;font-variant-numeric:tabular-nums}
main{max-width:60rem;margin:0 auto;padding:0 1.25rem 5rem}
.top{position:sticky;top:0;z-index:2;display:flex;align-items:center;gap:1.2rem;padding:.55rem 1.25rem;
background:color-mix(in srgb,var(--paper) 92%,transparent);backdrop-filter:blur(8px);
border-bottom:1px solid var(--line);font-size:.85rem}
.top p{margin:0;white-space:nowrap}.top nav{display:flex;gap:1rem;overflow-x:auto;scrollbar-width:none;flex:1}
.top a{color:var(--soft);text-decoration:none;white-space:nowrap}.top a:hover{color:var(--accent)}
button,select,input{font:inherit;color:inherit}button{cursor:pointer}
#theme{background:none;border:0;font-size:1.1rem;line-height:1;padding:.2rem}
:focus-visible{outline:2px solid var(--accent);outline-offset:2px}
section{margin-top:3.4rem}#verdict{margin-top:3rem}
h1{
font:500 clamp(1.6rem,1.1rem + 2.4vw,2.6rem)/1.22 "Iowan Old Style",Charter,"Source Serif 4",Georgia,
"Liberation Serif",
"Times New Roman",serif;letter-spacing:-.012em;margin:.5rem 0 1rem;max-width:24em;text-wrap:balance}
h1.good::before,h1.bad::before{content:"";display:block;width:3.2rem;height:.36rem;border-radius:2px;
background:var(--accent);margin-bottom:1rem}
h1.bad::before{background:var(--bad)}
h2{font:500 1.55rem/1.3 "Iowan Old Style",Charter,Georgia,"Liberation Serif",serif;letter-spacing:-.01em;
margin:0 0 .4rem;padding-top:1.1rem;border-top:1px solid var(--line)}
h3{font-size:1rem;margin:0 0 .4rem}h4{font-size:.78rem;letter-spacing:.06em;text-transform:uppercase;
color:var(--soft);margin:1.1rem 0 .3rem}
p{margin:.4rem 0 .8rem;max-width:46em}.eyebrow{font-size:.85rem;color:var(--soft);margin:0 0 1rem;max-width:none}
.lede{font-size:1.12rem;max-width:40em}
.lede.good{color:var(--accent)}.lede.bad,.bad{color:var(--bad)}.good{color:var(--accent)}h1.good,h1.bad{
color:var(--ink)}
.soft{color:var(--soft)}small{font-size:.8rem}code{font:.88em ui-monospace,Menlo,Consolas,"Liberation Mono",monospace}
.cards{display:flex;flex-wrap:wrap;gap:1px;background:var(--line);border:1px solid var(--line);
border-radius:12px;overflow:hidden;margin-bottom:.8rem}
.card{flex:1 1 max(12rem,calc(100%/var(--per,4) - 6px));background:var(--surface);padding:1.1rem 1.2rem 1.2rem;
display:flex;flex-direction:column;
gap:.3rem}
.card b{font:500 2.3rem/1 "Iowan Old Style",Charter,Georgia,"Liberation Serif",serif;letter-spacing:-.02em}
.card>span:not(.interval){font-size:.92rem;line-height:1.35}.card .soft{font-size:.82rem!important}
.interval{position:relative;display:block;height:.9rem;min-width:7rem;margin:.3rem 0}
.interval::before{content:"";position:absolute;inset:calc(50% - 1px) 0 auto;height:2px;background:var(--line)}
.interval s{position:absolute;top:calc(50% - .2rem);height:.4rem;background:var(--accent3);border-radius:.2rem}
.interval i{position:absolute;top:calc(50% - .36rem);width:.72rem;height:.72rem;margin-left:-.36rem;border-radius:50%;
background:var(--accent);
box-shadow:0 0 0 2px var(--surface)}
.interval em{position:absolute;top:calc(50% - .26rem);width:.52rem;height:.52rem;margin-left:-.26rem;
border-radius:50%;background:var(--surface);border:2px solid var(--quote)}
.interval u{position:absolute;top:0;bottom:0;width:1px;background:var(--soft)}
.interval.zero:not(.good,.bad) i{background:var(--soft)}.interval.zero:not(.good,.bad) s{
background:color-mix(in srgb,var(--soft) 38%,var(--paper))}
.interval.bad i{background:var(--bad)}.interval.bad s{background:color-mix(in srgb,var(--bad) 40%,var(--paper))}
.wide{overflow-x:auto;margin:.6rem 0}table{border-collapse:collapse;width:100%;font-size:.92rem}
th,td{text-align:left;font-weight:400;padding:.42rem .9rem .42rem 0;border-bottom:1px solid var(--line);
vertical-align:top}
thead th{font-size:.8rem;color:var(--soft);vertical-align:bottom;line-height:1.35}.n{text-align:right;
white-space:nowrap}
.cmp .interval{min-width:9rem;display:inline-block;width:46%;vertical-align:middle;margin:0 .6rem 0 0}.fig{
white-space:nowrap}
.verdict{font-size:1.12rem;border-left:.3rem solid var(--line);padding:.5rem 1rem;background:var(--surface);
border-radius:0 8px 8px 0;color:var(--ink)}
.verdict.good{border-color:var(--accent)}.verdict.bad{border-color:var(--bad)}.verdict.mixed{
border-color:var(--quoteline)}
.key{list-style:none;display:flex;flex-wrap:wrap;gap:.2rem 1.2rem;padding:0;margin:1rem 0 .6rem;font-size:.82rem;
color:var(--soft)}
.key .band{display:inline-block;width:.8rem;height:.8rem;border-radius:2px;margin-right:.4rem;vertical-align:-1px}
.frow{display:grid;grid-template-columns:8.5rem minmax(0,1fr) 7.5rem;gap:.9rem;align-items:center;margin:.32rem 0}
.frow b{font-weight:500}.stack{display:flex;height:2.1rem;border-radius:5px;overflow:hidden;gap:1px}
.stack i{flex-basis:0;min-width:2px;font-size:.8rem;font-weight:500;line-height:2.1rem;font-style:normal;
text-align:center;overflow:hidden}
.b0,.ev{background:var(--accent);color:var(--paper)}.b1{background:var(--accent2);color:var(--paper)}.b2{
background:var(--accent3)}.b3{background:var(--accent4)}
.none{background:var(--none);color:var(--soft)}.moves{white-space:nowrap;font-size:.95rem}.pos{color:var(--accent)}
.lost{color:var(--bad);padding:.1rem .3rem}
.neg{border:0;background:none;padding:.1rem .3rem;color:var(--bad);text-decoration:underline;
text-underline-offset:3px}
.heatmap{border-collapse:separate;border-spacing:3px}.heatmap th,.heatmap td{border:0;padding:.3rem .6rem;
vertical-align:middle}
.heatmap thead th{vertical-align:bottom;max-width:8rem}.heatmap th[scope]{padding-left:0;white-space:nowrap}
.heat{background:color-mix(in srgb,var(--accent3) var(--share,0%),var(--low));border-radius:4px!important;
font-size:.85rem;white-space:nowrap}
.heat b{font-weight:600;font-size:.95rem}.heat.none{background:none}
.heatmap button{border:0;background:none;padding:0;text-align:left}.heatmap button:hover{color:var(--accent);
text-decoration:underline}
.heatmap th[scope]{position:sticky;left:0;background:var(--paper);z-index:1}
.pair{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(19rem,100%),1fr));gap:2rem}figure{margin:.6rem 0}
figcaption{font-size:.92rem;margin-bottom:.6rem;max-width:34em;min-height:4.6em}
.curve{width:100%;max-width:28rem;height:auto;font-size:12px;overflow:visible}.curve text{fill:var(--soft)}
.curve .note{fill:var(--ink);font-size:13px}
.grid{stroke:var(--line);fill:none}.line{fill:none;stroke:var(--accent);stroke-width:2;stroke-linejoin:round}.area{
fill:var(--accent);opacity:.1}
.dot{fill:var(--accent);stroke:var(--paper);stroke-width:2}.hit{fill:transparent}.ideal{stroke:var(--soft);
stroke-dasharray:2 4;fill:none}
.whisker{stroke:var(--accent2);stroke-width:1.5}
.demos{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(26rem,100%),1fr));gap:1.4rem 2.4rem;
margin-top:1rem}.demo h3::first-letter{text-transform:uppercase}
.brow{display:grid;grid-template-columns:9.5rem minmax(0,1fr) 8.6rem;gap:.8rem;align-items:center;margin:.28rem 0;
font-size:.92rem}
.brow b{font-weight:500;white-space:nowrap}.brow small{color:var(--soft)}.bar{position:relative;height:.95rem;
background:var(--sunk);border-radius:3px}
.bar i{position:absolute;inset:0 auto 0 0;background:var(--accent2);border-radius:3px}.problem .bar i,.band.problem{
background:var(--quoteline)}
.beside .bar i,.band.beside{background:var(--soft);opacity:.45}
.bar s{position:absolute;top:calc(50% - 1px);height:2px;background:var(--ink);min-width:1px}
.demo .bar s::before,.demo .bar s::after{content:"";position:absolute;top:-3px;height:8px;width:1px;
background:var(--ink)}.bar s::after{right:0}
.demo .brow{grid-template-columns:8.8rem minmax(0,1fr) 9.4rem}
#latency .brow{grid-template-columns:9.5rem minmax(0,1fr) 12.5rem}#latency .bar s{background:var(--accent2)}
.more{margin:.8rem 0}.more>summary,.q>summary{cursor:pointer}.more>summary{color:var(--accent);width:fit-content}
.filters{display:flex;flex-wrap:wrap;gap:.6rem 1rem;align-items:end;margin:1rem 0;font-size:.85rem}.filters label{
display:grid;gap:.2rem;color:var(--soft)}
.filters select,.filters input{background:var(--surface);border:1px solid var(--line);border-radius:6px;
padding:.4rem .55rem;color:var(--ink);min-width:7rem;max-width:100%}
.filters button{background:none;border:1px solid var(--line);border-radius:6px;padding:.4rem .8rem}.filters output{
margin-left:auto;color:var(--soft)}
.q{border-top:1px solid var(--line)}.q[hidden]{display:none}.q>summary{display:grid;
grid-template-columns:3.4rem minmax(0,1fr) auto;gap:.3rem .8rem;padding:.6rem 0;
list-style:none;align-items:baseline}.q>summary::-webkit-details-marker{display:none}.q>summary:hover .ask{
color:var(--accent)}
.id{font:.8rem ui-monospace,Menlo,Consolas,monospace;color:var(--soft)}.tags{display:flex;flex-wrap:wrap;gap:.3rem;
justify-content:flex-end}
.tag{font-size:.76rem;line-height:1.5;padding:.02rem .5rem;border-radius:4px;background:var(--sunk);color:var(--soft);
white-space:nowrap}
.tag.bad{background:var(--badsoft);color:var(--bad)}.tag.good{background:var(--goodsoft);color:var(--accent)}
.tag.mild{color:var(--quote)}
.trace{padding:0 0 1.6rem 4.2rem}.trace h4:first-child{margin-top:.3rem}.q[open]>summary .ask{font-weight:600}
.rail{list-style:none;display:flex;flex-wrap:wrap;gap:0;padding:0;margin:.5rem 0}
.rail li{flex:1 1 6rem;border-top:3px solid var(--accent);padding:.4rem .6rem .2rem 0;font-size:.88rem;
position:relative}
.rail li::before{content:"";position:absolute;top:-8px;left:0;width:13px;height:13px;border-radius:50%;
background:var(--accent);box-shadow:0 0 0 3px var(--paper)}
.rail b{display:block;font-weight:400;color:var(--soft);font-size:.8rem}.rail .out,.rail .deep{
border-color:var(--line);color:var(--bad)}
.rail .out::before{background:var(--paper);border:2px solid var(--bad)}.rail .deep::before{
background:var(--quoteline)}.rail .deep{color:var(--quote)}
blockquote{margin:.3rem 0 .7rem;padding:.1rem 0 .1rem 1rem;border-left:3px solid var(--quoteline);
white-space:pre-line;
font:1.02rem/1.5 "Iowan Old Style",Charter,Georgia,"Liberation Serif",serif}
cite{font:normal .8rem/1.4 ui-monospace,Menlo,Consolas,monospace;color:var(--soft)}blockquote cite{display:block}
ol{padding-left:1.3rem;margin:.3rem 0;font-size:.92rem}ol li{margin:.25rem 0;color:var(--soft)}ol li.hit{
color:var(--ink)}
.answer{white-space:pre-line;background:var(--surface);border:1px solid var(--line);border-radius:8px;
padding:.6rem .9rem}.lack{color:var(--bad)}
.flips{list-style:none;padding:0;font-size:.95rem}.flips li{margin:.3rem 0}
footer{margin-top:3.4rem;border-top:1px solid var(--line);padding-top:.6rem}
dl{display:grid;grid-template-columns:repeat(auto-fill,minmax(13rem,1fr));gap:0 1.6rem;font-size:.85rem;
margin:.5rem 0 1rem}
dl div{display:flex;justify-content:space-between;gap:.6rem;border-bottom:1px solid var(--line);padding:.2rem 0}dt{
color:var(--soft)}dd{margin:0;text-align:right;overflow-wrap:anywhere}
.other dd{color:var(--accent);font-weight:600}
.bare{padding-top:1rem;padding-bottom:1.5rem;max-width:66rem}
@media(max-width:640px){main{padding:0 1rem 3rem}.top{padding:.5rem 1rem;gap:.8rem}.top p b+*{display:none}section{
margin-top:2.4rem}#verdict{margin-top:1.6rem}
.card{flex-basis:max(9rem,calc(100%/var(--per,4) - 6px));padding:.9rem}.card b{font-size:1.8rem}.card .interval{
min-width:0}.wide .interval{min-width:5rem}
.frow{grid-template-columns:1fr auto;gap:.1rem .6rem;margin:.7rem 0}.frow .stack{grid-row:2;grid-column:1/-1}
.brow,.demo .brow,#latency .brow{grid-template-columns:1fr auto;gap:.05rem .6rem;margin:.6rem 0}.brow .bar{grid-row:2;
grid-column:1/-1}
.q>summary{grid-template-columns:minmax(0,1fr)}.q .tags{justify-content:flex-start}.trace{padding-left:0}
.filters label{flex:1 1 8rem}.filters select,.filters input{min-width:0;width:100%}
.gate tr{display:grid;grid-template-columns:minmax(0,1fr) auto;gap:.1rem .6rem;padding:.5rem 0;border-bottom:1px solid
var(--line)}.gate th,.gate td{border:0;padding:0}.gate td:nth-child(2){justify-self:end}.gate td:nth-child(n+3){
grid-column:1/-1}.heatmap th[scope]{white-space:normal;max-width:6.5rem}
.rail li{flex:1 1 30%;margin-bottom:.5rem}figcaption{min-height:0}.cmp .interval{display:block;width:8rem}}
@media print{:root,:root[data-theme=dark],:root:not([data-theme=light]){color-scheme:light;""" + _LIGHT + """;
--paper:#fff;--surface:#fff}
*{-webkit-print-color-adjust:exact;print-color-adjust:exact}body{font-size:10.5pt}main{max-width:none;padding:0}
.top,.filters,#theme{display:none}section{margin-top:1.6rem}.frow,.brow,.card,.demo,figure,tr,blockquote,.rail{
break-inside:avoid}h2,h3,h4{break-after:avoid}
.wide{overflow:visible}.neg,.heatmap button{text-decoration:none}}
"""

SCRIPT = """
(() => {
  const $ = (id) => document.getElementById(id), root = document.documentElement;
  const system = matchMedia("(prefers-color-scheme: dark)");
  const dark = () => root.dataset.theme ? root.dataset.theme === "dark" : system.matches;
  $("theme")?.addEventListener("click", () => { root.dataset.theme = dark() ? "light" : "dark"; });
  addEventListener("message", (event) => {
    if (["light", "dark"].includes(event.data?.theme)) root.dataset.theme = event.data.theme;
  });
  const fields = ["outcome", "lost", "kind"], words = $("f-words"), all = [...document.querySelectorAll("#failed .q")];
  function show() {
    const asked = (words?.value || "").toLowerCase();
    let n = 0;
    for (const q of all) {
      q.hidden = fields.some((name) => $("f-" + name)?.value && q.dataset[name] !== $("f-" + name).value)
        || !q.querySelector(".ask").textContent.toLowerCase().includes(asked);
      n += !q.hidden;
    }
    if ($("f-count")) $("f-count").textContent = n === 1 ? "1 question" : n + " questions";
  }
  function clear() {
    for (const name of fields) if ($("f-" + name)) $("f-" + name).value = "";
    if (words) words.value = "";
  }
  function only(name, value) {
    const field = $("f-" + name);
    if (!field) return;
    clear();
    if ([...field.options].some((option) => option.value === value)) field.value = value;
    show();
    $("questions").scrollIntoView();
  }
  for (const name of fields) $("f-" + name)?.addEventListener("input", show);
  words?.addEventListener("input", show);
  $("f-reset")?.addEventListener("click", () => { clear(); show(); });
  document.addEventListener("click", (click) => {
    const button = click.target.closest("button[data-lost], button[data-kind]");
    if (button) only(button.dataset.lost ? "lost" : "kind", button.dataset.lost || button.dataset.kind);
    const link = click.target.closest("a[href^='#']");
    if (link) { click.preventDefault(); $(link.getAttribute("href").slice(1))?.scrollIntoView(); }
  });
  addEventListener("beforeprint", () => document.querySelectorAll("details.more").forEach((d) => { d.open = true; }));
})();
"""
