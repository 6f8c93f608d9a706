"""termserv: a leader and a host a session, the screen model beside the bytes."""
import json
import os
import subprocess


def _program(bench, name="termserv"):
    runtime = os.path.join(bench.folder, "termserv")
    os.makedirs(runtime, mode=0o700, exist_ok=True)
    bench.environment["TERMSERV_RUNTIME_DIR"] = runtime
    return str(bench.build / "bin" / name)


def available(bench):
    return os.path.exists(_program(bench))


def start(bench, command):
    return bench.quiet(_program(bench), "logon", "--detached", "--", *command).strip()


def attach(bench, session):
    return [_program(bench, "connect"), session]


def listing(bench):
    return [_program(bench, "query"), "session"]


def model(bench, kind, megabytes):
    return float(bench.quiet(str(bench.build / "bench" / "bench-vt"), kind, str(megabytes)))


def processes(bench, sessions):
    """Leaders and hosts: the parents of the sessions' programs, and theirs."""
    listed = json.loads(bench.quiet(_program(bench), "query", "session", "--json"))["sessions"]
    pids = []
    for session in listed:
        if str(session["id"]) in sessions:
            host = _parent(session["pid"])
            pids += [host, _parent(host)]
    return pids


def _parent(pid):
    with open(f"/proc/{pid}/stat", encoding="ascii", errors="replace") as stat:
        return int(stat.read().rsplit(")", 1)[1].split()[1])


def end(bench, session):
    subprocess.run([_program(bench), "reset", "session", session], env=bench.environment, capture_output=True, check=False)


def stop(bench):
    subprocess.run([_program(bench), "stop", "--force"], env=bench.environment, capture_output=True, check=False,
                   stdin=subprocess.DEVNULL)
    folder = os.path.join(bench.folder, "termserv")
    for name in os.listdir(folder) if os.path.isdir(folder) else []:
        path = os.path.join(folder, name)
        if os.path.isfile(path):
            os.unlink(path)
