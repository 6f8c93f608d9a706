"""Each test has a server of its own and leaves no process behind."""

import pytest

import processes
from server import Server, default_programs


def pytest_configure(config):
    processes.adopt_orphans()


def pytest_collection_modifyitems(config, items):
    if not (default_programs() / "termserv").exists():
        raise pytest.UsageError("no programs in %s: build them, or set TERMSERV_BIN" % default_programs())


@pytest.hookimpl(tryfirst=True, hookwrapper=True)
def pytest_runtest_makereport(item, call):
    outcome = yield
    setattr(item, "report_" + outcome.get_result().when, outcome.get_result())


@pytest.fixture
def server(request):
    yield from serve(request, Server())


@pytest.fixture
def another(request):
    """A second server beside the first, in another folder."""
    yield from serve(request, Server())


def serve(request, server):
    try:
        yield server
        failed = getattr(request.node, "report_call", None) is None or request.node.report_call.failed
        if failed:
            show(server)
        faults = server.end() + server.breakdowns()
        log = server.log()
    finally:
        server.clear()
    if faults and not failed:
        pytest.fail("\n".join(faults) + "\n--- log\n" + log[-4000:])


def show(server):
    print("--- log of the server\n" + server.log()[-4000:])
    for process in server.processes():
        print(process)
    for terminal in server.pump.terminals:
        print(terminal.report())
