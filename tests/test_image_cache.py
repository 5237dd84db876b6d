import errno
import os
import subprocess
import sys
import threading
import warnings
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from vae_course import image_cache
from vae_course.image_cache import (
    cache_folder,
    load_cached,
    sha256_of,
    store_cached,
    write_atomically,
)
from vae_course.image_sources import RawImages

SOURCE = "somewhere/images"


@pytest.fixture
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("VAE_COURSE_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def raw():
    rng = np.random.default_rng(0)
    arrays = (rng.integers(0, 256, shape, np.uint8) for shape in ((3, 4, 5), 3, (2, 4, 5), 2))
    return RawImages(*arrays)


@pytest.fixture
def stored(cache, raw):
    """The only file in a cache that holds ``raw`` as `SOURCE`."""
    store_cached(SOURCE, raw)
    (path,) = (cache / "images").iterdir()
    return path


def same(one, other):
    return all(
        a.dtype == b.dtype and a.shape == b.shape and (a == b).all()
        for a, b in zip(one, other, strict=True)
    )


def files_in(folder):
    return sorted(path.name for path in folder.rglob("*") if path.is_file())


def test_sha256_by_hand():
    # The published SHA-256 of "abc", which are the bytes 97, 98 and 99.
    expected = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    assert sha256_of(np.array([[97, 98, 99]], np.uint8)) == expected


def test_sha256_is_in_file_order_whatever_the_strides():
    images = np.arange(24, dtype=np.uint8).reshape(2, 3, 4)
    assert sha256_of(np.asfortranarray(images)) == sha256_of(images)
    assert sha256_of(images.transpose(0, 2, 1)) != sha256_of(images)


def test_the_folder_is_the_variables_or_the_users(monkeypatch, tmp_path):
    monkeypatch.setenv("VAE_COURSE_CACHE", str(tmp_path))
    assert cache_folder() == tmp_path
    monkeypatch.delenv("VAE_COURSE_CACHE")
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    assert cache_folder().is_relative_to(Path.home())
    assert "vae-course" in cache_folder().parts


@pytest.mark.usefixtures("cache")
def test_an_empty_cache_holds_nothing():
    assert load_cached(SOURCE) is None


@pytest.mark.usefixtures("stored")
def test_what_was_stored_is_found_again(raw):
    assert same(load_cached(SOURCE), raw)


@pytest.mark.usefixtures("stored")
def test_another_source_finds_nothing():
    assert load_cached(SOURCE + "2") is None


def test_storing_again_replaces(stored, raw):
    other = RawImages(*(255 - array for array in raw))
    store_cached(SOURCE, other)
    assert same(load_cached(SOURCE), other)
    assert files_in(stored.parent) == [stored.name]


@pytest.mark.usefixtures("cache")
def test_strided_arrays_are_stored_as_they_are(raw):
    # safetensors writes the bytes of a strided array in the wrong order, without a word.
    backwards = RawImages(*(array[::-1] for array in raw))
    store_cached(SOURCE, backwards)
    assert same(load_cached(SOURCE), backwards)


def test_a_file_of_another_source_under_this_name_is_not_believed(cache, raw, stored):
    store_cached("another", raw)
    (other,) = set((cache / "images").iterdir()) - {stored}
    other.replace(stored)
    with pytest.warns(UserWarning, match="do not match .* decoded again"):
        assert load_cached(SOURCE) is None


@pytest.mark.parametrize("length", [0, 7, 8, 100, -1])
def test_a_truncated_file_is_noticed(stored, length):
    stored.write_bytes(stored.read_bytes()[:length])
    with pytest.warns(UserWarning, match="damaged .* decoded again"):
        assert load_cached(SOURCE) is None


def test_a_file_of_something_else_is_noticed(stored):
    stored.write_text("something else entirely")
    with pytest.warns(UserWarning, match="damaged .* decoded again"):
        assert load_cached(SOURCE) is None


@given(data=st.data())
@settings(
    deadline=None,
    max_examples=100,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
def test_a_flipped_byte_never_gives_other_images(stored, raw, data):
    sound = stored.read_bytes()
    place = data.draw(st.integers(0, len(sound) - 1))
    damaged = bytearray(sound)
    damaged[place] ^= data.draw(st.integers(1, 255))
    stored.write_bytes(damaged)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        found = load_cached(SOURCE)
    stored.write_bytes(sound)
    # A space that became a tab in the header's padding is no damage.
    assert same(found, raw) if found else "decoded again" in str(caught[0].message)


def test_a_flipped_pixel_is_noticed(stored, raw):
    content = stored.read_bytes()
    place = content.index(raw.train_images.tobytes()) + 7
    stored.write_bytes(content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :])
    with pytest.warns(UserWarning, match="do not match their hash"):
        assert load_cached(SOURCE) is None


def test_a_flipped_type_is_noticed(stored):
    # One byte turns U8 into I8: the same bytes, and every bright pixel negative.
    stored.write_bytes(stored.read_bytes().replace(b'"U8"', b'"I8"', 1))
    with pytest.warns(UserWarning, match="do not match their hash"):
        assert load_cached(SOURCE) is None


@pytest.mark.parametrize("step", ["fsync", "replace"])
def test_a_full_disk_warns_and_leaves_nothing(cache, raw, monkeypatch, step):
    def full(*_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(image_cache.os, step, full)
    with pytest.warns(UserWarning, match=r"No space left.*set VAE_COURSE_CACHE"):
        store_cached(SOURCE, raw)
    assert files_in(cache) == []


def test_a_folder_that_cannot_be_made_warns(tmp_path, raw, monkeypatch):
    # Under a regular file nobody can make a folder, not even root, who runs CI.
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("VAE_COURSE_CACHE", str(tmp_path / "file" / "cache"))
    with pytest.warns(UserWarning, match=r"could not be cached .*set VAE_COURSE_CACHE"):
        store_cached(SOURCE, raw)
    assert load_cached(SOURCE) is None


def test_writing_makes_the_folder_and_replaces(tmp_path):
    path = tmp_path / "a" / "b" / "file"
    write_atomically(path, b"old")
    write_atomically(path, b"new")
    assert path.read_bytes() == b"new"
    assert files_in(tmp_path) == ["file"]


@pytest.mark.parametrize("step", ["fsync", "replace"])
@pytest.mark.parametrize("error", [KeyboardInterrupt, OSError])
def test_an_interrupted_write_keeps_the_old_content(tmp_path, monkeypatch, step, error):
    path = tmp_path / "file"
    write_atomically(path, b"old")

    def interrupt(*_):
        raise error

    monkeypatch.setattr(image_cache.os, step, interrupt)
    with pytest.raises(error):
        write_atomically(path, b"new")
    assert path.read_bytes() == b"old"
    assert files_in(tmp_path) == ["file"]


def test_threads_that_write_at_once_leave_one_whole_file(tmp_path):
    path = tmp_path / "file"
    contents = [bytes([number]) * 100_000 for number in range(6)]
    threads = [threading.Thread(target=write_atomically, args=(path, c)) for c in contents]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert path.read_bytes() in contents
    assert files_in(tmp_path) == ["file"]


def test_processes_that_write_at_once_show_a_reader_whole_files_only(tmp_path):
    path = tmp_path / "file"
    contents = [b"a" * 1_000_000, b"b" * 1_000_000]
    write_atomically(path, contents[0])
    code = (
        "import sys; from pathlib import Path; from vae_course.image_cache import *\n"
        "for _ in range(20): write_atomically(Path(sys.argv[1]), sys.argv[2].encode() * 1_000_000)"
    )
    writers = [subprocess.Popen([sys.executable, "-c", code, path, name]) for name in "ab"]
    seen = []
    while any(writer.poll() is None for writer in writers):
        seen.append(path.read_bytes() in contents)
    assert [writer.returncode for writer in writers] == [0, 0]
    assert all(seen)
    assert len(seen) > 2
    assert files_in(tmp_path) == ["file"]
