"""Figures: arrays in, Matplotlib axes out.

Every function draws on ``ax`` (or on a new one), and returns it. Nothing is shown; `png` alone
makes a file's bytes of it.
"""

import io

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from vae_course.errors import ConfigError, ShapeError
from vae_course.training import History

__all__ = [
    "image_grid",
    "image_rows",
    "interpolation_strip",
    "latent_scatter",
    "manifold",
    "png",
    "reconstructions",
    "training_curves",
]

GAP = 1


def image_grid(
    images: np.ndarray,
    columns: int = 10,
    *,
    titles: list[str] | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Images side by side, row after row.

    Args:
        images: ``(n, height, width)``, in [0, 1], or uint8 up to 255.
        columns: images in a row.
        titles: a short text over each image of the first row, if any.
        ax: where to draw.

    Returns:
        The axes.

    Raises:
        ConfigError: if ``columns`` is below 1.
        ShapeError: if ``images`` is empty or not of three axes.
    """
    if np.ndim(images) != 3 or not len(images):
        raise ShapeError(f"The images have shape {np.shape(images)}.", "Give (n, height, width).")
    if columns < 1:
        raise ConfigError(f"columns is {columns}.", "Use at least 1.")
    images = _unit(images)
    columns = min(columns, len(images))
    rows = -(-len(images) // columns)
    height, width = images.shape[1] + GAP, images.shape[2] + GAP
    canvas = np.full((rows * height + GAP, columns * width + GAP), np.nan)
    for index, image in enumerate(images):
        row, column = divmod(index, columns)
        top, left = row * height + GAP, column * width + GAP
        canvas[top : top + height - GAP, left : left + width - GAP] = image
    ax = _axes(ax, (0.62 * columns, 0.62 * rows + (0.25 if titles else 0)))
    ax.imshow(canvas, cmap="gray", vmin=0, vmax=1, interpolation="nearest")
    ax.set_axis_off()
    for column, title in enumerate(titles or []):
        ax.text(column * width + width / 2, -2, title, ha="center", va="bottom", fontsize=8)
    return ax


def image_rows(rows: dict[str, np.ndarray], *, ax: Axes | None = None) -> Axes:
    """Rows of images, each with its name on the left.

    Args:
        rows: name → images ``(n, height, width)``; all rows of the same n.
        ax: where to draw.

    Returns:
        The axes.

    Raises:
        ShapeError: if the rows differ in shape.
    """
    shapes = {np.shape(images) for images in rows.values()}
    if len(shapes) != 1:
        raise ShapeError(f"The rows have shapes {sorted(shapes)}.", "Give rows of equal length.")
    (shape,) = shapes
    ax = image_grid(np.concatenate([_unit(row) for row in rows.values()]), shape[0], ax=ax)
    for index, name in enumerate(rows):
        middle = index * (shape[1] + GAP) + shape[1] / 2
        ax.text(-2, middle, name, ha="right", va="center", fontsize=9)
    return ax


def reconstructions(x: np.ndarray, decoded: np.ndarray, *, ax: Axes | None = None) -> Axes:
    """Images in the upper row, their reconstructions in the lower.

    Args:
        x: the images, ``(n, height, width)``.
        decoded: their reconstructions, same shape, in [0, 1].
        ax: where to draw.

    Returns:
        The axes.
    """
    return image_rows({"image": x, "reconstruction": decoded}, ax=ax)


def interpolation_strip(images: np.ndarray, *, ax: Axes | None = None) -> Axes:
    """A path through latent space as one row of images.

    Args:
        images: ``(steps, height, width)``, from `generation.interpolate`.
        ax: where to draw.

    Returns:
        The axes.
    """
    shares = np.linspace(0, 1, len(images))
    return image_grid(images, len(images), titles=[f"{share:.2g}" for share in shares], ax=ax)


def training_curves(history: History, *, ax: Axes | None = None) -> Axes:
    """Rate and distortion after each epoch, training solid and held-out dashed.

    Args:
        history: from `training.fit`.
        ax: where to draw.

    Returns:
        The axes.

    Raises:
        ShapeError: if no epoch was completed.
    """
    if not history.epochs:
        raise ShapeError("No epoch was completed.", "Train for at least one.")
    ax = _axes(ax, (6, 3.5))
    epochs = np.arange(1, history.epochs + 1)
    for name, color in (("distortion", "C0"), ("rate", "C1")):
        ax.plot(epochs, getattr(history, f"train_{name}"), color, label=f"{name}, training")
        ax.plot(epochs, getattr(history, f"test_{name}"), f"{color}--", label=f"{name}, held out")
    ax.set(xlabel="epoch", ylabel="nats per image", ylim=(0, None))
    ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    ax.legend()
    return ax


def manifold(grid: np.ndarray, *, ax: Axes | None = None) -> Axes:
    """The map of a two-dimensional latent space.

    Args:
        grid: ``(side, side, height, width)``, from `generation.latent_grid`.
        ax: where to draw.

    Returns:
        The axes.

    Raises:
        ShapeError: if ``grid`` is not of four axes.
    """
    if np.ndim(grid) != 4:
        raise ShapeError(f"The grid has shape {np.shape(grid)}.", "Give that of latent_grid.")
    rows, columns, height, width = grid.shape
    ax = _axes(ax, (6, 6))
    sheet = grid.transpose(0, 2, 1, 3).reshape(rows * height, columns * width)
    ax.imshow(sheet, cmap="gray", vmin=0, vmax=1, interpolation="nearest", extent=(0, 1, 0, 1))
    ax.set(xlabel="share of the prior, first latent", ylabel="share of the prior, second latent")
    ax.grid(visible=False)
    return ax


def latent_scatter(codes: np.ndarray, labels: np.ndarray, *, ax: Axes | None = None) -> Axes:
    """Codes in the plane, coloured and numbered by class.

    Args:
        codes: ``(n, 2)``.
        labels: class of each, ``(n,)``, 0 to 9.
        ax: where to draw.

    Returns:
        The axes.

    Raises:
        ShapeError: if the codes are not of two dimensions, or the labels not as many.
    """
    if np.ndim(codes) != 2 or np.shape(codes)[1] != 2 or len(codes) != len(labels):
        raise ShapeError(
            f"There are codes of shape {np.shape(codes)} and {len(labels)} labels.",
            "Give (n, 2) and (n,); project longer codes to two dimensions first.",
        )
    ax = _axes(ax, (6, 5))
    colors = plt.get_cmap("tab10")
    for label in np.unique(labels):
        points = codes[labels == label]
        ax.scatter(
            points[:, 0], points[:, 1], s=4, alpha=0.5, color=colors(int(label)), label=str(label)
        )
        # The digit itself is drawn too, so that colour is not the only sign.
        x, y = np.median(points, axis=0)
        box = {"facecolor": "white", "alpha": 0.7, "edgecolor": "none", "pad": 1}
        ax.text(x, y, str(label), fontsize=11, fontweight="bold", bbox=box)
    ax.set_aspect("equal")
    return ax


def png(ax: Axes) -> bytes:
    """The whole figure of ``ax`` as a PNG file; the figure is closed, and not shown again."""
    buffer = io.BytesIO()
    figure = ax.get_figure(root=True)
    assert figure is not None  # an axes of pyplot always has one
    figure.savefig(buffer, format="png", dpi=80, bbox_inches="tight")
    plt.close(figure)
    return buffer.getvalue()


def _axes(ax: Axes | None, size: tuple[float, float]) -> Axes:
    return plt.subplots(figsize=size)[1] if ax is None else ax


def _unit(images: np.ndarray) -> np.ndarray:
    images = np.asarray(images)
    return images / 255 if images.dtype == np.uint8 else images
