"""The world in which the system tests run: namespaces of their own, with accounts, PAM, homes and folders of their own.

    python3 world.py COMMAND [ARGUMENT...]      as root; needs unshare(1)

Never mounts anything in the namespace that it was started in: the command makes the namespaces itself, and build() and
own_room() look before they begin.

Always holds: whatever happens in here happens to a copy. /etc is a copy in memory; /run, /tmp, /opt and /var/log are
empty folders in memory; the ptys, the process IDs and the loopback interface are this world's. When COMMAND ends, the
kernel ends everything else in the world and forgets it: nothing is left on the machine.

Each pytest worker goes into a room of its own in this world (own_room()): /run, /etc/termserv, /var/log, the homes and the
loopback interface are the worker's, so that every server can use the real names. Accounts and programs are shared.
"""

import ctypes
import fcntl
import os
import shutil
import socket
import struct
import subprocess
import sys
from collections import namedtuple
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
MARK = "TERMSERV_SYSTEM_WORLD"  # in the environment of all that runs in the world: the mount namespace outside of it
PROGRAMS = Path("/opt/termserv/bin")
HOMES = Path("/opt/termserv/home")
AS_USER = Path("/opt/termserv/as-user")
ROOM = Path("/opt/termserv/room")  # what a worker may change of /etc
ROOM_FILES = ["passwd", "shadow", "security/access.conf"]
COVERED = ["/run", "/tmp", "/opt", "/var/log"]
PROMPT = "ready> "
PROFILE = "PS1='%s'; PS2=; unset PROMPT_COMMAND HISTFILE; umask 022\n" % PROMPT

MS_BIND, MS_NOSUID, MS_NODEV, MS_REC, MS_PRIVATE = 4096, 2, 4, 16384, 1 << 18
CLONE_NEWNS, CLONE_NEWNET = 0x20000, 0x40000000

Account = namedtuple("Account", "name uid password groups shell expired locked")


def account(name, uid, password=None, groups=(), shell="/bin/bash", expired=False, locked=False):
    return Account(name, uid, password, groups, shell, expired, locked)


ADMINISTRATORS, GUESTS, COLLEAGUES, KEEPERS, SSH_USERS = "tsadmin", "tsguest", "staffroom", "keepers", "termserv-users"
GROUPS = {ADMINISTRATORS: 2100, GUESTS: 2101, COLLEAGUES: 2102, KEEPERS: 2103, SSH_USERS: 2104}
ROOTS_PASSWORD = "root's secret 0"
NOBODY_LOGS_IN = "/usr/sbin/nologin"

ACCOUNTS = {a.name: a for a in [
    account("alice", 2001, "alice's secret 1", [COLLEAGUES, SSH_USERS]),
    account("bob", 2002, "bob's secret 22", [COLLEAGUES]),
    account("carol", 2003, "carol's secret 333"),
    account("dave", 2004, "dave's secret 4444", [GUESTS]),
    account("erin", 2005, "erin's secret 55555", [ADMINISTRATORS]),
    account("frank", 2006, "frank's secret 6", [KEEPERS]),  # member of a group that a configuration may name
    account("lena", 2007, "lena's secret 7", locked=True),
    account("xavier", 2008, "xavier's secret 8", expired=True),
    account("keyla", 2009),  # no password at all: she comes with a key only
    account("termserv", 2051, shell=NOBODY_LOGS_IN),
    account("termserv-tty", 2052, shell=NOBODY_LOGS_IN),
    account("term03", 2053, shell="/bin/sh"),  # a terminal's: for a key of ssh, and for nothing else
]}

PLAIN_PAM = """\
auth     required pam_unix.so nodelay
account  required pam_unix.so
account  required pam_access.so
password required pam_deny.so
session  required pam_limits.so
session  required pam_env.so
session  required pam_unix.so
"""
PAM = {
    "termserv": PLAIN_PAM,
    "sshd": PLAIN_PAM,
    "su": "auth sufficient pam_rootok.so\n" + PLAIN_PAM,
    "other": "auth required pam_deny.so\naccount required pam_deny.so\npassword required pam_deny.so\n"
             "session required pam_deny.so\n",
}
PAM_VARIABLE = ("FROM_PAM", "set by pam_env for every login")
PAM_LIMIT = 321  # open files of a logged on user, by pam_limits

# Does what login does with a terminal, and becomes the user: alone with his groups, without a capability.
AS_USER_TEXT = """\
#!/bin/sh
name=$1
shift
if line=$(tty); then
    chown "$name:tty" "$line" && chmod 620 "$line" || exit 126
fi
exec setpriv --reuid "$name" --regid "$name" --init-groups --inh-caps=-all -- "$@"
"""

libc = ctypes.CDLL(None, use_errno=True)


def check(result, what):
    if result != 0:
        error = ctypes.get_errno()
        raise OSError(error, "%s: %s" % (what, os.strerror(error)))


def mount(source, target, kind, flags=0, data=""):
    check(libc.mount(str(source).encode(), str(target).encode(), kind.encode(), ctypes.c_ulong(flags), data.encode()),
          "mount %s on %s" % (kind or source, target))


def memory(target, mode=0o755):
    mount("tmpfs", target, "tmpfs", MS_NOSUID | MS_NODEV, "mode=%o" % mode)


def cover(target, mode=0o755):
    """An empty folder in memory in this place. The repository stays where it is, even if it lies below."""
    inside = REPOSITORY.is_relative_to(target)
    held = os.open(REPOSITORY, os.O_PATH | os.O_DIRECTORY) if inside else -1
    memory(target, mode)
    if inside:
        REPOSITORY.mkdir(parents=True)
        mount("/proc/self/fd/%d" % held, REPOSITORY, "", MS_BIND)
        os.close(held)


def hashed(password, serial):
    crypt = ctypes.CDLL("libcrypt.so.1").crypt
    crypt.restype = ctypes.c_char_p
    return crypt(password.encode(), b"$6$termserv%02d$" % serial).decode()


def write(path, text, mode=0o644, owner=0, group=0):
    path = Path(path)
    path.write_text(text)
    os.chown(path, owner, group)
    path.chmod(mode)


def own_etc():
    """A copy of /etc, with our accounts instead of the machine's people and plain PAM."""
    stage = Path("/opt/etc")
    shutil.copytree("/etc", stage, symlinks=True, ignore_dangling_symlinks=True)
    for name, mode in (("shadow", 0o640), ("gshadow", 0o640)):
        (stage / name).chmod(mode)
    lines = {name: (stage / name).read_text().splitlines() for name in ("passwd", "shadow", "group", "gshadow")}
    ours = set(ACCOUNTS) | set(GROUPS)
    kept = {name: [x for x in text if x.split(":")[0] not in ours and not is_person(name, x)] for name, text in lines.items()}
    kept["passwd"] = [x if not x.startswith("root:") else "root:x:0:0:root:%s/root:/bin/bash" % HOMES for x in kept["passwd"]]
    kept["shadow"] = [x for x in kept["shadow"] if not x.startswith("root:")]
    kept["shadow"].append("root:%s:19000:0:99999:7:::" % hashed(ROOTS_PASSWORD, 99))
    for serial, a in enumerate(ACCOUNTS.values()):
        word = hashed(a.password, serial) if a.password else "*"
        kept["passwd"].append("%s:x:%d:%d::%s/%s:%s" % (a.name, a.uid, a.uid, HOMES, a.name, a.shell))
        kept["shadow"].append("%s:%s%s:19000:0:99999:7::%s:" % (a.name, "!" if a.locked else "", word, "1" if a.expired else ""))
        kept["group"].append("%s:x:%d:" % (a.name, a.uid))
    for name, number in GROUPS.items():
        kept["group"].append("%s:x:%d:%s" % (name, number, ",".join(a.name for a in ACCOUNTS.values() if name in a.groups)))
    for name, text in kept.items():
        (stage / name).write_text("\n".join(text) + "\n")
    for name, text in PAM.items():
        write(stage / "pam.d" / name, text)
    write(stage / "security/limits.conf", "* soft nofile %d\n" % PAM_LIMIT)
    write(stage / "security/pam_env.conf", '%s DEFAULT="%s"\n' % PAM_VARIABLE)
    write(stage / "environment", "")
    write(stage / "profile", "export PATH=%s:/usr/bin:/bin\n" % PROGRAMS)  # as if they were installed
    write(stage / "security/access.conf", "")
    shutil.rmtree(stage / "termserv", ignore_errors=True)
    (stage / "termserv").mkdir()
    mount(stage, "/etc", "", MS_BIND)


def is_person(name, line):
    fields = line.split(":")
    return name in ("passwd", "group") and 1000 <= int(fields[2] or 0) < 60000 and fields[0] not in ("nogroup",)


def own_homes():
    """Empty homes with a plain prompt; what a test left there is gone."""
    for path in HOMES.iterdir():
        shutil.rmtree(path)
    for name, uid in [("root", 0)] + [(a.name, a.uid) for a in ACCOUNTS.values() if a.shell != NOBODY_LOGS_IN]:
        home = HOMES / name
        home.mkdir()
        for file in (".bash_profile", ".bashrc"):
            write(home / file, PROFILE, 0o644, uid, uid)
        os.chown(home, uid, uid)
        home.chmod(0o700)


def own_programs(source):
    """Where every account can reach them, whatever lies above the folder of the build."""
    shutil.copytree(source, PROGRAMS, symlinks=True, ignore=shutil.ignore_patterns("*.p"))
    for path in PROGRAMS.iterdir():
        if not path.is_symlink():
            path.chmod(0o755)
    write(AS_USER, AS_USER_TEXT, 0o755)


def own_ptys():
    """Our own pts numbers, with the modes of a usual machine."""
    mount("devpts", "/dev/pts", "devpts", 0, "newinstance,gid=5,mode=620,ptmxmode=666")
    mount("/dev/pts/ptmx", "/dev/ptmx", "", MS_BIND)


def loopback_up():
    SIOCGIFFLAGS, SIOCSIFFLAGS, IFF_UP = 0x8913, 0x8914, 1
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        flags = struct.unpack("16xh14x", fcntl.ioctl(s, SIOCGIFFLAGS, struct.pack("16sh14x", b"lo", 0)))[0]
        fcntl.ioctl(s, SIOCSIFFLAGS, struct.pack("16sh14x", b"lo", flags | IFF_UP))


def namespace():
    return os.readlink("/proc/self/ns/mnt")


def inside():
    return os.environ.get(MARK, namespace()) != namespace()


def must_be_apart(outside):
    """Whatever the environment says: another mount namespace than outside, and nothing that is mounted here gets there."""
    shared = [line for line in Path("/proc/self/mountinfo").read_text().splitlines() if " shared:" in line]
    if not outside.startswith("mnt:[") or namespace() == outside or shared:
        sys.exit("world.py: this is the machine's own mount namespace, or not apart from it; nothing was mounted")


def build(programs, outside):
    must_be_apart(outside)
    source = os.open(programs, os.O_PATH | os.O_DIRECTORY)
    for path in COVERED:
        cover(path, 0o1777 if path == "/tmp" else 0o755)
    own_programs("/proc/self/fd/%d/" % source)
    os.close(source)
    HOMES.mkdir()
    ROOM.mkdir()
    own_etc()
    own_ptys()
    loopback_up()


def own_room():
    """For one pytest worker, from the thread that will start everything: its own folders and loopback interface."""
    must_be_apart(os.environ.get(MARK, ""))
    check(libc.unshare(CLONE_NEWNS | CLONE_NEWNET), "unshare")
    mount("none", "/", "", MS_REC | MS_PRIVATE)
    for path in ("/run", "/etc/termserv", "/var/log", HOMES, ROOM):
        memory(path)
    own_homes()
    for name in ROOM_FILES:
        copy = ROOM / Path(name).name
        shutil.copy("/etc/" + name, copy)
        shutil.copy("/etc/" + name, str(copy) + ".first")
        mount(copy, "/etc/" + name, "", MS_BIND)
    Path("/run/sshd").mkdir(mode=0o755)
    Path("/run/lock").mkdir(mode=0o1777)
    for path in ("/run/utmp", "/var/log/wtmp", "/var/log/btmp", "/var/log/lastlog"):
        write(path, "", 0o660 if path.endswith("btmp") else 0o664, 0, 43)
    loopback_up()


def fresh_accounts():
    """Undoes what follows, and forgets who was logged on: a leader that was killed says no goodbye."""
    Path("/run/utmp").write_bytes(b"")
    for name in ROOM_FILES:
        copy = ROOM / Path(name).name
        copy.write_bytes(Path(str(copy) + ".first").read_bytes())


def expire(name):
    """The account has expired, from now on."""
    lines = Path("/etc/shadow").read_text().splitlines()
    fields = [line.split(":") for line in lines]
    for f in fields:
        if f[0] == name:
            f[7] = "1"
    Path("/etc/shadow").write_text("\n".join(":".join(f) for f in fields) + "\n")


def give_shell(name, shell):
    """The account has this login shell, from now on."""
    lines = Path("/etc/passwd").read_text().splitlines()
    lines = [x.rpartition(":")[0] + ":" + str(shell) if x.startswith(name + ":") else x for x in lines]
    Path("/etc/passwd").write_text("\n".join(lines) + "\n")


def restrict(name):
    """PAM's account phase refuses it, from now on; its password stays right."""
    path = Path("/etc/security/access.conf")
    path.write_text(path.read_text() + "-:%s:ALL\n" % name)


def unshare_command(command):
    """The command line that runs a command in a new world."""
    return ["unshare", "--mount", "--propagation", "private", "--pid", "--net", "--ipc", "--uts", "--fork", "--kill-child",
            "--mount-proc", "--", sys.executable, os.path.abspath(__file__), "--inside", namespace(), *command]


def run(command):
    """Runs a command in a new world; answers with its exit status."""
    if inside():
        return subprocess.call(command)
    return subprocess.call(unshare_command(command), env=dict(os.environ, TERMSERV_BIN=str(programs_to_test())))


def programs_to_test():
    return Path(os.environ.get("TERMSERV_BIN", REPOSITORY / "build" / "bin")).resolve()


def main():
    if sys.argv[1:2] != ["--inside"]:
        sys.exit(run(sys.argv[1:]))
    outside, *command = sys.argv[2:]
    build(programs_to_test(), outside)
    os.environ[MARK] = outside
    os.environ["TERMSERV_BUILD"] = str(programs_to_test().parent)  # what can be installed
    os.environ["TERMSERV_BIN"] = str(PROGRAMS)
    os.execvp(command[0], command)


if __name__ == "__main__":
    main()
