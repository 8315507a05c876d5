"""A follow-up question made to stand alone, by rules that leave a reason in words.

"And IVF?" after "How does HNSW search?" is searched as "How does IVF search?". No language model is asked: a small
one rewrites questions wrongly, and a rule can be read in the trace. A question that stands alone is left as it is.
"""
from __future__ import annotations

import re
from collections.abc import Sequence

from assistant.records import Message
from assistant.text.names import NAME, names
from assistant.text.words import NOT_IT, STOP

_OPENING = re.compile(r"^(and|or|but|so|ok(ay)?|then|also|no|yes|hm+|what about|how about)\b[\s,.!:-]*"
                      r"(what about|how about)?\s*", re.I)
_CLOSING = re.compile(r"[\s,]+(then|though|too|as well|instead)(?=[?.!]*$)", re.I)
_ORDINAL = re.compile(r"\bthe (?:(first|former)|(second|latter|last))"
                      r"(?: (?:one|of (?:these|those|them)(?: two)?))?"
                      r"(?=[\s?.!,]*$| (?:is|are|was|do|does|has|have|in|for|with|of)\b)", re.I)
_PRONOUN = re.compile(rf"\b{NOT_IT}(it|its|they|them|their|theirs|he|she|him|his|her|hers)\b", re.I)
_ASKS = re.compile(r"(what|which|who|where|when|why|how|do|does|did|is|are|was|were|can|could|should)\b", re.I)
_RELATIVE = re.compile(r"\b(opposite|second|next|same|first|previous|last|remaining)\b", re.I)
_BACK = re.compile(rf"\b{NOT_IT}(it|its|they|them|theirs?|he|she|him|his|her|hers|this|that|these|those|there|then|"
                   r"such|same|both|either|other|instead)\b", re.I)
_EXPLETIVE = re.compile(r"\bit\b(?= (cost|take|make|help|matter|hurt|pay|worth|possible|true|better|necessary|safe|"
                        r"enough|easy|hard|wise|a good idea|the case|called)[^?.]*\b(to|that|if|when|for)\b)", re.I)
_QUOTED = re.compile(r"(?<!\w)['\"‘“][^'\"‘’“”]*(?:n['’]t[^'\"‘’“”]*)?['\"’”](?!\w)")
_POINTER = re.compile(r"\b(this|that|these|those)\b(?=\s*([?.!,]|$|is\b|are\b|was\b|do(es)?\b|mean|work|help|happen|"
                      r"matter|cost|fix|one\b|method\b|approach\b|problem\b|model\b|algorithm\b|two\b|failure\b))",
                      re.I)
_CHOICE = re.compile(r"\b((the|which|this|that|any|another|what about)( [\w-]+)? ones?|the others?|the former|"
                     r"the latter|(of|to|for|between|are|do) (both|either|neither)|"
                     r"(both|either|neither)( of them)?$|the rest)\b",
                     re.I)
_REQUEST = re.compile(r"^\W*(please |can you |could you )*(explain|describe|define|tell me( more)?( about)?|show( me)?|"
                      r"what('s| is| are)|summari[sz]e)\b|\bplease\b", re.I)
_EXISTS = re.compile(r"^\W*(is|are) there\b|^\W*(which|who(?! (is|are|was|were) (?-i:[A-Z]))|name|anything)\b", re.I)
_PAIR = re.compile(r"\b([\w-]+)(?:s)? (?:and|or|vs\.?|versus) (?:an? |the )?([\w-]+)", re.I)
_PREPOSITION = r"(?:for|in|with|on|by|at|from|during|without|under|over)"
_MORE = re.compile(r"^(why( not| so| is that)?|how( so| come| does that work)?|(can you |please )*(explain|elaborate|"
                   r"tell me more|say more|go on|give (me )?(an |another |some )?examples?|for example|"
                   r"more( details?)?|"
                   r"in what way|since when|when|where|who|which( one)?s?|really|are you sure|what else|anything else|"
                   r"summari[sz]e( that| it)?)( please)?)[\s?.!]*$", re.I)
_ASPECT = re.compile(r"^(?:an? |the |any |some )?(?:[\w-]+ )?(?:remed(?:y|ies)|fix(?:es)?|solutions?|cures?|causes?|"
                     r"reasons?|symptoms?|prices?|costs?|advantages?|disadvantages?|drawbacks?|downsides?|benefits?|strengths?|"
                     r"weaknesse?s?|limits?|limitations?|formulas?|definitions?|examples?|purpose|consequences?|risks?)$",
                     re.I)
_OPPOSITES = {}
for _a, _b in (("small", "large"), ("short", "long"), ("first", "last"), ("cheap", "expensive"), ("fast", "slow"),
               ("low", "high"), ("old", "new"), ("exact", "approximate"), ("query", "document"), ("image", "text"),
               ("offline", "online"), ("smallest", "largest"), ("cheapest", "most expensive"), ("worst", "best"),
               ("smaller", "larger"), ("lower", "higher"), ("shorter", "longer"), ("bigger", "smaller")):
    _OPPOSITES[_a], _OPPOSITES[_b] = _b, _a
ALONE = 3  # content words from which on a question without a pronoun stands alone
MAX_QUERY = 400  # characters; enough for two questions


def contextualise(question: str, history: Sequence[Message]) -> tuple[str, str]:
    """(what to search, why it differs from the question, "" if it does not)."""
    earlier = [turn["content"] for turn in history if turn.get("role") == "user" and turn.get("content", "").strip()]
    if not earlier:
        return question, ""
    before = _standing_alone(earlier)
    replies = [turn["content"] for turn in history if turn.get("role") == "assistant"]
    query, reason = _resolve(question.strip(), before, replies[-1] if replies else "")
    return (query[:MAX_QUERY], reason) if query != question.strip() else (question, "")


def together(question: str, history: Sequence[Message]) -> str:
    """Another reading of a follow-up that `contextualise` left as it is although a word of it may point back: the
    question with what the one before it was about. "" where nothing points back.
    """
    earlier = [turn["content"] for turn in history if turn.get("role") == "user" and turn.get("content", "").strip()]
    if not earlier or not _leans(question):
        return ""
    about = [word for word in _content(_standing_alone(earlier)) if word not in _content(question)]
    return f"{question.rstrip('?.! ')} {' '.join(dict.fromkeys(about))}"[:MAX_QUERY] if about else ""


def asks_on(question: str, history: Sequence[Message]) -> bool:
    """Whether it asks for more of what was just answered ("why?", "tell me more"), so that repeating is no answer."""
    bare = re.sub(r"^(and|but|so|ok(ay)?)[\s,]+", "", question.strip(), flags=re.I)
    return bool(_MORE.match(bare)) and any(turn.get("role") == "assistant" for turn in history)


def _standing_alone(earlier: Sequence[str]) -> str:
    """The last user's question, itself made to stand alone with those before it."""
    query = earlier[0]
    for question in earlier[1:]:
        before, (query, _) = query, _resolve(question.strip(), query, "")
        if query == question.strip() and _leans(question) and len(_content(question)) < ALONE:
            query = f"{query.rstrip('?.! ')} {' '.join(_content(before))}"
    return query


def _leans(question: str) -> bool:
    """Whether it may lean on what was said before: a word points back, or it has few words and names nothing."""
    return bool(_BACK.search(_QUOTED.sub(" ", question))) or \
        (len(_content(question)) <= ALONE and not NAME.search(question[:1].lower() + question[1:]))


def _resolve(question: str, before: str, reply: str) -> tuple[str, str]:
    bare = re.sub(r"^(and|but|so|ok(ay)?)[\s,]+", "", question, flags=re.I)
    if _MORE.match(bare):
        return f"{bare.rstrip('?.! ')} {before}", f"\"{question}\" asks on about \"{before}\""
    opening = _OPENING.match(question)
    rest = _CLOSING.sub("", question[opening.end():] if opening else question)
    words = _content(rest)
    if (ordinal := _ORDINAL.search(rest)) and (named := _named_by(ordinal, before)):
        return rest[:ordinal.start()] + named + rest[ordinal.end():], f"\"{ordinal[0]}\" stands for \"{named}\""
    if _CHOICE.search(rest.rstrip("?.! ")):
        return _chosen(rest, before, reply, question)
    pronoun = _pronoun(rest)
    if _POINTER.search(rest) and not pronoun:
        return (f"{rest.rstrip('?.! ')} {' '.join(_content(before))}",
                f"\"{_POINTER.search(rest)[0]}\" is read with \"{before}\"")
    if pronoun:
        subject = _subject(before, reply)
        if not subject:
            about = [*_content(before), *_content(re.split(r"[.!?;:]", reply)[0])]
            return f"{rest.rstrip('?.! ')} {' '.join(dict.fromkeys(about))}", f"read together with \"{before}\""
        if all(word in words for word in _content(subject)):
            return question, ""
        owns = pronoun[0].lower() in ("its", "their", "his") or re.match(r"her \w", rest[pronoun.start():], re.I)
        said = subject + ("'s" if owns else "")
        return rest[:pronoun.start()] + said + rest[pronoun.end():], f"\"{pronoun[0]}\" stands for \"{subject}\""
    if opening and len(words) <= ALONE and (_ASKS.match(rest) or _RELATIVE.search(rest)):
        return (f"{rest.rstrip('?.! ')} {' '.join(_content(before))}",
                f"\"{question}\" is read together with \"{before}\"")
    if opening and len(words) <= ALONE and "," in rest:
        return (f"{rest.rstrip('?.! ')} {' '.join(_content(before))}",
                f"\"{question}\" is read together with \"{before}\"")
    if opening and len(words) <= ALONE:
        return _instead(rest.rstrip("?.! "), before, question)
    if len(words) < 2 and not NAME.search(rest) and len(rest.split()) <= 4:
        return f"{rest.rstrip('?.! ')} {before}", f"\"{question}\" is read together with \"{before}\""
    return question, ""


def _named_by(ordinal: re.Match, before: str) -> str:
    """Of exactly two things that the earlier question names the one that "the first" or "the second" stands for."""
    named = names(before)
    if len(named) != 2:
        return ""
    return named[0] if ordinal[1] else named[1]


def _pronoun(question: str) -> re.Match | None:
    """The pronoun that points back before the question; None for "is it possible to", 'I love it' in quotes, or one
    that stands for something named in the question before it ("When a text changes, who embeds it again?")."""
    blank = _QUOTED.sub(lambda m: " " * len(m[0]), question)
    blank = _EXPLETIVE.sub("  ", blank)
    found = _PRONOUN.search(blank)
    return found if found and len(_content(blank[:found.start()])) < ALONE else None


def _chosen(rest: str, before: str, reply: str, question: str) -> tuple[str, str]:
    """"the large one", "the other one", "which one ...?"."""
    swapped = before
    for word in re.findall(r"[a-z]+", rest.lower()):
        other = _OPPOSITES.get(word)
        if other and re.search(rf"(?<![a-z]){other}(?![a-z])", before, re.I):
            swapped = re.sub(rf"(?<![a-z]){other}(?![a-z])", word, swapped, flags=re.I)
    if swapped != before:
        return _asked_of(rest, swapped), f"\"{question}\" asks \"{before}\" of the other of two"
    if re.search(r"\bother", rest, re.I):
        last = re.split(r"(?<=[.!?])\s+", before)[-1]
        for one, two in _PAIR.findall(before):
            for asked, unasked in ((one, two), (two, one)):
                if asked.rstrip("s").lower() in last.lower() and unasked.rstrip("s").lower() not in last.lower():
                    swapped = re.sub(re.escape(asked.rstrip("s")), unasked.rstrip("s"), last, flags=re.I)
                    return _asked_of(rest, swapped), f"\"the other\" stands for \"{unasked}\""
        known = {name.lower() for name in names(before)}
        fresh = [name for name in names(reply) if name.lower() not in known]
        if fresh and known:
            return _asked_of(rest, _swap(before, fresh[0])), f"\"the other\" stands for \"{fresh[0]}\""
    return f"{rest} {' '.join(_content(before))}", f"\"{question}\" is read together with \"{before}\""


def _asked_of(rest: str, swapped: str) -> str:
    """The earlier question with its subject changed, or the new question about that subject where it asks anew."""
    asks = [word for word in _content(rest) if word not in _OPPOSITES
            and word.lower() not in ("one", "ones", "other", "others", "former", "latter")]
    if not asks:
        return swapped
    named = names(swapped)
    return f"{rest.rstrip('?.! ')} {' '.join(named or _content(swapped))}"


def _instead(fragment: str, before: str, question: str) -> tuple[str, str]:
    """"And IVF?": the earlier question asked of something else."""
    for word in fragment.lower().split():
        other = _OPPOSITES.get(word)
        if other and re.search(rf"(?<![a-z]){other}(?![a-z])", before, re.I):
            return (re.sub(rf"(?<![a-z]){other}(?![a-z])", word, before, flags=re.I),
                    f"\"{question}\" asks \"{before}\" of the other of two")
    if re.match(_PREPOSITION + r"\b", fragment, re.I):
        cut = re.sub(rf"\s{_PREPOSITION}\s(?!.*\s{_PREPOSITION}\s).*$", "", before.rstrip("?.! "), flags=re.I)
        return f"{cut} {fragment}", f"\"{question}\" asks \"{before}\" of another case"
    if _ASPECT.match(fragment) and (about := _whose(before)):
        return (f"What {'are' if fragment.endswith('s') else 'is'} {fragment} of {about}?",
                f"\"{question}\" asks for that of \"{about}\"")
    if len(names(before)) == 1 or _asked_subject(before):
        return _swap(before, fragment), f"\"{question}\" asks \"{before}\" of \"{fragment}\""
    return f"{fragment} {before}", f"\"{question}\" is read together with \"{before}\""


def _swap(before: str, name: str) -> str:
    named = names(before)
    old = named[0] if named else _asked_subject(before)
    if old:  # a name goes with what a hyphen ties to it: "E5-mistral"; an article and a noun are not said twice
        noun = re.escape(name.split()[-1])
        return re.sub(rf"((?:an?|the)\s+)?(?<![\w-]){re.escape(old)}[\w-]*(?:\s+{noun}\b)?",
                      lambda m: name if re.match(r"(an?|the)\s", name, re.I) else (m[1] or "") + name,
                      before, count=1, flags=re.I)
    return f"{name} {before}"


def _asked_subject(question: str) -> str:
    """"mean pooling" of "What is mean pooling?": what a plain question asks about."""
    match = re.match(r"(?:what|who) (?:is|are|does|do) (?:an? |the )?(.+?)(?: mean| do| stand for| work)?\s*\??$",
                     question.strip(), re.I)
    return match[1].rstrip(" -–—:;,") if match else ""


def _whose(question: str) -> str:
    """"domain mismatch" of "What is domain mismatch?" and of "What is the symptom of domain mismatch?"."""
    subject = _asked_subject(question)
    return re.split(r"\b(?:of|for|behind) (?:an? |the )?", subject, maxsplit=1)[-1] or " and ".join(names(question)[:2])


def _subject(before: str, reply: str) -> str:
    """What a pronoun most likely stands for: a name that the reply brought up, the earlier question's name or subject.

    "" where the earlier question names nothing that could be put in its place.
    """
    named = names(before)
    fresh = [name for name in names(re.split(r"(?<=[.!?])\s", reply)[0]) if name not in named]
    if _EXISTS.match(before) and fresh:
        return fresh[0]
    if named:
        return " and ".join(named[:2])
    content = _content(before)
    return _asked_subject(before) or (" ".join(content) if len(content) <= ALONE else "")


def _content(text: str) -> list[str]:
    return [word for word in re.findall(r"[\w-]+", _REQUEST.sub(" ", text)) if word.lower() not in STOP]
