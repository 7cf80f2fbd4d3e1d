"""Whether two questions ask the same, word for word but for how it is put. Pure.

The other way round than a list of what may not differ: everything may not, except for what is known here to change no
answer (politeness, how a question is opened, contractions, spelled numbers and units, `the`, spelling, lazy lower case).
What is not understood is refused: then the model is asked, and nobody is told something wrong.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Sequence

# Longer ones have too many words that could matter.
MAX_CHARS = 300

# Here punctuation and case are a part of what is said: code, quotations, lists, addresses.
STRUCTURED = re.compile(r"[\"`:;{}\[\]()|\\/_@<>=\n]|''")
TOKEN = re.compile(r"\d+(?:[.,]\d+)*|\w+|[^\s\w]")
THOUSANDS = re.compile(r"\d{1,3}(?:,\d{3})+")

CONTRACTIONS: tuple[tuple[re.Pattern[str], str], ...] = tuple(
    (re.compile(pattern), plain)
    for pattern, plain in (
        (r"\bcan(?:no|')t\b", "can not"),
        (r"\bwon't\b", "will not"),
        (r"\b(\w+)n't\b", r"\1 not"),
        (r"\b(what|who|where|when|how|why|that|there|here|it|he|she)'s\b", r"\1 is"),
        (r"\b(\w+)'re\b", r"\1 are"),
        (r"\bi'm\b", "i am"),
        (r"\b(\w+)'ll\b", r"\1 will"),
        (r"\b(\w+)'ve\b", r"\1 have"),
        (r"\b(\w+)'s\b", r"\1"),
        (r"\b(\w+s)'(?=\s)", r"\1"),
    )
)

_UNITS = "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen"
NUMBERS = {word: str(number) for number, word in enumerate(f"{_UNITS} seventeen eighteen nineteen".split())}
NUMBERS |= {word: str(10 * tens) for tens, word in enumerate(["twenty", "thirty", "forty", "fifty", "sixty"], 2)}
NUMBERS |= {"ii": "2", "iii": "3"}

SPELLINGS = {
    "centre": "center", "colour": "color", "colours": "colors", "favourite": "favorite", "grey": "gray",
    "summarise": "summarize", "organise": "organize", "optimise": "optimize", "analyse": "analyze",
    "kilometre": "km", "kilometres": "km", "kilometer": "km", "kilometers": "km", "metres": "meters",
    "metre": "meter", "litres": "liters", "litre": "liter", "percent": "%",
}  # fmt: skip
PHRASES = (
    (("capital", "city"), ("capital",)),
    (("degrees", "celsius"), ("celsius",)),
    (("°", "c"), ("celsius",)),
    (("degrees", "fahrenheit"), ("fahrenheit",)),
    (("°", "f"), ("fahrenheit",)),
)

ASKS = {"what", "who", "whom", "whose", "when", "where", "why", "which", "how", "is", "are", "does", "do", "did", "can"}
REQUESTS = {
    "explain", "tell", "give", "write", "list", "show", "describe", "summarize", "translate", "convert", "calculate",
    "name", "create", "compose", "generate", "compare", "define", "solve",
}  # fmt: skip
OPENINGS = (("do", "you", "know"), ("i", "want", "to", "know"), ("i", "would", "like", "to", "know"), ("tell", "me"))
CLOSINGS = (("please",), ("thanks",), ("thank", "you"))
# What somebody does or anybody does is the same here, unlike "how do you feel".
DEEDS = {
    "add", "boil", "bake", "build", "calculate", "center", "change", "check", "clean", "convert", "cook", "copy",
    "count", "create", "delete", "disable", "draw", "enable", "encrypt", "decrypt", "export", "find", "fix", "fry",
    "import", "install", "learn", "make", "merge", "open", "close", "parse", "print", "read", "remove", "rename",
    "replace", "reset", "reverse", "run", "set", "sort", "split", "start", "stop", "uninstall", "update", "upgrade",
    "use", "write",
}  # fmt: skip
# Words that are another one in capitals.
TWO_WORDS = {
    "us", "it", "who", "may", "march", "polish", "turkey", "china", "will", "mark", "bill", "rose", "jobs", "apple",
    "windows", "amazon", "oracle", "swift", "rust", "go", "aids", "pole", "finnish", "job", "reading", "nice", "mobile",
    "lent", "ram", "mb", "gb", "kb", "tb", "mw", "ma", "pa", "cat", "sat", "act", "ms", "pm", "am", "or", "in", "mercury",
    "earth", "god", "java", "cobra", "chili", "chile", "cologne", "essen", "bath", "cork", "limerick",
}  # fmt: skip

Words = list[str]


def asks_the_same(one: str, other: str) -> bool:
    """Whether an answer to one of them is an answer to the other."""
    if max(len(one), len(other)) > MAX_CHARS:
        return False
    one, other = _readable(one), _readable(other)
    if STRUCTURED.search(one) or STRUCTURED.search(other):
        return one == other
    first, second = canonical(one), canonical(other)
    return bool(first) and first == second and _cases_agree(one, other)


def canonical(text: str) -> Words:
    """The words that remain when all is left out that changes no answer, in the order that says who does what to whom."""
    plain = text.casefold()
    for pattern, expanded in CONTRACTIONS:
        plain = pattern.sub(expanded, plain)
    words = [_word(token) for token in TOKEN.findall(plain)]
    for shape in SHAPES:
        words = shape(words)
    return words


def _readable(text: str) -> str:
    text = unicodedata.normalize("NFKC", text).replace("’", "'").replace("‘", "'")
    text = text.replace("“", '"').replace("”", '"').replace("«", '"').replace("»", '"')
    return " ".join(text.strip().split(" ")).rstrip(" ?.!")


def _word(token: str) -> str:
    if THOUSANDS.fullmatch(token):
        return token.replace(",", "")
    return SPELLINGS.get(token) or NUMBERS.get(token) or token


def _without_openings(words: Words) -> Words:
    """What is said before the question itself."""
    while words:
        if words[0] in ("please", ",", "hi", "hello", "hey") and len(words) > 1:
            words = words[1:]
        elif words[:1] and words[0] in ("can", "could", "would", "will") and words[1:2] == ["you"]:
            rest = words[3:] if words[2:3] == ["please"] else words[2:]
            if not rest or rest[0] not in REQUESTS:
                return words
            words = rest
        elif opening := next((each for each in OPENINGS if tuple(words[: len(each)]) == each), None):
            rest = words[len(opening) :]
            if rest[:1] == [","]:
                rest = rest[1:]
            if rest[:1] == ["the"] and opening == ("tell", "me"):
                return ["what", "is", *rest]
            if not rest or rest[0] not in ASKS:
                return words
            words = _direct(rest)
        else:
            return words
    return words


def _direct(words: Words) -> Words:
    """`what the capital is` as it is asked directly."""
    if words[0] in ("what", "who", "where") and words[-1] in ("is", "are") and len(words) > 2:
        return [words[0], words[-1], *words[1:-1]]
    return words


def _without_closings(words: Words) -> Words:
    while closing := next((each for each in CLOSINGS if tuple(words[-len(each) :]) == each and len(words) > 2), None):
        words = words[: -len(closing)]
        if words[-1:] == [","]:
            words = words[:-1]
    return words


def _for_whom(words: Words) -> Words:
    """`write me a haiku`, `explain it to me`: whom else."""
    if words[:1] and words[0] in ("write", "give", "show") and words[1:2] == ["me"]:
        words = [words[0], *words[2:]]
    if words[:1] == ["explain"] and words[-2:] == ["to", "me"]:
        words = words[:-2]
    return words


def _asked_for_a_way(words: Words) -> Words:
    if words[:1] != ["how"]:
        return words
    if words[1:2] and words[1] in ("do", "can", "could") and words[2:3] and words[2] in ("i", "you", "we", "one"):
        return ["how", "to", *words[3:]] if words[3:4] and words[3] in DEEDS else words
    if words[1:3] == ["much", "is"] and words[3:4] and words[3][0].isdigit():
        return ["what", "is", *words[3:]]
    return words


def _calculated(words: Words) -> Words:
    return ["what", "is", *words[1:]] if words[:1] and words[0] in ("calculate", "compute") else words


def _operators(words: Words) -> Words:
    """`two plus two`: between numbers, and only there."""
    signs = {"plus": "+", "minus": "-", "times": "*", "x": "*", "×": "*"}

    def is_number(at: int) -> bool:
        return 0 <= at < len(words) and words[at][0].isdigit()

    return [
        signs[word] if word in signs and is_number(at - 1) and is_number(at + 1) else word
        for at, word in enumerate(words)
    ]


def _phrases(words: Words) -> Words:
    for phrase, plain in PHRASES:
        at = 0
        while at + len(phrase) <= len(words):
            if tuple(words[at : at + len(phrase)]) == phrase:
                words = [*words[:at], *plain, *words[at + len(phrase) :]]
            at += 1
    return words


def _into(words: Words) -> Words:
    turns = words[:1] and words[0] in ("translate", "convert")
    return ["to" if word == "into" else word for word in words] if turns else words


def _without_the(words: Words) -> Words:
    return [word for word in words if word != "the"] or words


def _belonging(words: Words) -> Words:
    """`the capital of France` as `France's capital`, `a list in Python` as `a Python list`: where it is said at the end."""
    links = [at for at, word in enumerate(words) if word in ("of", "in")]
    if len(links) != 1:
        return words
    at = links[0]
    whose = words[at + 1 :]
    if at < 2 or not 1 <= len(whose) <= (3 if words[at] == "of" else 1) or not all(word.isalpha() for word in whose):
        return words
    return [*words[: at - 1], *whose, words[at - 1]]


Shape = Callable[[Words], Words]
SHAPES: Sequence[Shape] = (
    _without_closings, _without_openings, _for_whom, _asked_for_a_way, _calculated, _operators, _phrases, _into,
    _without_the, _belonging,
)  # fmt: skip


def _cases_agree(one: str, other: str) -> bool:
    """Capitals are the same, or one of them was typed without any: then no word is there that they would tell apart."""
    first, second = _forms(one), _forms(other)
    lazy = _is_lower(one) or _is_lower(other)
    for word in first.keys() & second.keys():
        if first[word] != second[word] and (not lazy or word in TWO_WORDS):
            return False
    return True


def _forms(text: str) -> dict[str, set[str]]:
    """How each word is written, where it does not begin the sentence and so may choose."""
    forms: dict[str, set[str]] = {}
    for form in TOKEN.findall(text)[1:]:
        forms.setdefault(form.casefold(), set()).add(form)
    return forms


def _is_lower(text: str) -> bool:
    return not any(char.isupper() for char in text[1:])
