"""Tasks whose text is made here, from a small grammar, with nothing to fetch.

Four tasks in English, of the kinds that the published ones have: `toy/mood` (a sentence: is its
one telling adjective a glad or a gloomy one?), `toy/same` (a pair: do both sentences say the
same?), `toy/which` (a question: who of five has the thing?) and `toy/sum` (a question: how many
are left?), the hardest. And `toy_pairs`, one task in four invented languages with their own words
and their own order of words: do both sentences say the same, or have two of their nouns changed
places? The items of the four languages are translations of each other.
"""

from collections.abc import Callable, Iterator
from zlib import crc32

import numpy as np

from ncnet.datasets.items import CHOICES, PARTS, Group, Item, Translations

GIVE_UP = 5_000
"""Draws without a new item after which there are no more."""

ANIMALS = ("cat", "dog", "fox", "hen", "goat", "horse", "duck", "mouse", "sheep", "crow")
OBJECTS = ("bell", "lamp", "drum", "boat", "chair", "ladder", "basket", "coat", "kettle", "wheel")
VERBS = ("sees", "finds", "pulls", "carries", "cleans", "hides", "paints", "follows")
PLACES = ("garden", "kitchen", "harbour", "forest", "market", "tower", "meadow", "station")
COLOURS = ("red", "blue", "green", "white", "black", "yellow", "brown", "grey")
GLAD = ("happy", "cheerful", "merry", "joyful", "delighted", "playful", "proud", "content")
GLOOMY = ("sad", "gloomy", "weary", "lonely", "angry", "bitter", "anxious", "unhappy")
NAMES = ("ann", "ben", "clara", "david", "emma", "frank", "grace", "henry")
FRUIT = ("apples", "pears", "plums", "figs", "lemons", "nuts")
UNITS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
TEENS = ("ten", "eleven", "twelve", "thirteen", "fourteen")
TEENS += ("fifteen", "sixteen", "seventeen", "eighteen", "nineteen")
TENS = ("twenty", "thirty", "forty", "fifty")
NUMBERS = UNITS + TEENS
NUMBERS += tuple(f"{ten} {unit}".removesuffix(" zero") for ten in TENS for unit in UNITS)
"""Whole numbers below sixty in words."""

ORDERS = {
    "avelic": ("agent", "verb", "patient", "place"),
    "borun": ("agent", "patient", "verb", "place"),
    "cimtar": ("verb", "agent", "patient", "place"),
    "dushan": ("place", "patient", "agent", "verb"),
}
"""The invented languages, and the order of words in each."""
VOCABULARY = ANIMALS + VERBS + PLACES
SYLLABLES = {
    "avelic": ("la", "ve", "li", "sa", "re", "mi", "no", "ta"),
    "borun": ("bo", "gru", "nud", "dor", "mag", "zu", "bun", "rog"),
    "cimtar": ("cim", "tik", "kit", "ric", "pet", "cet", "nip", "sik"),
    "dushan": ("shu", "dha", "khe", "sho", "zha", "hu", "phe", "tho"),
}
# Two of eight syllables are 64 different words, more than there are meanings.
WORDS = {
    language: {word: s[k % 8] + s[(k // 8 + 3 * k) % 8] for k, word in enumerate(VOCABULARY)}
    for language, s in SYLLABLES.items()
}
"""The words of each invented language, by what they mean."""


def streams(group: Group, seed: int) -> tuple[list[Iterator[Translations]], list[dict]]:
    """Return the items of a group, part by part, and where those of each task are from."""
    parts = [stream(group, seed, part) for part in PARTS]
    return parts, [{"generator": __name__}] * len(group.tasks)


def stream(group: Group, seed: int, part: str) -> Iterator[Translations]:
    """Yield items that were not yielded before, the same for the same seed.

    Parameters
    ----------
    group
        A key of `GROUPS`.
    seed
        The seed of the draws.
    part
        One of `PARTS`. No item of one part is ever in another, whatever their seeds.

    Yields
    ------
    tuple of Item
        One item, or its translation into each of the languages. Ends where no new one was found
        in 5,000 draws.

    Examples
    --------
    >>> [item] = next(stream(Group("toy/same", 2), 0, "training"))
    >>> item.text, item.pair, item.label
    ('the green goat hides the bell in the tower', 'in the tower the green horse hides the bell', 0)
    """
    draw, generator = GROUPS[group], group.generator(seed, part)
    seen: set[frozenset[str]] = set()
    failures = 0
    while failures < GIVE_UP:
        drawn = draw(generator, f"{group.name}:{part}:{len(seen)}")
        content = drawn[0].content
        failures += 1
        if content not in seen and _part(content) == part:
            failures = 0
            seen.add(content)
            yield drawn


def _part(content: frozenset[str]) -> str:
    # By what the item says, so that no draw of any seed can move it to another part.
    kept = crc32("\n".join(sorted(content)).encode()) % 4
    return PARTS[max(0, kept - 1)]


def _mood(generator: np.random.Generator, key: str) -> Translations:
    label = int(generator.integers(2))
    kinds = (GLAD if label else GLOOMY, ANIMALS, VERBS, COLOURS, OBJECTS, PLACES)
    words = [_draw(generator, kind, 1)[0] for kind in kinds]
    return (Item(key, label, "the {} {} {} the {} {} in the {}".format(*words)),)


def _same(generator: np.random.Generator, key: str) -> Translations:
    label = int(generator.integers(2))
    kinds = (COLOURS, ANIMALS, VERBS, OBJECTS, PLACES)
    words = [_draw(generator, kind, 2) for kind in kinds]
    changed = None if label else int(generator.integers(len(kinds)))
    said = [pair[0] for pair in words]
    other = [pair[k == changed] for k, pair in enumerate(words)]
    first = "the {} {} {} the {} in the {}".format(*said)
    second = "in the {4} the {0} {1} {2} the {3}".format(*other)
    return (Item(key, label, first, second),)


def _which(generator: np.random.Generator, key: str) -> Translations:
    animals, objects = _draw(generator, ANIMALS, CHOICES), _draw(generator, OBJECTS, CHOICES)
    asked = objects[generator.integers(CHOICES)]
    facts = " , ".join(f"the {a} has the {o}" for a, o in zip(animals, objects, strict=True))
    right = animals[objects.index(asked)]
    choices = tuple(_draw(generator, tuple(animals), CHOICES))
    text = f"{facts} . who has the {asked} ?"
    return (Item(key, choices.index(right), text, choices=choices),)


def _sum(generator: np.random.Generator, key: str) -> Translations:
    has, gets = (int(n) for n in generator.integers(3, 20, size=2))
    eats = int(generator.integers(1, has + gets - 3))
    [name], [fruit] = _draw(generator, NAMES, 1), _draw(generator, FRUIT, 1)
    right = has + gets - eats
    # Five numbers in a row, and the right one anywhere among them: the choices tell nothing.
    lowest = right - int(generator.integers(CHOICES))
    choices = tuple(_draw(generator, NUMBERS[lowest : lowest + CHOICES], CHOICES))
    said = f"has {NUMBERS[has]} {fruit} , gets {NUMBERS[gets]} and eats {NUMBERS[eats]}"
    text = f"{name} {said} . how many {fruit} are left ?"
    return (Item(key, choices.index(NUMBERS[right]), text, choices=choices),)


def _pairs(generator: np.random.Generator, key: str) -> Translations:
    label = int(generator.integers(2))
    agent, patient = _draw(generator, ANIMALS, 2)
    [verb], [place] = _draw(generator, VERBS, 1), _draw(generator, PLACES, 1)
    said = {"agent": agent, "verb": verb, "patient": patient, "place": place}
    other = said if label else said | {"agent": patient, "patient": agent}
    return tuple(
        Item(key, label, _sentence(said, language), _sentence(other, language, moved=True))
        for language in ORDERS
    )


def _sentence(said: dict[str, str], language: str, *, moved: bool = False) -> str:
    order = ORDERS[language]
    if moved:  # the place goes to the other end
        order = order[1:] + order[:1] if order[0] == "place" else order[-1:] + order[:-1]
    return " ".join(WORDS[language][said[role]] for role in order)


def _draw(generator: np.random.Generator, words: tuple[str, ...], number: int) -> list[str]:
    return [words[k] for k in generator.permutation(len(words))[:number]]


GROUPS: dict[Group, Callable[[np.random.Generator, str], Translations]] = {
    Group("toy/mood", classes=2): _mood,
    Group("toy/same", classes=2): _same,
    Group("toy/which", classes=CHOICES): _which,
    Group("toy/sum", classes=CHOICES): _sum,
    Group("toy_pairs", classes=2, languages=tuple(ORDERS)): _pairs,
}
"""What draws an item of each task, or its translations into each language."""
