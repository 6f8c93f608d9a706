"""The tests for all users run in a world of their own (world.py); each has a server of its own and leaves nothing behind.

Started outside of that world, pytest starts itself again inside it. Without root everything is skipped, and says so.
"""

import os
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "e2e")]

import processes  # noqa: E402
import world  # noqa: E402
from sshd import Sshd  # noqa: E402
from system_server import SystemServer  # noqa: E402

AS_ROOT_ONLY = "needs root: namespaces, several uids, PAM"


@pytest.hookimpl(tryfirst=True)
def pytest_cmdline_main(config):
    if world.inside() or os.geteuid() != 0 or config.option.collectonly or hasattr(config, "workerinput"):
        return None
    if not (world.programs_to_test() / "termservd").exists():
        raise pytest.UsageError("no programs in %s: build them, or set TERMSERV_BIN" % world.programs_to_test())
    config.pluginmanager.getplugin("capturemanager").stop_global_capturing()
    return world.run([sys.executable, "-m", "pytest", *map(str, config.invocation_params.args)])


def pytest_configure(config):
    if not world.inside():
        return
    controls_workers = getattr(config.option, "numprocesses", None) or getattr(config.option, "dist", "no") != "no"
    if hasattr(config, "workerinput") or not controls_workers:
        world.own_room()
        processes.adopt_orphans()


def pytest_collection_modifyitems(config, items):
    for item in items:
        if not world.inside() and HERE in item.path.parents:
            item.add_marker(pytest.mark.skip(reason=AS_ROOT_ONLY))


@pytest.hookimpl(tryfirst=True, hookwrapper=True)
def pytest_runtest_makereport(item, call):
    outcome = yield
    setattr(item, "report_" + outcome.get_result().when, outcome.get_result())


@pytest.fixture
def configured(request):
    """configured(config) is a server with this configuration that serves."""
    servers = []

    def start(*arguments, **options):
        assert not servers, "one server a test"
        servers.append(SystemServer(*arguments, **options))
        return servers[0].start()
    yield start
    if servers:
        servers[0].finish(request)


@pytest.fixture
def server(configured):
    return configured()


@pytest.fixture
def folder(request):
    """The server's folders and people without a server: for tests that play a part of it themselves."""
    system = SystemServer()
    yield system
    system.finish(request)


@pytest.fixture
def sshd(server):
    """A real sshd beside the server; sshd(extra lines of its configuration)."""
    started = []

    def start(*arguments, **options):
        started.append(Sshd(server, *arguments, **options).start())
        return started[-1]
    yield start
    for daemon in started:
        daemon.end()
