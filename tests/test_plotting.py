import matplotlib.pyplot as plt
import numpy as np
import pytest

from vae_course import plotting
from vae_course.errors import ShapeError
from vae_course.training import History

FOUR = np.arange(16).reshape(4, 2, 2) / 16
LABELS = np.array([3, 3, 3, 7, 7])
CODES = np.array([[0, 0], [2, 1], [4, 5], [-1, -2], [-3, -4.0]])
HISTORY = History(
    train_loss=np.array([190.0, 150, 140]),
    train_distortion=np.array([180.0, 130, 115]),
    train_rate=np.array([10.0, 20, 25]),
    test_loss=np.array([185.0, 152, 145]),
    test_distortion=np.array([174.0, 131, 119]),
    test_rate=np.array([11.0, 21, 26]),
    seconds=np.ones(3),
)
CALLS = {
    "image_grid": (FOUR,),
    "image_rows": ({"above": FOUR, "below": FOUR},),
    "reconstructions": (FOUR, FOUR),
    "interpolation_strip": (FOUR,),
    "training_curves": (HISTORY,),
    "manifold": (FOUR.reshape(2, 2, 2, 2),),
    "latent_scatter": (CODES, LABELS),
}


@pytest.fixture(autouse=True)
def _close_figures():
    yield
    plt.close("all")


def canvas(ax):
    """The array that was drawn; NaN where nothing is."""
    (image,) = ax.images
    return np.ma.filled(image.get_array(), np.nan)


def texts(ax):
    return [text.get_text() for text in ax.texts]


def rendered(ax, x, y):
    """The colour, 0 to 255, of the finished picture at a point given in the axes' data."""
    figure = ax.figure
    figure.canvas.draw()
    pixels = np.asarray(figure.canvas.buffer_rgba())
    column, row = ax.transData.transform((x, y))
    return pixels[len(pixels) - 1 - int(row), int(column), :3].tolist()


def test_the_table_of_calls_covers_the_module():
    assert set(CALLS) == set(plotting.__all__) - {"png"}  # which draws nothing


@pytest.mark.parametrize("name", CALLS)
def test_the_axes_that_were_given_are_drawn_on_and_returned(name):
    figure, (left, right) = plt.subplots(1, 2)
    assert getattr(plotting, name)(*CALLS[name], ax=right) is right
    assert plt.get_fignums() == [figure.number]
    assert right.has_data()
    assert not left.has_data()


@pytest.mark.parametrize("name", CALLS)
def test_without_axes_a_figure_is_made_and_not_shown(name, monkeypatch):
    def shown(*_, **__):
        raise AssertionError("the caller decides when to show a figure")

    monkeypatch.setattr(plt, "show", shown)
    before = plt.figure()
    ax = getattr(plotting, name)(*CALLS[name])
    assert ax.figure is not before
    assert ax.has_data()
    ax.figure.canvas.draw()


@pytest.mark.parametrize("name", CALLS)
def test_the_arrays_that_were_given_stay_as_they_are(name):
    arrays = [a for a in CALLS[name] if isinstance(a, np.ndarray)]
    copies = [array.copy() for array in arrays]
    getattr(plotting, name)(*CALLS[name])
    assert all((a == b).all() for a, b in zip(arrays, copies, strict=True))


# --- Grids ---


def test_a_grid_of_three_columns_by_hand():
    # Four images of 2×2 in rows of three, with gaps of 1: 2·3 + 1 rows, 3·3 + 1 columns.
    drawn = canvas(plotting.image_grid(FOUR, 3))
    assert drawn.shape == (7, 10)
    assert drawn[1, 1] == 0 / 16  # first image, upper left
    assert drawn[2, 8] == 11 / 16  # third image: rows 1–2, columns 7–8; lower right
    assert drawn[4, 1] == 12 / 16  # fourth image, second row
    assert drawn[5, 2] == 15 / 16


def test_gaps_and_empty_places_are_left_blank():
    blank = np.isnan(canvas(plotting.image_grid(FOUR, 3)))
    assert blank[[0, 3, 6]].all()
    assert blank[:, [0, 3, 6, 9]].all()
    assert blank[4:6, 4:].all()
    assert (~blank).sum() == 16


def test_few_images_make_a_short_row():
    assert canvas(plotting.image_grid(FOUR[:2], 10)).shape == (4, 7)


def test_8_bit_images_are_drawn_like_their_fractions():
    grey = np.array([[[0, 51], [204, 255]]], np.uint8)
    drawn = canvas(plotting.image_grid(grey))
    assert drawn[1:3, 1:3].ravel() == pytest.approx([0, 0.2, 0.8, 1])


def test_black_is_zero_and_white_is_one_whatever_the_images():
    ax = plotting.image_grid(np.full((1, 2, 2), 0.5))
    assert ax.images[0].get_clim() == (0, 1)
    assert rendered(ax, 1, 1) in ([127] * 3, [128] * 3)


def test_the_first_image_is_rendered_in_the_upper_left_corner():
    ax = plotting.image_grid(np.stack([np.ones((2, 2)), *np.zeros((3, 2, 2))]), 2)
    assert rendered(ax, 1, 1) == [255, 255, 255]
    assert rendered(ax, 4, 1) == rendered(ax, 1, 4) == rendered(ax, 4, 4) == [0, 0, 0]
    _, height = ax.transAxes.inverted().transform(ax.transData.transform((1, 1)))
    assert height > 0.5


def test_titles_stand_over_their_columns():
    ax = plotting.image_grid(FOUR, 2, titles=["left", "right"])
    assert texts(ax) == ["left", "right"]
    left, right = (text.get_position() for text in ax.texts)
    assert left[0] == pytest.approx(1.5)  # the middle of columns 1 and 2
    assert right[0] == pytest.approx(4.5)
    assert left[1] < 0  # above the first row


@pytest.mark.parametrize("wrong", [FOUR[0], FOUR[:0], FOUR[None]])
def test_a_grid_refuses_what_is_no_stack_of_images(wrong):
    with pytest.raises(ShapeError, match=r"shape .* Give \(n, height, width\)"):
        plotting.image_grid(wrong)


@pytest.mark.parametrize("columns", [0, -1])
def test_a_grid_refuses_fewer_columns_than_one(columns):
    with pytest.raises(ValueError, match=rf"columns is {columns}. Use at least 1"):
        plotting.image_grid(FOUR, columns)


def test_rows_keep_their_order_and_carry_their_names():
    ax = plotting.image_rows({"ones": np.ones((3, 2, 2)), "zeros": np.zeros((3, 2, 2))})
    drawn = canvas(ax)
    assert drawn.shape == (7, 10)
    assert np.nanmin(drawn[1:3]) == 1
    assert np.nanmax(drawn[4:6]) == 0
    assert texts(ax) == ["ones", "zeros"]
    upper, lower = (text.get_position()[1] for text in ax.texts)
    assert (1 <= upper <= 3, 4 <= lower <= 6) == (True, True)


def test_rows_may_mix_8_bit_and_fractions():
    white = np.full((2, 2, 2), 255, np.uint8)
    assert np.nanmin(canvas(plotting.image_rows({"a": white, "b": np.ones((2, 2, 2))}))) == 1


@pytest.mark.parametrize("rows", [{}, {"a": FOUR, "b": FOUR[:3]}, {"a": FOUR, "b": FOUR[:, :1]}])
def test_rows_refuse_different_shapes(rows):
    with pytest.raises(ShapeError, match="Give rows of equal length"):
        plotting.image_rows(rows)


def test_reconstructions_stand_below_their_images():
    drawn = canvas(plotting.reconstructions(FOUR, 1 - FOUR))
    assert drawn[1:3, 4:6].ravel() == pytest.approx(FOUR[1].ravel())
    assert drawn[4:6, 4:6].ravel() == pytest.approx(1 - FOUR[1].ravel())


def test_a_path_is_one_row_with_the_share_of_the_way():
    ax = plotting.interpolation_strip(np.concatenate([FOUR, FOUR[:1]]))
    assert canvas(ax).shape == (4, 16)
    assert texts(ax) == ["0", "0.25", "0.5", "0.75", "1"]


# --- Training ---


def test_curves_show_each_number_at_its_epoch():
    ax = plotting.training_curves(HISTORY)
    lines = {line.get_label(): line for line in ax.lines}
    expected = {
        "distortion, training": [180, 130, 115],
        "distortion, held out": [174, 131, 119],
        "rate, training": [10, 20, 25],
        "rate, held out": [11, 21, 26],
    }
    assert {name: line.get_ydata().tolist() for name, line in lines.items()} == expected
    assert all(line.get_xdata().tolist() == [1, 2, 3] for line in lines.values())
    assert [text.get_text() for text in ax.get_legend().get_texts()] == list(lines)


def test_training_is_solid_and_held_out_dashed_and_the_axis_starts_at_zero():
    ax = plotting.training_curves(HISTORY)
    styles = {line.get_label().split(", ")[1]: line.get_linestyle() for line in ax.lines}
    assert styles == {"training": "-", "held out": "--"}
    assert ax.get_ylim()[0] == 0
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("epoch", "nats per image")


def test_curves_refuse_a_training_without_an_epoch():
    with pytest.raises(ShapeError, match=r"No epoch was completed. Train for at least one"):
        plotting.training_curves(History(*[np.empty(0)] * 7))


# --- Latent space ---


def test_a_map_puts_cell_and_pixel_where_they_belong():
    grid = np.arange(2 * 3 * 4 * 5).reshape(2, 3, 4, 5) / 120
    drawn = canvas(plotting.manifold(grid))
    assert drawn.shape == (2 * 4, 3 * 5)
    assert drawn[0, 0] == grid[0, 0, 0, 0]
    assert drawn[4 + 3, 2 * 5 + 1] == grid[1, 2, 3, 1]
    assert drawn[3, 14] == grid[0, 2, 3, 4]


def test_the_first_row_of_a_map_is_where_the_second_latent_is_largest():
    grid = np.zeros((2, 2, 1, 1))
    grid[0, 1] = 1
    ax = plotting.manifold(grid)
    assert rendered(ax, 0.75, 0.75) == [255, 255, 255]
    assert rendered(ax, 0.25, 0.75) == rendered(ax, 0.75, 0.25) == [0, 0, 0]


def test_a_map_refuses_other_arrays():
    with pytest.raises(ShapeError, match="Give that of latent_grid"):
        plotting.manifold(FOUR)


def test_codes_are_drawn_where_they_are_one_colour_a_class():
    ax = plotting.latent_scatter(CODES, LABELS)
    three, seven = ax.collections
    assert three.get_offsets().tolist() == CODES[:3].tolist()
    assert seven.get_offsets().tolist() == CODES[3:].tolist()
    assert three.get_facecolor()[0, :3].tolist() == list(plt.get_cmap("tab10")(3)[:3])
    assert seven.get_facecolor()[0, :3].tolist() == list(plt.get_cmap("tab10")(7)[:3])


def test_the_class_is_written_at_its_median_and_both_axes_have_one_scale():
    ax = plotting.latent_scatter(CODES, LABELS)
    assert texts(ax) == ["3", "7"]
    assert [text.get_position() for text in ax.texts] == [(2, 1), (-2, -3)]
    assert ax.get_aspect() == 1


@pytest.mark.parametrize(
    ("codes", "labels"),
    [(CODES[:, :1], LABELS), (np.zeros((5, 3)), LABELS), (CODES, LABELS[:4]), (CODES[0], LABELS)],
)
def test_a_scatter_refuses_what_does_not_fit(codes, labels):
    with pytest.raises(ShapeError, match="project longer codes to two dimensions"):
        plotting.latent_scatter(codes, labels)


def test_a_png_is_of_the_whole_figure_which_is_closed():
    figure, (left, _) = plt.subplots(1, 2, figsize=(4, 2))
    data = plotting.png(left)
    assert data.startswith(b"\x89PNG\r\n")
    width, height = (int.from_bytes(data[at : at + 4]) for at in (16, 20))
    assert width > 1.5 * height
    assert figure.number not in plt.get_fignums()
