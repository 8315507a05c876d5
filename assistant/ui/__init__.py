"""The Gradio interface. `page.py` builds one page of panels; a panel is a function of an Assistant.

page.py     the page: header, tabs, serving          chat.py       the Chat panel: layout and events
corpus.py   the Corpus panel                         settings.py   settings of the next question
conversation_list.py  the left column                thread.py     the middle column as HTML
inspector.py  the right column as HTML               answer.py, prose.py  text as HTML
jobs.py     answers in the making                    theme.py, style.css, page.js  looks and manners
work.py     what a page follows while it is made     evals.py      in the place of the Eval panel where there is none
"""
