"""A tokenizer without a vocabulary: each word's number is a hash of its letters."""

import itertools
import re
import zlib
from collections.abc import Sequence

FIRST, SEPARATOR = 1, 2
"""Numbers of the tokens [CLS] and [SEP], which no word has; nor has one 0, which is padding."""


class HashedWords:
    """Numbers words by a hash, for encoders whose weights are random anyway.

    It is called as a tokenizer of `transformers` is. No word is unknown; two may share a number.

    Examples
    --------
    >>> words = HashedWords(numbers=1000)
    >>> words(["blue"], ["green green"], max_length=96)["token_type_ids"]
    [[0, 0, 0, 1, 1, 1]]
    """

    unk_token_id = None

    def __init__(self, numbers: int):
        self.numbers = numbers

    def __call__(
        self,
        first: Sequence[str],
        second: Sequence[str] | None = None,
        *,
        max_length: int,
        **_: object,
    ) -> dict[str, list[list[int]]]:
        """Return the numbers and segments of texts, or of pairs of texts."""
        ids, segments = [], []
        for texts in zip(first, *[] if second is None else [second], strict=True):
            parts = [[*self._numbered(text), SEPARATOR] for text in texts]
            while 1 + sum(map(len, parts)) > max_length:
                max(parts, key=len).pop(-2)  # the last word
            ids.append([FIRST, *itertools.chain(*parts)])
            segments.append([0, *(segment for segment, part in enumerate(parts) for _ in part)])
        return {"input_ids": ids, "token_type_ids": segments}

    def _numbered(self, text: str) -> list[int]:
        words = re.findall(r"\w+|[^\w\s]", text.lower())
        reserved = SEPARATOR + 1
        return [reserved + zlib.crc32(w.encode()) % (self.numbers - reserved) for w in words]
