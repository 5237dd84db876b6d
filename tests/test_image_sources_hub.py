"""The hub's side of `image_sources`: whether it answers, and what is said where it does not."""

import contextlib
import http.server
import os
import socket
import threading

import datasets
import pytest

from vae_course import image_sources
from vae_course.errors import DataError
from vae_course.image_sources import MNIST_HUB_ID, hub_reachable, read_hub


@pytest.fixture
def online(monkeypatch):
    """Ask the address in HF_ENDPOINT, and no proxy."""
    monkeypatch.delenv("HF_HUB_OFFLINE", raising=False)
    monkeypatch.setenv("no_proxy", "*")
    return lambda address: monkeypatch.setenv("HF_ENDPOINT", address)


@contextlib.contextmanager
def server(status):
    """The address of a web server on this machine that answers every HEAD alike."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_HEAD(self):
            self.send_response(status)
            self.end_headers()

        def log_message(self, *_):
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as running:
        thread = threading.Thread(target=running.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{running.server_port}"
        finally:  # also where the test fails: a thread that serves on would keep pytest alive
            running.shutdown()
            thread.join()


@pytest.mark.parametrize("name", ["two words", "a/b/c", "what?", "http://x.org/set", "a//b"])
def test_a_nonsense_name_is_refused(name):
    with pytest.raises(DataError, match=r"neither a folder nor .* Set VAE_COURSE_DATA to a folder"):
        read_hub(name)


def test_a_hub_name_is_refused_offline():
    with pytest.raises(DataError, match=r"hub cannot be reached.*Check the network, or set VAE"):
        read_hub(MNIST_HUB_ID)


def test_a_set_that_the_hub_does_not_have_is_refused(monkeypatch):
    def missing(*_, **__):
        raise datasets.exceptions.DatasetNotFoundError("no such set")

    monkeypatch.setattr(image_sources, "hub_reachable", lambda: True)
    monkeypatch.setattr(datasets, "load_dataset", missing)
    with pytest.raises(DataError, match=r"'some/set' could not be read \(DatasetNotFoundError"):
        read_hub("some/set")


@pytest.mark.parametrize("status", [200, 404, 429])
def test_the_hub_is_reached_when_it_answers_whatever_it_says(online, status):
    with server(status) as address:
        online(address)
        assert hub_reachable(5.0) is True


@pytest.mark.parametrize("status", [403, 407, 502, 503, 504])
def test_a_proxy_that_refuses_is_not_the_hub(online, status):
    with server(status) as address:
        online(address)
        assert hub_reachable(1.0) is False


@pytest.mark.parametrize("value", ["1", "true", "YES", "on"])
def test_nobody_is_asked_when_offline_is_wanted(online, monkeypatch, value):
    with server(200) as address:
        online(address)
        monkeypatch.setenv("HF_HUB_OFFLINE", value)
        assert hub_reachable(5.0) is False
        monkeypatch.setenv("HF_HUB_OFFLINE", "0")
        assert hub_reachable(5.0) is True


def test_a_refused_connection_is_out_of_reach(online):
    with socket.create_server(("127.0.0.1", 0)) as unused:
        port = unused.getsockname()[1]
    online(f"http://127.0.0.1:{port}")
    assert hub_reachable() is False


def test_a_server_that_never_answers_is_out_of_reach(online):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        online(f"http://127.0.0.1:{silent.getsockname()[1]}")
        assert hub_reachable(0.2) is False


def test_a_server_that_speaks_no_http_is_out_of_reach(online):
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def answer():
            with listening.accept()[0] as connection:
                connection.recv(1000)
                connection.sendall(b"nonsense\r\n\r\n")

        thread = threading.Thread(target=answer, daemon=True)
        thread.start()
        online(f"http://127.0.0.1:{listening.getsockname()[1]}")
        assert hub_reachable(2.0) is False
        thread.join(5.0)


@pytest.mark.parametrize("address", ["nonsense", "http://localhost:port", "http://[::1", "http://"])
def test_an_address_that_is_none_is_out_of_reach(online, address):
    online(address)
    assert hub_reachable(2.0) is False


def test_these_tests_run_offline():
    assert os.environ["HF_HUB_OFFLINE"] == "1"
