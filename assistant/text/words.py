"""Words that say nothing by themselves."""
from __future__ import annotations

STOP = frozenset("""a about an and any are as at be been but by can could did do does for from had has have how i if
in into is it its just me my of on or our please shall should so some such tell than that the their them then there
these they this those to us was we were what when where which who whom whose why will with would you your""".split())  # noqa: SIM905

NOT_IT = r"(?!(?-i:IT)\b)"  # in a pattern that ignores case: "it", and not the department
