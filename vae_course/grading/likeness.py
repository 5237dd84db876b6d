"""How alike two programs are: the share of short runs of tokens that they have in common.

Names, strings and numbers count by kind, not by spelling, so that renaming hides nothing.
"""

import builtins
import io
import itertools
import keyword
import re
import tokenize
import zlib
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple, TypeVar

__all__ = ["FEWEST", "Pair", "likeness", "near_pairs", "shingles", "without"]

RUN = 8  # tokens
FEWEST = 30  # shingles below which nothing can be told
KNOWN = {*keyword.kwlist, *dir(builtins)}
LOOSE = re.compile(r"[A-Za-z_]\w*|\d[\w.]*|\S")
SILENT = {tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT}
SILENT |= {tokenize.ENCODING, tokenize.ENDMARKER}
Name = TypeVar("Name")


class Pair(NamedTuple):
    """Two submissions of one exercise, and the share that they have in common."""

    exercise: str
    one: str
    other: str
    likeness: float


def shingles(sources: Sequence[str]) -> frozenset[int]:
    """Hashes of all runs of tokens in each cell; code that does not parse counts too."""
    found: set[int] = set()
    for source in sources:
        tokens = _tokens(source)
        for start in range(len(tokens) - RUN + 1):
            found.add(zlib.crc32(" ".join(tokens[start : start + RUN]).encode("utf-8", "replace")))
    return frozenset(found)


def without(found: frozenset[int], given: frozenset[int]) -> frozenset[int]:
    """What is not handed out with the exercise."""
    return found - given


def likeness(one: frozenset[int], other: frozenset[int]) -> float:
    """What two have in common over what either has, from 0 to 1 (Jaccard)."""
    both = len(one & other)
    return both / max(1, len(one) + len(other) - both)


def near_pairs(
    marked: Mapping[Name, frozenset[int]], threshold: float = 0.8
) -> list[tuple[Name, Name, float]]:
    """The pairs at least so alike, the most alike first.

    Args:
        marked: shingles by name; too few of them tell nothing, and are left out.
        threshold: least likeness.
    """
    large = [(name, runs) for name, runs in marked.items() if len(runs) >= FEWEST]
    found = []
    for (one, a), (other, b) in itertools.combinations(large, 2):
        # Two sets cannot have more in common than the smaller one holds.
        if min(len(a), len(b)) >= threshold * max(len(a), len(b)):
            found.append((one, other, likeness(a, b)))
    return sorted((pair for pair in found if pair[2] >= threshold), key=lambda pair: -pair[2])


def _tokens(source: str) -> list[str]:
    try:
        return list(_strict(source))
    except (tokenize.TokenError, SyntaxError, ValueError):
        return [_kind_of(word) for word in LOOSE.findall(source)]


def _strict(source: str) -> Iterator[str]:
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type in SILENT:
            continue
        if token.type == tokenize.STRING:
            yield "s"
        else:
            yield _kind_of(token.string)


def _kind_of(word: str) -> str:
    if word[0].isdigit():
        return "0"
    if word.isidentifier() and word not in KNOWN:
        return "n"
    return word
