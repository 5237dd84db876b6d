"""Live figures: they run in the published page, without a kernel."""

from vae_course.widgets.digit_on_demand import DigitOnDemand
from vae_course.widgets.draw_digit import DrawDigit
from vae_course.widgets.explorer import LatentExplorer
from vae_course.widgets.interpolation import Interpolation
from vae_course.widgets.kl_and_bound import KLAndBound
from vae_course.widgets.rate_distortion import RateDistortion
from vae_course.widgets.reparameterization import Reparameterization
from vae_course.widgets.traversal import Traversal

__all__ = [
    "DigitOnDemand",
    "DrawDigit",
    "Interpolation",
    "KLAndBound",
    "LatentExplorer",
    "RateDistortion",
    "Reparameterization",
    "Traversal",
]
