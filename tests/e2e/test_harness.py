"""The harness keeps what it promises: a leak check that hangs is freed, and nothing else is touched."""

import os
import signal
import subprocess
import time

import pytest

import processes
from server import PYTHON, default_programs
from terminal import Pump

# What LeakSanitizer does at a program's end, when its SIGSTOP got lost: seized, the program is traced and runs.
HANGS = """
import ctypes, os
libc = ctypes.CDLL(None, use_errno=True)
PTRACE_SEIZE, PTRACE_DETACH, PR_SET_PTRACER, WALL = 0x4206, 17, 0x59616d61, 0x40000000
me = os.getpid()
here, there = os.pipe()
tracer = os.fork()
if tracer == 0:
    os.read(here, 1)
    if libc.ptrace(PTRACE_SEIZE, me, None, None) != 0:
        os._exit(9)
    os.waitpid(me, WALL)
    libc.ptrace(PTRACE_DETACH, me, None, None)
    os._exit(0)
libc.prctl(PR_SET_PTRACER, tracer, 0, 0, 0)
os.write(there, b"!")
while True:
    pid, status = os.waitpid(tracer, os.WNOHANG)
    if pid:
        os._exit(os.waitstatus_to_exitcode(status))
    os.sched_yield()
"""


def hangs(process):
    return any(pid == process.pid for pid, _ in processes.traced_by_a_child(processes.table()))


def test_a_leak_check_that_hangs_is_freed():
    pump = Pump()
    process = subprocess.Popen([PYTHON, "-c", HANGS])
    try:
        pump.wait(lambda: hangs(process), "a program that hangs")
        pump.wait(lambda: process.poll() is not None, "the program to end")
        assert process.returncode == 0
    finally:
        process.kill()
        process.wait()


def test_what_hangs_is_stopped_once_and_not_at_the_first_look(monkeypatch):
    sent = []
    monkeypatch.setattr(processes, "kill", lambda *arguments: sent.append(arguments))
    process = subprocess.Popen([PYTHON, "-c", HANGS])
    try:
        Pump().wait(lambda: hangs(process), "a program that hangs")
        checks = processes.LeakChecks()
        monkeypatch.setattr(checks, "APART", 3600)  # however slow we are
        assert checks.free() == [] and checks.free() == []
        monkeypatch.setattr(checks, "APART", 0)
        # One look may meet it just when it does not run.
        Pump().wait(lambda: checks.free() == [process.pid], "it to be stopped")
        assert checks.free() == []
        assert sent == [(process.pid, signal.SIGSTOP)]
    finally:
        process.kill()
        process.wait()


def test_a_busy_program_is_not_touched():
    process = subprocess.Popen([PYTHON, "-c", "import os\nif os.fork() == 0: os.read(0, 1)\nelse:\n while True: pass"],
                               stdin=subprocess.PIPE)
    try:
        Pump().wait(lambda: processes.table()[process.pid].state == "R", "a busy program")
        assert not hangs(process)
    finally:
        process.stdin.close()
        process.kill()
        process.wait()


def test_a_storm_of_continue_signals_holds_no_program_up():
    """Most of them hang; that is the sanitizer's fault, which the pump mends."""
    if b"__asan_init" not in (default_programs() / "termserv").read_bytes():
        pytest.skip("no sanitizer in this build")
    pump = Pump()
    for _ in range(5):
        process = subprocess.Popen([default_programs() / "termserv", "--version"], stdout=subprocess.DEVNULL)
        try:
            until = time.monotonic() + 0.5
            while process.poll() is None and time.monotonic() < until:
                os.kill(process.pid, signal.SIGCONT)
            pump.wait(lambda: process.poll() is not None, "the program to end")
            assert process.returncode == 0
        finally:
            process.kill()
            process.wait()
