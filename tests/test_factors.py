import numpy as np
import pytest
from scipy import stats
from sklearn.metrics import mutual_info_score

from vae_course.errors import ConfigError, ShapeError
from vae_course.factors import (
    FACTOR_NAMES,
    FACTOR_SIZES,
    draw_shapes,
    make_factors,
    mutual_information_gap,
)


@pytest.fixture(scope="module")
def made():
    return make_factors()


def one(horizontal=0.0, vertical=0.0, scale=6.0, angle=0.0):
    return draw_shapes([horizontal], [vertical], [scale], [angle])[0]


def centroid(image):
    """How far right of and below the middle the white lies, in pixels."""
    pixel = np.arange(28) - 13.5
    return image.sum(0) @ pixel / image.sum(), image.sum(1) @ pixel / image.sum()


def test_an_upright_l_lacks_one_quarter():
    # With its centroid at (2, 2), the square of half-side 6 reaches from pixel 11 to 22.
    expected = np.zeros((28, 28), np.uint8)
    expected[11:23, 11:23] = 255
    expected[17:23, 17:23] = 0
    np.testing.assert_array_equal(one(horizontal=2.0, vertical=2.0), expected)


@pytest.mark.parametrize("angle", [0.0, 0.4, 2.0, 4.5])
@pytest.mark.parametrize("scale", [3.0, 5.0])
def test_area_and_centroid_are_those_of_the_formula(scale, angle):
    image = one(1.3, -2.1, scale, angle).astype(float) / 255
    assert image.sum() == pytest.approx(3 * scale**2, rel=0.02)
    assert centroid(image) == pytest.approx((1.3, -2.1), abs=0.05)


def test_a_quarter_turn_is_clockwise():
    np.testing.assert_array_equal(one(angle=np.pi / 2), np.rot90(one(), -1))


def test_grey_levels_are_the_covered_share_of_each_pixel():
    # Points drawn evenly in each pixel, tested against the corners rather than a distance.
    offsets = (np.arange(20) + 0.5) / 20 - 0.5
    fine = (np.arange(28)[:, None] - 13.5 + offsets).ravel()
    right, down = np.meshgrid(fine, fine)
    u = (np.cos(0.7) * right + np.sin(0.7) * down) / 5 - 1 / 6
    v = (np.cos(0.7) * down - np.sin(0.7) * right) / 5 - 1 / 6
    inside = (np.maximum(np.abs(u), np.abs(v)) < 1) & ~((u > 0) & (v > 0))
    covered = inside.reshape(28, 20, 28, 20).mean((1, 3))
    error = np.abs(one(scale=5.0, angle=0.7) / 255 - covered)
    assert error.mean() < 0.005
    assert error.max() < 0.3  # at the corners, where a distance is no area


def test_every_combination_occurs_once_and_looks_different(made):
    assert made.images.shape == (1536, 28, 28)
    assert made.names == FACTOR_NAMES
    assert len(np.unique(made.factors, axis=0)) == 8 * 4 * 4 * 12
    assert tuple(made.factors.max(0) + 1) == FACTOR_SIZES
    white = (made.images > 127).reshape(1536, -1)
    assert len(np.unique(white, axis=0)) == 1536


def test_no_image_is_cut_off_and_none_changes_from_call_to_call(made):
    border = np.ones((28, 28), bool)
    border[1:-1, 1:-1] = False
    assert not made.images[:, border].any()
    np.testing.assert_array_equal(make_factors().images, made.images)


def test_factors_name_what_is_seen(made):
    weight = made.images.astype(float)
    x, y = np.transpose([centroid(image) for image in weight])
    assert np.allclose(x, 1.2 * (made.factors[:, 0] - 3.5), atol=0.06)
    assert np.allclose(y, 1.2 * (made.factors[:, 1] - 1.5), atol=0.06)
    area = weight.sum((1, 2)) / 255
    assert np.allclose(area, 3 * (3 + made.factors[:, 2]) ** 2, rtol=0.03)


def test_as_data_splits_the_images_without_loss(made):
    data = made.as_data()
    assert (len(data.train_images), len(data.test_images)) == (1382, 154)
    both = np.concatenate([data.train_images, data.test_images])
    assert sorted(image.tobytes() for image in both) == sorted(
        image.tobytes() for image in made.images
    )
    assert data.train_labels.shape == (1382,)
    assert not data.train_labels.any()
    assert data.sha256 == made.as_data().sha256


@pytest.mark.parametrize(
    ("factors", "error", "message"),
    [
        (([0.0], [0.0], [3.0], [0.0, 1.0]), ShapeError, "vectors of one length"),
        ((0.0, 0.0, 3.0, 0.0), ShapeError, "vectors of one length"),
        (([np.nan], [0.0], [3.0], [0.0]), ShapeError, "NaN"),
        (([0.0], [0.0], [0.0], [0.0]), ConfigError, "above 0"),
    ],
)
def test_draw_shapes_refuses(factors, error, message):
    with pytest.raises(error, match=message):
        draw_shapes(*factors)


def test_one_latent_for_each_factor_has_a_gap_of_one(made):
    codes = np.column_stack(
        [-2.0 * made.factors[:, 0], made.factors[:, 3] ** 3, made.factors[:, 1]]
    )
    found = mutual_information_gap(codes, made.factors[:, [0, 1]])
    np.testing.assert_allclose(found.gap, [1, 1], atol=1e-12)
    np.testing.assert_allclose(found.entropies, np.log([8, 4]))
    assert found.matrix.shape == (3, 2)
    assert found.mean == pytest.approx(1.0)


def test_two_latents_that_say_the_same_have_a_gap_of_zero(made):
    codes = np.column_stack([made.factors[:, 0], -made.factors[:, 0]]).astype(float)
    found = mutual_information_gap(codes, made.factors[:, :1])
    np.testing.assert_allclose(found.gap, 0, atol=1e-12)
    np.testing.assert_allclose(found.matrix, np.log(8))


def test_half_of_the_bits_in_each_of_two_latents(made):
    # 8 levels are 3 bits: one latent knows two of them, the other one.
    level = made.factors[:, 0]
    found = mutual_information_gap(np.column_stack([level // 2, level % 2]), level[:, None])
    np.testing.assert_allclose(found.gap, (2 - 1) / 3)


@pytest.mark.parametrize("bins", [5, 20])
def test_information_against_scikit_learn(made, bins):
    rng = np.random.default_rng(0)
    codes = rng.normal(size=(1536, 3)) + made.factors[:, :3] * [1.0, 0.5, 0.1]
    found = mutual_information_gap(codes, made.factors, bins=bins)
    cut = stats.binned_statistic
    for latent, code in enumerate(codes.T):
        cells = cut(code, code, "count", bins=bins).binnumber
        for k, levels in enumerate(made.factors.T):
            expected = mutual_info_score(cells, levels)
            assert found.matrix[latent, k] == pytest.approx(expected, abs=1e-12)


def test_bias_of_independent_codes_is_that_of_the_docstring():
    # 2n·I of independent tables is χ² with (bins − 1)(levels − 1) degrees, for large n.
    rng = np.random.default_rng(1)
    n, bins, levels, latents = 4000, 5, 4, 200
    factors = rng.integers(levels, size=(n, 1))
    found = mutual_information_gap(rng.random((n, latents)), factors, bins=bins)
    degrees = (bins - 1) * (levels - 1)
    error = np.sqrt(2 * degrees / latents)
    assert abs(2 * n * found.matrix.mean() - degrees) < 4 * error


def test_an_inactive_latent_knows_nothing_unless_asked(made):
    codes = np.column_stack([made.factors[:, 0], 1e-3 * made.factors[:, 0]])
    factor = made.factors[:, :1]
    assert mutual_information_gap(codes, factor).gap == pytest.approx([1.0])
    assert mutual_information_gap(codes, factor, threshold=0.0).gap == pytest.approx([0.0])
    codes[:, 1] = 3.0
    assert mutual_information_gap(codes, factor, threshold=0.0).gap == pytest.approx([1.0])


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"codes": np.zeros(240)}, ShapeError, "a row for each image"),
        ({"codes": np.zeros((239, 2))}, ShapeError, "a row for each image"),
        ({"codes": np.zeros((240, 1))}, ShapeError, "two latents"),
        ({"codes": np.full((240, 2), np.nan)}, ShapeError, "NaN"),
        ({"factors": np.zeros((240, 1))}, ShapeError, "Number their levels"),
        ({"factors": np.zeros((240, 1), int)}, ShapeError, "Factor 0 never varies"),
        ({"codes": np.zeros((0, 2)), "factors": np.zeros((0, 1), int)}, ShapeError, "never varies"),
        ({"bins": 21}, ShapeError, "240 samples for tables of 21 × 12"),
        ({"bins": 1}, ConfigError, "2 bins"),
        ({"threshold": -1.0}, ConfigError, "0 or more"),
    ],
)
def test_mutual_information_gap_refuses(change, error, message):
    good = {"codes": np.zeros((240, 2)), "factors": np.arange(240)[:, None] % 12}
    mutual_information_gap(**good)
    with pytest.raises(error, match=message):
        mutual_information_gap(**good | change)
