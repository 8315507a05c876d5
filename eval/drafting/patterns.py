"""Questions that a sentence, a table row, a list or a heading answers, found by patterns of English.

Each pattern is narrow: where the subject is a pronoun, or leans on a sentence before it, nothing is drafted. So few
sentences give a question, and most of those are ones that a person would keep. Nothing is random.
"""
from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from eval.drafting.words import UNFIT, fit, is_common, lowered, near, phrase, quoted, small, subject_of

KINDS = ("definition", "figure", "table", "list", "why", "fact", "heading")
LONGEST = 38         # words of a sentence that is turned round

_VERBS = {verb: verb.removesuffix("s") for verb in (
    "takes", "costs", "lasts", "weighs", "holds", "contains", "needs", "uses", "requires", "supports", "covers",
    "measures", "stores", "produces", "sends", "allows", "includes", "receives", "employs", "reads", "writes", "gives",
    "keeps", "serves", "seats", "runs")} | {"has": "have"}
_PROPERTIES = {"", "property", "feature", "specification", "parameter", "attribute", "characteristic", "measure",
               "item"}    # heads of a first column under which the things stand side by side
_NO_UNIT = {"in", "on", "at", "of", "for", "and", "or", "to", "per", "a", "an", "by", "as", "with", "when", "from",
            "is", "are"}  # behind a number these are no unit
_NO_COLUMN = {"for", "by", "with", "does", "do", "asks", "says", "better", "worse", "good", "bad", "more", "less",
              "why"}      # heads that no question can ask for

# parts of the patterns
_TIME = "milliseconds?|ms|seconds?|minutes?|hours?|days?|weeks?|months?|years?"
_SPELLED = ("two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|fifteen|twenty|thirty|forty|fifty|sixty|"
            "ninety")
_NUMBER = (rf"(?P<number>(?:[$€£] ?)?(?:\d[\d,]*(?:\.\d+)?|{_SPELLED})(?![\w/^]|[.,]\d)(?: (?:million|billion|"
           r"thousand))?)(?:(?P<percent> ?%| per ?cent)|(?P<unit> (?:(?:working|business|calendar|square|cubic|full|"
           r"consecutive|different|separate) )?[a-zA-Z°µ]+)?)")
_ABOUT = ("(?:(?:about|around|roughly|nearly|almost|up to|at most|at least|exactly|only|over|more than|"
          "less than) )?")
_SUBJECT = r"(?P<subject>[^,;:()—?!]{2,80}?)"
_MODAL = "must not|must|may not|may|cannot|can|should|shall|will"
_MONTH = ("January|February|March|April|May|June|July|August|September|October|November|December")
_DATE = (r"(?:(?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day,? )?(?:the )?(?:\d{1,2}(?:st|nd|rd|th)? (?:of )?)?"
         rf"(?:{_MONTH})(?: \d{{1,2}}(?:st|nd|rd|th)?)?(?:,? \d{{4}})?")
_NAME = r"(?:(?:Dr|Mr|Mrs|Ms|Prof)\.? )?[A-Z][a-zà-ž]+(?: (?:[A-Z]\. )?[A-Z][a-zà-ž'’-]+)*"
_FEW = "two|three|four|five|six|seven|eight"

_IS = re.compile(rf"^{_SUBJECT} (?P<verb>is|are|means|refers to|stands for) (?P<rest>.+)$")
_NO_DEFINITION = re.compile(r"(the|an?) (same|case|only|best|most|example|answer|\w+est)\b")
_COUNTS = re.compile(rf"^{_SUBJECT} (?P<verb>{'|'.join((*_VERBS, *_VERBS.values()))}) {_ABOUT}{_NUMBER}(?P<rest>.*)$")
_AMOUNT = re.compile(rf"^{_SUBJECT} (?P<verb>is|are|was|were) {_ABOUT}{_NUMBER}(?P<rest>.*)$")
_RULE = re.compile(rf"^{_SUBJECT} (?P<modal>{_MODAL}) (?P<does>[^,;:—]+?) "
                   rf"(?:(?P<prep>within|after|for|every|before|in) )?{_ABOUT}{_NUMBER}(?P<rest>.*)$")
_WHEN = re.compile(rf"^{_SUBJECT} (?P<verb>was|were) (?P<done>\w+(?:ed|ilt|ought|own|ritten|old|ade)(?: [a-z]+)?) "
                   rf"(?:in|on) (?P<date>{_DATE}|(?:1[5-9]|20)\d\d)\b")
_DATED = re.compile(rf"^{_SUBJECT} (?P<verb>is|takes place|will be held|will take place|starts|ends|begins|will be) "
                    rf"(?:on|at|in|by) (?P<date>{_DATE})\b")
_WHO = re.compile(rf"^(?P<name>{_NAME}) (?P<verb>will|is to|agreed to|offered to|promised to|presented|reported that|"
                  r"proposed to|proposed) (?P<does>[^,;:—]{12,120}?)[.]?$")
_DECIDED = re.compile(rf"^{_SUBJECT} (?P<verb>decided|agreed|voted|resolved) to (?P<does>[a-z]+) "
                      r"(?P<object>.{6,160})$")
_TASK = re.compile(rf"^(?P<name>{_NAME}): (?P<does>[a-z].{{8,160}}?)[.]?$")
_BECAUSE = re.compile(rf"^{_SUBJECT} (?P<verb>is|are|was|were|{_MODAL}) (?P<does>[^;:—]{{4,110}}?),? because "
                      r"(?P<why>.{8,})$")
_INCLUDES = re.compile(rf"^{_SUBJECT} (?P<verb>includes?|contains?|consists? of|covers?|supports?|offers?|needs?|"
                       rf"requires?|lists?) (?:the following(?: \w+)?|these(?: \w+)?|(?P<n>{_FEW}) [\w ]+)?:$")
_STEPS = re.compile(r"^To (?P<does>[a-z][^,:]{6,80})(?:, (?:follow|do|take|proceed)[^:]*|, [^:]{0,40})?:$")
_THERE_ARE = re.compile(rf"^There are (?P<n>{_FEW}|\d) (?P<what>[^,:.]{{4,70}}?):$")


@dataclass(frozen=True)
class Drafted:
    """A question with the wordings of its key facts: each fact stands in the passage."""

    kind: str
    question: str
    facts: tuple[tuple[str, ...], ...]


def from_sentence(reading: str, known: str) -> Iterator[Drafted]:
    """Questions that one sentence answers, the surest first.

    reading  the sentence in plain words, on one line
    known    the document's text, by which names are told from words
    """
    words = reading.split()
    if not 4 <= len(words) <= LONGEST or (not reading[0].isupper() and not reading[0].isdigit()):
        return
    bare = reading.rstrip(".")
    for make in (_rules, _figures, _dates, _people, _definitions, _reasons):
        for kind, question, facts in make(bare, known):
            if fit(question):
                yield Drafted(kind, question, facts)


Found = Iterator[tuple[str, str, tuple[tuple[str, ...], ...]]]


def _definitions(bare: str, known: str) -> Found:
    match = _IS.match(bare)
    if not match or not (subject := subject_of(match["subject"], known)):
        return
    rest, verb = match["rest"], match["verb"]
    article = re.match(r"(an?|the|any|one of the) ", rest)
    if verb in ("is", "are") and (not (article or verb == "are") or _NO_DEFINITION.match(rest)):
        return
    if verb == "are" and not re.match(r"[a-z]+(s|ed) (that|which|of|with|who|in|for)\b", rest):
        return
    first = subject.split()[0]
    if verb in ("is", "are") and first in ("the", "our", "your", "its") and len(subject.split()) < 3:
        return
    fact = phrase(rest)
    if not fact:
        return
    if verb in ("means", "refers to"):
        yield "definition", f"What does {quoted(subject)} mean?", ((fact,),)
    elif verb == "stands for":
        yield "definition", f"What does {subject} stand for?", ((fact,),)
    else:
        yield "definition", f"What {verb} {subject}?", ((fact,),)


def _figures(bare: str, known: str) -> Found:
    if (match := _COUNTS.match(bare)) and (subject := subject_of(match["subject"], known)):
        verb = match["verb"]
        do, lemma = ("does", _VERBS[verb]) if verb in _VERBS else ("do", verb)
        unit, rest = _unit(match)
        fact = ((_wording(match),),)
        if match["percent"]:
            yield "figure", f"What percentage {rest or ''} {do} {subject} {lemma}?", fact
        elif match["number"][0] in "$€£" or lemma == "cost":
            yield "figure", f"How much {do} {subject} {lemma}{f' {rest}' if rest else ''}?", fact
        elif re.fullmatch(_TIME, unit.split()[-1] if unit else "") and lemma in ("take", "last", "keep", "run"):
            yield "figure", f"How long {do} {subject} {lemma}{f' {rest}' if rest else ''}?", fact
        elif unit and unit.split()[-1].endswith("s") and lemma not in ("take", "last", "cost"):
            yield "figure", f"How many {unit} {do} {subject} {lemma}{f' {rest}' if rest else ''}?", fact
    elif (match := _AMOUNT.match(bare)) and (subject := subject_of(match["subject"], known)):
        rest, fact = match["rest"].strip(), ((_wording(match),),)
        if how := re.match(r"(long|wide|high|deep|heavy|old|tall|thick|away)\b", rest):
            yield "figure", f"How {'far away' if how[1] == 'away' else how[1]} {match['verb']} {subject}?", fact
        elif subject.split()[0] in ("the", "our", "your") and len(subject.split()) > 2 and (
                match["unit"] or match["percent"] or "." in match["number"] or match["number"][0] in "$€£"):
            tail = f" {close}" if (close := _unit(match)[1]) else ""
            yield "figure", f"What {match['verb']} {subject}{tail}?", fact


def _rules(bare: str, known: str) -> Found:
    match = _RULE.match(bare)
    if not match or not (subject := subject_of(match["subject"], known)) or match["percent"]:
        return
    (unit, rest), does, modal, prep = _unit(match), match["does"], match["modal"], match["prep"]
    if not unit or re.search(r"\b(be|to|of|the|a|an|and|or|is|than)$", does) or not unit.split()[-1].endswith("s") \
            or UNFIT & set(does.lower().split()):
        return
    fact = ((_wording(match),),)
    tail = f" {rest}" if rest else ""
    aux, negation = modal.removesuffix(" not"), " not" if modal.endswith(" not") else ""
    timed = re.fullmatch(_TIME, unit.split()[-1])
    if prep == "every" and timed:
        yield "figure", f"How often {aux} {subject}{negation} {does}?", fact
    elif prep == "for" and timed:
        yield "figure", f"For how long {aux} {subject}{negation} {does}{tail}?", fact
    elif prep in ("within", "after", "before", "in") and timed:
        yield "figure", f"{prep.capitalize()} how many {unit}{tail} {aux} {subject}{negation} {does}?", fact
    elif not prep:
        yield "figure", f"How many {unit}{tail} {aux} {subject}{negation} {does}?", fact


def _dates(bare: str, known: str) -> Found:
    if (match := _WHEN.match(bare)) and (subject := subject_of(match["subject"], known)):
        yield "figure", f"When {match['verb']} {subject} {match['done']}?", ((match["date"],),)
    elif (match := _DATED.match(bare)) and (subject := subject_of(match["subject"], known)):
        aux, *rest = {"is": ["is"], "takes place": ["does", "take place"], "starts": ["does", "start"],
                      "ends": ["does", "end"],
                      "begins": ["does", "begin"]}.get(match["verb"], match["verb"].split(" ", 1))
        yield "figure", f"When {aux} {subject}{''.join(f' {word}' for word in rest)}?", ((match["date"],),)


def _people(bare: str, known: str) -> Found:
    if (match := _WHO.match(bare)) and not is_common(match["name"].split()[0], known) \
            and not re.search(r"\b(it|this|that|these|them|they)\b", match["does"]):
        yield "fact", f"Who {match['verb']} {match['does']}?", ((match["name"],),)
    elif (match := _DECIDED.match(bare)) and (subject := subject_of(match["subject"], known)):
        verb = {"decided": "decide", "agreed": "agree", "voted": "vote", "resolved": "resolve"}[match["verb"]]
        if fact := phrase(re.split(r" (?:to|for|from|by|in|on|at|with|until|instead) ", match["object"])[0], 5):
            yield "fact", f"What did {subject} {verb} to {match['does']}?", ((fact,),)


def from_item(reading: str, known: str) -> Iterator[Drafted]:
    """Of a list's item that gives a person a task, as minutes do: what that person is to do."""
    match = _TASK.match(reading)
    if match and not is_common(match["name"].split()[0], known) and (fact := phrase(match["does"], 5)):
        yield Drafted("fact", f"What is {match['name']} to do?", ((fact,),))


def _reasons(bare: str, known: str) -> Found:
    match = _BECAUSE.match(bare)
    if match and (subject := subject_of(match["subject"], known)) and (fact := phrase(match["why"])) \
            and not re.search(r"\b(because|but|and|or)\b", match["does"]):
        aux, negation = match["verb"].removesuffix(" not"), " not" if match["verb"].endswith(" not") else ""
        yield "why", f"Why {aux} {subject}{negation} {match['does']}?", ((fact,),)


def from_row(names: Sequence[str], cells: Sequence[str], known: str) -> Iterator[Drafted]:
    """Questions that a table's row answers: one for each column that can be asked for, in the columns' order."""
    if len(names) != len(cells) or len(cells) < 2 or len(cells[0]) > 70 \
            or not re.search(r"[A-Za-z]{2}|[A-Z]\d", cells[0]):
        return
    of = cells[0] if re.match(r"[A-Z]{2}|\d", cells[0]) else lowered(cells[0], known)
    if names[0].lower() in _PROPERTIES:   # the things stand side by side, their properties below one another
        for name, cell in zip(names[1:], cells[1:], strict=True):
            if re.match(r"[A-Z]\w", name) and re.search(r"\w", cell) and 1 < len(cell) <= 60 and len(of.split()) < 5:
                yield Drafted("table", f"What is the {small(cells[0], known)} of the {name}?", ((cell,),))
        return
    for name, cell in zip(names[1:], cells[1:], strict=True):
        if not re.match(r"[A-Za-z]\w", name) or len(name.split()) > 6 or not 1 < len(cell) <= 60 \
                or not re.search(r"\w", cell) or re.fullmatch(r"(yes|no|none|n/a|any|all|the same)", cell, re.I) \
                or name.lower() in _NO_COLUMN:
            continue
        asked = small(name, known)
        head = re.split(r" (?:of|per|for|in) ", asked)[0].split()
        if re.fullmatch(r"what to do\??", name, re.I):
            yield Drafted("table", f"What should be done about {quoted(of)}?", ((cell,),))
        elif re.match(r"(what|where|which|how|when|who) (is|are|gets?|should|can|must|happens)\b", name, re.I):
            yield Drafted("table", f"For {quoted(of)}, {name[0].lower()}{name[1:].rstrip('?')}?", ((cell,),))
        elif re.match(r"(what|where|which|how|when|who|why)\b", name, re.I):
            continue
        elif len(head) > 3 or {"that", "with", "from", "to", "by", "first", "last", "on", "at"} & set(asked.split()) \
                or (len(head) > 1 and head[-1].endswith(("ed", "ing"))) or not head[-1].isalpha():
            yield Drafted("table", f"What does the table give as “{asked}” for {quoted(of)}?", ((cell,),))
        else:
            many = re.search(r"[a-z][^su]s$", head[-1])
            yield Drafted("table", f"What {'are' if many else 'is'} the {asked} of {quoted(of)}?", ((cell,),))


def from_list(lead: str, items: Sequence[str], known: str) -> Drafted | None:
    """The question that a list answers; `lead`, which ends in a colon, says what it is of."""
    facts = tuple((_item_fact(item),) for item in items)
    if not 2 <= len(items) <= 8 or not all(fact[0] for fact in facts):
        return None
    if match := _STEPS.match(lead):
        question = f"How do you {match['does']}?"
    elif match := _THERE_ARE.match(lead):
        question = f"What are the {match['n']} {match['what']}?"
    elif (match := _INCLUDES.match(lead)) and (subject := subject_of(match["subject"], known)):
        verb, _, of = match["verb"].partition(" ")
        do, lemma = ("does", verb[:-1]) if verb.endswith("s") else ("do", verb)
        question = f"What {do} {subject} {lemma}{f' {of}' if of else ''}?"
    else:
        return None
    return Drafted("list", question, facts) if fit(question) else None


def from_heading(heading: str, known: str) -> str:
    """The question that a heading asks, or ""."""
    heading = re.sub(r"^(\d+(\.\d+)*\.?|[A-Z]\.)\s+", "", heading).strip()
    if heading.endswith("?") and len(heading.split()) > 2 and fit(heading):
        return heading
    if match := re.match(r"How to ([a-z].+)$", heading):
        return f"How do you {match[1]}?"
    if match := re.match(rf"Why {_SUBJECT} (matters|works|fails|breaks|helps|hurts)$", heading):
        return f"Why does {match['subject']} {match[2].removesuffix('s')}?"
    if match := re.match(rf"How {_SUBJECT} works$", heading):
        return f"How does {match['subject']} work?"
    return ""


def _unit(match: re.Match) -> tuple[str, str]:
    """(the unit of a number, what follows it closely); "85 per person" has none and "per person"."""
    unit = (match["unit"] or "").strip()
    return ("", near(f" {unit}{match['rest']}")) if unit in _NO_UNIT else (unit, near(match["rest"]))


def _wording(match: re.Match) -> str:
    """The number with its unit, as it stands."""
    return f"{match['number']}{match['percent'] or ''} {_unit(match)[0]}".strip()


def _item_fact(item: str) -> str:
    """What an answer must hold of a list's item: its label, else its first words."""
    label = re.match(r"([^:.—]{2,50})(?::| —| –) ", item)
    return label[1].strip() if label else phrase(item, 5) or " ".join(item.rstrip(".").split()[:3])
