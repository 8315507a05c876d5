"""The words of drafted questions: subjects that can stand inside one, the part of a phrase that an answer must hold."""
from __future__ import annotations

import re

FACT_WORDS = 8       # of a definition or a reason, at most


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_DETERMINERS = _words("the a an each every all our your its any both no most")
UNFIT = _words("this that these those it they he she we i you there here which who what whose where when while if "
               "because and or but so then however also such one ones others same another former latter is are was "
               "were has have had does do did will must may can should not")  # no subject holds one
# a subject or fact of these alone names nothing
_VAGUE = _words("result results reason reasons problem problems point points difference answer answers question "
                "example examples fix rest thing things idea goal aim effect trick cause lesson way first second "
                "third last next other whole same only key main new old best worst simplest figure table chapter "
                "section number numbers matter different value values case cases word words cost")
_SMALL = _words("a an the of to in on at for with by from and or is are was were be been as that which than how what "
                "when who why where does do did many much long it its")
_LEADING = _words("in on at for with by from of to as after before since under")


def fit(question: str) -> bool:
    """Whether a question says by itself what it asks: of a readable length, about something named, no pronoun."""
    words = re.findall(r"[\w'’%°-]+", question)
    weighty = [word for word in words[1:] if word.lower() not in _SMALL | UNFIT]
    return 3 <= len(words) <= 24 and len(question) <= 170 and "  " not in question \
        and not re.search(r"\b(this|these|those|it|they|them|its|their|he|she|his|her|we|us|here|above|below)\b",
                          question, re.I) and (len(weighty) > 1 or (bool(weighty) and _specific(weighty[0])))


def _specific(word: str) -> bool:
    return word.lower() not in _VAGUE and (len(word) > 3 or word.isupper())


def subject_of(text: str, known: str) -> str:
    """The subject as it stands inside a question, "" where it cannot."""
    text = text.strip()
    words = text.split()
    low = [word.lower().strip("\"“”'") for word in words]
    weighty = [word for word in low if word not in _DETERMINERS and word not in _SMALL]
    if not words or len(words) > 9 or UNFIT & set(low) or not weighty or text.count('"') % 2 \
            or text.count("“") != text.count("”"):
        return ""
    if all(word in _VAGUE for word in weighty) or low[-1] in _SMALL | {"also", "only", "often", "usually", "already"} \
            or re.search(r"(ly|ing)$", low[0]) or re.match(r"[A-Za-z]+ed\b", words[0]) \
            or low[0] in _LEADING:
        return ""
    return lowered(text, known)


def lowered(text: str, known: str) -> str:
    """The text as it stands in the middle of a sentence: its first letter small, unless it begins with a name."""
    words = text.split()
    first = words[0].strip("\"“”")
    plain = first[1:].islower() or first == "A"
    among = len(words) > 1 and words[1][:1].islower() and not _a_name(first, known)
    plural = first.endswith("s") and not _a_name(first, known)
    return text[0].lower() + text[1:] if plain and (is_common(first, known) or among or plural) else text


def small(label: str, known: str) -> str:
    """A column's or a property's label inside a sentence: small, unless the document writes it as a name."""
    first = label.split()[0]
    return label if not first[1:].islower() or _a_name(first, known) else label[0].lower() + label[1:]


def _a_name(word: str, known: str) -> bool:
    """Whether the document writes the word with a capital in the middle of a sentence."""
    return bool(re.search(rf"(?<=[a-z,] ){re.escape(word)}\b", known))


def is_common(word: str, known: str) -> bool:
    """Whether a capitalised word is no name: a determiner, or written small elsewhere in the document."""
    return word.lower() in _DETERMINERS or bool(re.search(rf"(?<![\w-]){re.escape(word.lower())}(?![\w-])", known))


def quoted(name: str) -> str:
    return f"“{name}”" if len(name.split()) > 3 and not re.match(r"(the|an?|our|your) ", name) else name


def near(rest: str) -> str:
    """What follows a number closely enough to belong into the question: "per user", "of paid leave"."""
    match = re.match(r" ((?:of|for|per|a|an|in|on|at|to|from|after|before|between|without|during|with) "
                     r"[^,;:—()\d]{2,60})$", rest)
    return match[1] if match and len(match[1].split()) <= 8 and not UNFIT & set(match[1].lower().split()) else ""


def phrase(text: str, most: int = FACT_WORDS) -> str:
    """The part of a phrase that an answer must hold: to its first break, without its article; "" if it says little."""
    text = re.sub(r"^(an?|the|any) ", "", text.strip())
    head = re.split(r"[,;:—(]| (?:that|which|who|whose|where|when|because|so|while|but|and then) ", text)[0].strip(" .")
    weighty = [word for word in re.findall(r"[\w-]+", head) if word.lower() not in _SMALL]
    if len(weighty) < 2:
        head = text.split(",")[0]
    words = head.split()[:most]
    while words and (words[-1].lower() in _SMALL or words[-1].isdigit()):
        words.pop()
    vague = all(word.lower() in _VAGUE | _SMALL for word in words)
    return " ".join(words).strip(" .:") if len(words) > 1 and not vague else ""
