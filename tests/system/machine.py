"""A machine of its own under a real systemd: process 1 of new namespaces, on a copy of this machine's root in memory.

    machine = Machine(BUILD).boot(); machine.run("systemctl is-system-running"); machine.end()

`BUILD` is what is installed in it, with its `meson install`: programs, units, accounts and PAM's file as they are shipped.

Always holds: what it writes goes into an overlay in memory, its devices are those that any container has, its control
groups lie below one that was made for it. It ends with who has started it, and by itself after LIFE seconds; end() removes
its control group, which is all that is seen of it outside.
"""

import json
import os
import select
import shlex
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import world

LIFE = 3600  # longer than its tests take on a slow and loaded machine
BOOT = 300.0
LIMIT = 60.0  # seconds that any wait may last
SLICE = 0.02  # how often a condition is looked at
GROUP = "termserv-machine-"  # and the time at which it was made, and by which process
SYSTEMD = "/lib/systemd/systemd"
NEEDED = [SYSTEMD, "/lib/systemd/systemd-logind", "/usr/bin/dbus-daemon", "/usr/bin/meson"]
TOOLS = ["unshare", "nsenter", "setpriv", "timeout", "pivot_root"]
TARGET = "termserv-test.target"
PEOPLE = {"alice": 2001, "bob": 2002}
DEVICES = ["null", "zero", "full", "random", "urandom", "tty"]
CLONE_NEWCGROUP = 0x02000000
MS_RDONLY, MS_NOEXEC, MNT_DETACH = 1, 8, 2

# What it starts: the journal, the message bus, logind, our socket. The rest of a system's start has nothing to do with us.
TARGET_TEXT = """\
[Unit]
Requires=basic.target
Wants=dbus.socket systemd-logind.service systemd-user-sessions.service termserv.socket getty.target
After=basic.target systemd-logind.service systemd-user-sessions.service termserv.socket
AllowIsolate=yes
"""
UNNEEDED = """\
systemd-udevd.service systemd-udev-trigger.service systemd-udevd-control.socket systemd-udevd-kernel.socket
systemd-modules-load.service systemd-sysctl.service systemd-random-seed.service systemd-binfmt.service
systemd-hwdb-update.service systemd-boot-update.service systemd-machine-id-commit.service systemd-journal-flush.service
systemd-journal-catalog-update.service systemd-update-done.service systemd-update-utmp.service systemd-timesyncd.service
systemd-remount-fs.service systemd-tmpfiles-setup-dev.service systemd-firstboot.service systemd-pcrphase-sysinit.service
systemd-pstore.service systemd-repart.service systemd-sysext.service ldconfig.service kmod-static-nodes.service
dev-hugepages.mount dev-mqueue.mount sys-kernel-config.mount sys-kernel-debug.mount sys-kernel-tracing.mount
sys-fs-fuse-connections.mount proc-sys-fs-binfmt_misc.automount proc-sys-fs-binfmt_misc.mount
systemd-ask-password-console.path systemd-ask-password-wall.path console-getty.service getty-static.service
""".split()


class Unavailable(Exception):
    """Why no such machine can be made here."""


def hierarchy():
    """Where version 2 of control groups is mounted here."""
    for line in Path("/proc/self/mountinfo").read_text().splitlines():
        left, _, right = line.partition(" - ")
        if right.split()[0] == "cgroup2":
            return Path(left.split()[4])
    raise Unavailable("no control groups of version 2 are mounted")


def check_available(build):
    for path in [*NEEDED, *(shutil.which(t) or t for t in TOOLS)]:
        if not os.path.exists(path):
            raise Unavailable("there is no %s" % path)
    if "overlay" not in Path("/proc/filesystems").read_text():
        raise Unavailable("no overlay file system")
    if not (build / "meson-private").is_dir():
        raise Unavailable("%s is no folder of a build that could be installed" % build)
    try:
        trial = Path(tempfile.mkdtemp(prefix="termserv-trial-", dir=hierarchy()))
        trial.rmdir()
    except OSError as error:
        raise Unavailable("no control group can be made: %s" % error) from None


# --- inside -------------------------------------------------------------------------------------------------------


def accounts(root):
    """People with homes and passwords, in addition to what the machine has. Our own accounts are for sysusers to make."""
    lines = {name: (root / "etc" / name).read_text().splitlines() for name in ("passwd", "shadow", "group", "gshadow")}
    ours = {*PEOPLE, "termserv", "termserv-tty", "tsadmin"}
    lines = {name: [x for x in text if x.split(":")[0] not in ours] for name, text in lines.items()}
    for serial, (name, uid) in enumerate(PEOPLE.items()):
        lines["passwd"].append("%s:x:%d:%d::/home/%s:/bin/bash" % (name, uid, uid, name))
        lines["shadow"].append("%s:%s:19000:0:99999:7:::" % (name, world.hashed(password_of(name), serial)))
        lines["group"].append("%s:x:%d:" % (name, uid))
        home = root / "home" / name
        shutil.rmtree(home, ignore_errors=True)
        home.mkdir(mode=0o700, parents=True)
        os.chown(home, uid, uid)
        for file in (".bash_profile", ".bashrc"):
            world.write(home / file, world.PROFILE, 0o644, uid, uid)
    for name, text in lines.items():
        world.write(root / "etc" / name, "\n".join(text) + "\n", 0o640 if "shadow" in name else 0o644)


def password_of(name):
    return "%s's secret" % name


def units(root):
    """Nothing that this machine's administrator has enabled, and of what systemd starts by itself only what is needed."""
    folder = root / "etc/systemd/system"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    world.write(folder / TARGET, TARGET_TEXT)
    for name in UNNEEDED:
        (folder / name).symlink_to("/dev/null")
    for name in ("system.conf", "journald.conf"):
        (root / "etc/systemd" / name).unlink(missing_ok=True)
    names = ("ASAN_OPTIONS", "UBSAN_OPTIONS")
    words = " ".join('"%s=%s"' % (n, os.environ[n]) for n in names if n in os.environ)
    world.write(root / "etc/systemd/system.conf", "[Manager]\nDefaultEnvironment=%s\nDefaultTimeoutStopSec=10s\n" % words)
    world.write(root / "etc/systemd/journald.conf", "[Journal]\nStorage=volatile\nRateLimitBurst=0\nForwardToWall=no\n")
    world.write(root / "etc/machine-id", os.urandom(16).hex() + "\n", 0o444)
    world.write(root / "etc/hostname", "machine\n")
    world.write(root / "etc/fstab", "")
    world.write(root / "etc/environment", "")
    (root / "etc/nologin").unlink(missing_ok=True)


def devices(root):
    dev = root / "dev"
    world.mount("tmpfs", dev, "tmpfs", world.MS_NOSUID, "mode=755")
    for name in DEVICES:
        (dev / name).touch()
        world.mount("/dev/" + name, dev / name, "", world.MS_BIND)
    for name in ("pts", "shm"):
        (dev / name).mkdir()
    world.mount("devpts", dev / "pts", "devpts", 0, "newinstance,gid=5,mode=620,ptmxmode=666")
    world.mount("tmpfs", dev / "shm", "tmpfs", world.MS_NOSUID | world.MS_NODEV, "mode=1777")
    for name, target in {"ptmx": "pts/ptmx", "fd": "/proc/self/fd", "stdin": "fd/0", "stdout": "fd/1", "stderr": "fd/2"}.items():
        (dev / name).symlink_to(target)


def own_root(base):
    """The root that this machine will have; its /etc and /home are copies of the machine's before any world's."""
    world.mount("tmpfs", base, "tmpfs", 0, "mode=755")
    for name in ("upper", "work", "root"):
        (base / name).mkdir()
    root = base / "root"
    world.mount("overlay", root, "overlay", 0, "lowerdir=/,upperdir=%s/upper,workdir=%s/work" % (base, base))
    for name, mode in {"run": 0o755, "tmp": 0o1777, "var/log": 0o755, "var/tmp": 0o1777, "home": 0o755, "root": 0o700}.items():
        world.mount("tmpfs", root / name, "tmpfs", world.MS_NOSUID | world.MS_NODEV, "mode=%o" % mode)
    for name in ("etc/termserv", "etc/pam.d/termserv", "var/lib/systemd/linger"):
        path = root / name
        shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)
    devices(root)
    world.mount("proc", root / "proc", "proc", world.MS_NOSUID | world.MS_NODEV | MS_NOEXEC)
    world.mount("sysfs", root / "sys", "sysfs", MS_RDONLY | world.MS_NOSUID | world.MS_NODEV | MS_NOEXEC)
    world.mount("cgroup2", root / "sys/fs/cgroup", "cgroup2", world.MS_NOSUID | world.MS_NODEV | MS_NOEXEC)
    return root


def become_machine(base, build, group):
    """Never returns; in namespaces of its own, but for that of control groups."""
    world.must_be_apart(os.environ[world.MARK])
    (Path(group) / "cgroup.procs").write_text("0")
    world.check(world.libc.unshare(CLONE_NEWCGROUP), "unshare")
    root = own_root(Path(base))
    accounts(root)
    units(root)
    subprocess.run(["meson", "install", "-C", build, "--no-rebuild", "--quiet", "--destdir", root], check=True,
                   stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    socket.sethostname("machine")
    world.loopback_up()
    os.chdir(root)
    (root / "run/old").mkdir()
    subprocess.run(["pivot_root", ".", "run/old"], check=True)
    os.chroot(".")
    world.check(world.libc.umount2(b"/run/old", MNT_DETACH), "umount")
    os.rmdir("/run/old")
    os.execve(SYSTEMD, [SYSTEMD, "--system", "--unit=" + TARGET], {
        "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin", "LANG": "C.UTF-8", "container": "termserv-test",
        "SYSTEMD_PROC_CMDLINE": "systemd.unified_cgroup_hierarchy=1 systemd.log_target=journal systemd.show_status=0"})


# --- outside ------------------------------------------------------------------------------------------------------


def remove_group(path):
    """It and what lies below it; False when something is still in there."""
    for below in sorted(path.rglob("*/"), key=lambda p: -len(p.parts)) + [path]:
        try:
            below.rmdir()
        except FileNotFoundError:
            pass
        except OSError:
            return False
    return True


class Machine:
    def __init__(self, build):
        self.build = Path(build)
        self.process = self.group = self.pid = None
        self.base = Path(tempfile.mkdtemp(prefix="machine-", dir="/tmp"))
        self.log = self.base / "log"

    def boot(self):
        """Until systemd has started all that it was told to."""
        top = hierarchy()
        for left in top.glob(GROUP + "*-*"):
            if time.time() - int(left.name.split("-")[2]) / 1e9 > LIFE:  # of one that was killed with its tests
                remove_group(left)
        self.group = top / (GROUP + "%d-%d" % (time.time_ns(), os.getpid()))
        self.group.mkdir()
        stage = self.base / "stage"
        stage.mkdir()
        command = ["unshare", "--mount", "--propagation", "private", "--pid", "--net", "--ipc", "--uts", "--fork", "--kill-child",
                   sys.executable, os.path.abspath(__file__), stage, self.build, self.group]
        # Each ends with the one before it; the limit with us.
        with open(self.log, "wb") as log:
            self.process = subprocess.Popen(
                ["setpriv", "--pdeathsig", "KILL", "timeout", "--signal", "KILL", str(LIFE), "setpriv", "--pdeathsig", "KILL",
                 *map(str, command)], stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True,
                env=dict(os.environ, **{world.MARK: world.namespace()}))
        self.wait(self.has_booted, "systemd to be up", BOOT)
        return self

    def first(self):
        """Process 1, as we see it: what unshare has started."""
        for pid in (self.group / "cgroup.procs", self.group / "init.scope/cgroup.procs"):
            for number in pid.read_text().split() if pid.exists() else []:
                status = Path("/proc/%s/status" % number).read_text()
                if status.partition("NSpid:")[2].split("\n")[0].split()[-1] == "1":
                    return number
        return None

    def has_booted(self):
        if self.process.poll() is not None:
            raise AssertionError("it did not start: %s" % self.log.read_text("utf-8", "replace"))
        try:
            self.pid = self.first()
            comm = Path("/proc/%s/comm" % self.pid).read_text() if self.pid else ""
        except OSError:
            return False
        return comm == "systemd\n" and self.run("systemctl is-active " + TARGET, check=False).stdout == "active\n"

    def inside(self, command):
        """The command line that runs a command in it as root, from no control group of it."""
        words = command if isinstance(command, list) else ["/bin/sh", "-c", command]
        return ["nsenter", "--target", self.pid, "--mount", "--uts", "--ipc", "--net", "--pid", "--cgroup", "--root", "--wd", "--",
                "env", "-i", "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin", "LANG=C.UTF-8", "TERM=xterm", "HOME=/root",
                *["%s=%s" % (n, os.environ[n]) for n in ("ASAN_OPTIONS", "UBSAN_OPTIONS") if n in os.environ],
                *map(str, words)]

    def run(self, command, check=True, limit=2 * LIMIT):
        result = subprocess.run(self.inside(command), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                text=True, errors="replace", timeout=limit)
        assert not check or result.returncode == 0, "%s: %s\n%s%s" % (command, result.returncode, result.stdout, result.stderr)
        return result

    def out(self, command):
        return self.run(command).stdout.strip()

    def as_user(self, name, command):
        """The command line of this account: what a login without any session of logind's would run."""
        text = command if isinstance(command, str) else shlex.join(command)
        return ["setpriv", "--reuid", name, "--regid", name, "--init-groups", "--inh-caps=-all", "env", "HOME=/home/" + name,
                "USER=" + name, "LOGNAME=" + name, "SHELL=/bin/bash", "/bin/sh", "-c", "cd; " + text]

    def show(self, unit, *properties):
        """A property of a unit, or a list of them."""
        lines = self.out(["systemctl", "show", unit, *["--property=" + p for p in properties]]).splitlines()
        found = dict(line.split("=", 1) for line in lines)
        return found[properties[0]] if len(properties) == 1 else [found[p] for p in properties]

    def journal(self, *matches):
        """Records of the journal, oldest first."""
        self.run("journalctl --sync")
        lines = self.out(["journalctl", "--output=json", "--all", "--no-pager", *matches]).splitlines()
        return [json.loads(line) for line in lines]

    def wait(self, condition, what, limit=LIMIT):
        """The first true value of condition()."""
        end = time.monotonic() + limit
        while True:
            value = condition()
            if value:
                return value
            if time.monotonic() > end:
                raise AssertionError("waited %g s for %s\n%s" % (limit, what() if callable(what) else what, self.report()))
            select.select([], [], [], SLICE)

    def report(self):
        """What is known when something went wrong."""
        text = self.log.read_text("utf-8", "replace")
        if self.pid:
            for command in ("systemctl list-jobs", "systemctl --failed", "journalctl --no-pager -n 60"):
                text += "--- %s\n%s" % (command, self.run(command, check=False).stdout)
        return text

    def end(self):
        """Answers with what is left of it outside."""
        faults = []
        if self.process is not None:
            self.process.kill()
            self.process.wait()
        if self.group is not None:
            end = time.monotonic() + LIMIT
            while not remove_group(self.group) and time.monotonic() < end:
                select.select([], [], [], SLICE)
            if self.group.exists():
                faults.append("left: %s" % self.group)
        shutil.rmtree(self.base)
        return faults


if __name__ == "__main__":
    become_machine(*sys.argv[1:])
