"""The raw limit: two copying processes and a socket, no screen model. It starts its program when it is shown."""


def available(bench):
    return True


def start(bench, command):
    return command


def attach(bench, session):
    return [str(bench.build / "bench" / "bench-relay"), *session]


def end(bench, session):
    pass


def stop(bench):
    pass
