"""How alike two submissions are, whatever names and layout they have."""

import random
import subprocess
import sys

import pytest

from vae_course.grading.likeness import likeness, near_pairs, shingles, without

ONE = '''
def beta_loss(logits, images, mean, logvar, beta):
    """The loss."""
    distortion = jnp.sum(jax.nn.softplus(logits) - images * logits, axis=-1)
    rate = 0.5 * jnp.sum(jnp.exp(logvar) + mean**2 - 1 - logvar, axis=-1)
    return jnp.mean(distortion + beta * rate)
'''
RENAMED = """
# all my own work
def beta_loss(
    a, b, m, v, w
):
    "Mine."
    d = np.sum(jax.nn.softplus(a) - b * a, axis=-2)   # sum

    r = 0.25 * np.sum(np.exp(v) + m**3 - 7 - v,
        axis=-2)
    return np.mean(d + w * r)
"""
OTHER = """
def beta_loss(logits, images, mean, logvar, beta):
    total = 0
    for row, picture in zip(logits, images):
        for x, pixel in zip(row, picture):
            total += max(x, 0) - x * pixel + float(log1p(exp(-abs(x))))
    kl = [(exp(v) + m * m - 1 - v) / 2 for m, v in zip(mean, logvar)]
    return total / len(logits) + beta * sum(map(sum, kl)) / len(kl)
"""


def of(*sources):
    return shingles(sources)


def test_names_literals_comments_and_layout_do_not_count():
    assert likeness(of(ONE), of(RENAMED)) == 1


def test_another_way_to_do_it_is_not_alike():
    assert likeness(of(ONE), of(OTHER)) < 0.2


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("a = b + c * d - e", "a = b - c * d - e"),  # an operator
        ("for a in b: print(c)", "for a in b: round(c)"),  # a builtin
        ("if a and b or c: d = e", "if a or b or c: d = e"),  # a keyword
        ("f(a, 1, b, 2, c)", "f(a, 'x', b, 2, c)"),  # a number for a string
    ],
)
def test_what_a_program_does_counts(one, other):
    assert likeness(of(one), of(other)) < 1


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("x = 'a' + f(1, 2, g)", 'x = """b\n"c" \'\n""" + f(0x1F, 2.5e-3, g)'),
        ("x = 'a' + f(1, 2, g)", "x = rb'\\'' + f(.5, 3j, g)"),
        ("x = 'a' + f(1, 2, g)", "x = \\\n   f'{a}' + f(1_000, 2., g)"),
        ("x = 'a # b' + f(1, 2, g)", "x = 'a' + f(1, 2, g)  # ' \" '''"),
    ],
)
def test_every_way_to_write_a_literal_is_one_token(one, other):
    assert of(one) == of(other)
    assert of(one)


@pytest.mark.parametrize("broken", ["\n(((", "\n  )]", '\n"""never closed', "\n'open", "\n$ ? !ls"])
def test_broken_code_is_as_alike_as_before_it_broke(broken):
    assert likeness(of(ONE), of(ONE + broken)) > 0.85


def test_splitting_a_cell_hides_nothing():
    assert of(ONE) == of(*ONE.splitlines())


def test_nine_tokens_have_two_runs_of_eight():
    assert len(of("a + b - c * d / e")) == 2
    assert len(of("a + b - c * d /")) == 1
    assert of("a + b - c * d") == of("") == of() == frozenset()


def test_hashes_are_the_same_in_another_process():
    code = f"from vae_course.grading.likeness import shingles; print(sorted(shingles([{ONE!r}])))"
    command = [sys.executable, "-c", code]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert said.strip() == str(sorted(of(ONE)))


ODD = ["\x00" * 50, "\ud800 = 1; " * 9, "é = ñ + 日本 * ß - ª / x", "\t\n" * 50_000]
ODD += [part * 33_333 for part in ("'", '"""', "\\", "(", "1", "f'{")]


@pytest.mark.parametrize("source", ODD)
def test_any_text_can_be_compared(source):
    assert likeness(of(source), of(source)) in (0, 1)


def test_what_is_handed_out_does_not_count():
    own = without(of(OTHER, ONE), of(OTHER))
    assert own < of(OTHER, ONE)
    assert not own & of(OTHER)


def test_likeness_is_what_both_have_of_what_either_has():
    assert likeness(frozenset({1, 2, 3}), frozenset({2, 3, 4, 5})) == 2 / 5
    assert likeness(frozenset(), frozenset({1})) == 0
    assert likeness(frozenset(), frozenset()) == 0


def test_near_pairs_have_at_least_the_threshold_and_the_nearest_come_first():
    marked = {
        "a": frozenset(range(100)),
        "b": frozenset(range(10, 100)),  # 90 / 100
        "c": frozenset(range(20, 120)),  # 80 / 120 with a, 80 / 110 with b
        "d": frozenset(range(1000, 1100)),
        "e": frozenset(range(100)),  # a's
    }
    assert near_pairs(marked, 0.9) == [("a", "e", 1.0), ("a", "b", 0.9), ("b", "e", 0.9)]
    assert [pair[:2] for pair in near_pairs(marked, 0.7)][3:] == [("b", "c")]


def test_sets_below_thirty_are_too_small_to_tell():
    small, enough = frozenset(range(29)), frozenset(range(30))
    assert near_pairs({"a": small, "b": small}) == []
    assert near_pairs({"a": enough, "b": enough}) == [("a", "b", 1.0)]


@pytest.mark.parametrize("threshold", [0.3, 0.5, 0.8, 0.95, 1.0])
def test_near_pairs_are_those_that_comparing_all_would_find(threshold):
    rng = random.Random(0)
    sources = [frozenset(rng.sample(range(400), 60)) for _ in range(6)]
    marked = {}
    for number in range(60):
        kept = set(rng.choice(sources))
        for _ in range(rng.choice([0, 1, 3, 8, 20])):
            kept.discard(rng.choice(sorted(kept)))
            kept.add(rng.randrange(400, 1000))
        marked[number] = frozenset(kept)
    expected = {
        (one, other): likeness(marked[one], marked[other])
        for one in marked
        for other in range(one + 1, 60)
        if likeness(marked[one], marked[other]) >= threshold
    }
    assert expected
    assert {(one, other): alike for one, other, alike in near_pairs(marked, threshold)} == expected


def test_a_thousand_submissions_with_a_common_part_can_be_compared():
    rng = random.Random(1)
    common = frozenset(range(100))
    marked = {n: common | frozenset(rng.sample(range(1000, 10**6), 300)) for n in range(1000)}
    marked["copy"] = marked[500]
    assert near_pairs(marked) == [(500, "copy", 1.0)]
