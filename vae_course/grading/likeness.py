"""How alike two submissions are: shingles of their code, compared by Jaccard's index.

Comments, layout, the names that a student chose and the values of literals do not count, so
renaming and reformatting hide nothing. A shingle is a hash of eight tokens in a row.
"""

import builtins
import collections
import keyword
import math
import re
import zlib
from collections.abc import Hashable, Iterator, Mapping, Sequence
from typing import NamedTuple, TypeVar

__all__ = ["FEWEST", "Pair", "likeness", "near_pairs", "shingles", "without"]

LENGTH = 8  # tokens of a shingle
FEWEST = 30  # shingles; fewer are too little to tell
KEPT = frozenset([*keyword.kwlist, *(name for name in dir(builtins) if name[0] != "_")])
# Python's own tokenizer gives up on broken code, and two versions of it split an f-string
# differently. This pattern takes everything, always in the same way.
TOKEN = re.compile(
    r"""
    (?P<skipped> \#[^\n]* | \\?\s+ )
  | (?P<string>  (?i:\b[rbuft]{1,2})? (?: \"{3} (?:\\.|[^\\])*? (?:\"{3}|\Z)
                                        | '{3}  (?:\\.|[^\\])*? (?:'{3}|\Z)
                                        | \"    (?:\\.|[^"\\\n])* \"?
                                        | '     (?:\\.|[^'\\\n])* '? ) )
  | (?P<number>  0[xXoObB]\w+ | (?: \d[\d_]*\.?[\d_]* | \.\d[\d_]* ) (?:[eE][+-]?\d+)? [jJ]? )
  | (?P<name>    \w+ )
  | (?P<sign>    . )
    """,
    re.VERBOSE | re.DOTALL,
)

Name = TypeVar("Name", bound=Hashable)


class Pair(NamedTuple):
    """Two submissions of an exercise, by their files, and how alike they are, from 0 to 1."""

    exercise: str
    one: str
    other: str
    likeness: float


def shingles(sources: Sequence[str]) -> frozenset[int]:
    """Hashes of every eight tokens in a row, the same in every run.

    The cells are taken as one text, so that splitting one in two changes nothing.

    Args:
        sources: of the code cells, in order; they need not be valid Python.
    """
    tokens = [token for source in sources for token in _tokens(source)]
    rows = (" ".join(tokens[i : i + LENGTH]) for i in range(len(tokens) - LENGTH + 1))
    return frozenset(zlib.crc32(row.encode("utf-8", "replace")) for row in rows)


def without(found: frozenset[int], given: frozenset[int]) -> frozenset[int]:
    """The shingles that are a student's own.

    Args:
        found: in a submission.
        given: in what the exercise hands out.
    """
    return found - given


def likeness(one: frozenset[int], other: frozenset[int]) -> float:
    """The share of all shingles that both have; 0 where there are none."""
    together = len(one & other)
    return together / (len(one) + len(other) - together) if together else 0.0


def near_pairs(
    marked: Mapping[Name, frozenset[int]], threshold: float = 0.8
) -> list[tuple[Name, Name, float]]:
    """The pairs that are at least that alike, the most alike first.

    Two sets that share most of their shingles share one of their rarest, so only those are
    looked up (prefix filtering: Chaudhuri, Ganti and Kaushik 2006).

    Args:
        marked: shingles of each submission; sets of fewer than 30 are left out.
        threshold: of `likeness`, above 0.
    """
    large = {name: marks for name, marks in marked.items() if len(marks) >= FEWEST}
    often = collections.Counter(mark for marks in large.values() for mark in marks)
    holders: dict[int, list[Name]] = collections.defaultdict(list)
    found = []
    for name, marks in large.items():
        rarest = sorted(marks, key=lambda mark: (often[mark], mark))
        shared = math.ceil(threshold * len(marks) - 1e-9)  # by any two that are near
        prefix = rarest[: len(marks) - shared + 1]
        for other in dict.fromkeys(holder for mark in prefix for holder in holders[mark]):
            alike = _if_near(large[other], marks, threshold)
            if alike is not None:
                found.append((other, name, alike))
        for mark in prefix:
            holders[mark].append(name)
    return sorted(found, key=lambda pair: -pair[2])


def _if_near(one: frozenset[int], other: frozenset[int], threshold: float) -> float | None:
    if min(len(one), len(other)) < threshold * max(len(one), len(other)):
        return None
    alike = likeness(one, other)
    return alike if alike >= threshold else None


def _tokens(source: str) -> Iterator[str]:
    for match in TOKEN.finditer(source):
        kind = match.lastgroup or ""
        if kind == "sign" or match[0] in KEPT:
            yield match[0]
        elif kind != "skipped":
            yield kind
