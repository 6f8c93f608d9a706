"""For all tests that pytest runs: none may last for ever. Who hangs fails by name, with what each thread was at."""

import pytest

TEST_S = 600  # far more than the slowest test needs on a slow and loaded machine; ours wait for a minute at most for any one thing


def pytest_collection_modifyitems(config, items):
    for item in items:
        if config.pluginmanager.hasplugin("timeout") and item.get_closest_marker("timeout") is None:
            item.add_marker(pytest.mark.timeout(TEST_S))
