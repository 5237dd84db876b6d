"""What a guest finds: the grader's own images and classifier, at once and without a network."""

import pytest
from grading_runs import Machine, job, needs_bubblewrap
from hub_layout import grey_images, write_folder

from vae_course.grading.supplies import gather

pytestmark = [pytest.mark.slow, needs_bubblewrap]
# A warning would say that the images were decoded again.
LOOKS = """
import os, warnings
warnings.simplefilter("error")
from vae_course.data import load_images
from vae_course.checks.classifier import classifier_file
images = load_images()
kl_in_bits = float(images.test_images[0].sum())
predicted_ratio = len(classifier_file(images).read_bytes())
os.stat(os.path.join(os.environ["MPLCONFIGDIR"], os.listdir(os.environ["MPLCONFIGDIR"])[0]))
"""


@pytest.fixture(params=["digits", "a folder"])
def machine(request, tmp_path, monkeypatch):
    folder = write_folder(tmp_path / "mine", grey_images(300), grey_images(40, seed=1))
    monkeypatch.setenv("VAE_COURSE_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("VAE_COURSE_DATA", "digits" if request.param == "digits" else str(folder))
    made = Machine()
    yield made
    made.place.remove()


def test_a_guest_loads_the_same_images_and_the_classifier_from_the_cache(machine):
    result = machine.grade(job([LOOKS]))
    assert result.cells == ()
    said = {task.task: task for task in result.tasks}
    ink = machine.supplies.images.test_images[0].sum()
    assert f"kl_in_bits is {ink};" in said["kl_in_bits"].message
    assert said["predicted_ratio"].status == "passed"


def test_what_is_there_is_not_made_again(machine):
    before = {path: path.stat().st_mtime_ns for path in machine.supplies.files.values()}
    assert len(before) == 3
    again = gather()
    assert {path: path.stat().st_mtime_ns for path in again.files.values()} == before
