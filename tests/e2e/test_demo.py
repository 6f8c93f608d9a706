"""./run demo, as far as it can be run without building: the three examples on the programs that are tested."""

import time

from server import PYTHON, REPOSITORY

LIMIT_OF_THE_DEMO = 120  # in which it ends even where ten others run; by itself it takes a few seconds


def test_the_demo_shows_its_examples_in_time_and_leaves_nothing(server):
    started = time.monotonic()
    result = server.run([PYTHON, REPOSITORY / "data" / "demo", server.programs], limit=LIMIT_OF_THE_DEMO)
    took = time.monotonic() - started
    assert result.status == 0, result
    assert result.out.count("SESSIONNAME") >= 6
    for text in ("$ connect", "/password:", "connect TERM03 /v /dest:"):
        assert text in result.out
    server.pump.wait(lambda: server.processes() == [], lambda: "none of its processes to be left: %s" % server.processes())
    assert not [p for p in server.home.rglob("*") if "termserv-demo" in p.name]
    print("the demo took %.1f s" % took)


def test_run_without_a_terminal_says_so_and_points_to_the_demo(server):
    result = server.run([REPOSITORY / "run"])
    assert result.status == 2 and result.out == ""
    assert "terminal" in result.err and "./run demo" in result.err
