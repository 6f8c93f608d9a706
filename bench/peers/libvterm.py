"""libvterm: the screen model that Debian packages, alone; there is no session to measure."""
import os


def _program(bench):
    return str(bench.build / "bench" / "bench-vt-libvterm")


def available(bench):
    return os.path.exists(_program(bench))


def model(bench, kind, megabytes):
    return float(bench.quiet(_program(bench), kind, str(megabytes)))


def stop(bench):
    pass
