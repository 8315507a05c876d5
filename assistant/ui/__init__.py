"""The Gradio interface. `page.py` builds one page of panels; a panel is a function of an Assistant.

page.py               the page: header, tabs, serving      chat.py        the Chat panel: layout and events
conversation_list.py  its left column                      thread.py      its middle column as HTML
answer_view.py        its right column                     inspector.py   that one as HTML
jobs.py               answers in the making                settings.py    settings of the next question
traces.py             the Traces panel                     trace_view.py, trace_pictures.py  it as HTML and SVG
replay_form.py        settings of a replay                 corpus.py      the Corpus panel
lab.py                the Lab panel                        lab_inputs.py, lab_runs.py, lab_view.py  a demo's parts
evals.py              stands in for a missing Eval panel   work.py        what a page follows while it is made
warmth.py             how far the models are loaded        answer.py, prose.py, icons.py  text and icons as HTML
fragment.py           HTML as a component                  theme.py, *.css, *.js  looks and manners
"""
