"""A real sshd on the worker's own loopback interface, with the manual's lines, and clients for each account.

Keys are made for the test; every account that asks for one gets its own key, known hosts and client configuration.
"""

import os
import shutil
import signal
import subprocess
import tempfile
from pathlib import Path

import processes
import world
from terminal import LIMIT, usual_signals

SSHD = "/usr/sbin/sshd"
PORT = 2222

CONFIG = """\
ListenAddress {address}:{port}
HostKey {folder}/host_key
PidFile none
UsePAM yes
PasswordAuthentication no
KbdInteractiveAuthentication no
PubkeyAuthentication yes
StrictModes no
AuthorizedKeysFile {folder}/authorized/%u
PrintMotd no
PrintLastLog no
AcceptEnv LANG LC_*
SetEnv PATH=/opt/termserv/bin:/usr/bin:/bin
MaxStartups 100
LogLevel VERBOSE
Subsystem sftp internal-sftp
{extra}
"""

CLIENT = """\
Host {names}
    HostName {address}
    Port {port}
    IdentityFile {folder}/keys/{user}
    IdentitiesOnly yes
    UserKnownHostsFile {folder}/known_hosts
    GlobalKnownHostsFile /dev/null
    StrictHostKeyChecking yes
    BatchMode yes
    LogLevel ERROR
"""


class Sshd:
    def __init__(self, server, extra="", address="127.0.0.1", name="here", enter=()):
        """`enter` is a command prefix that puts sshd somewhere else, e.g. into another mount namespace."""
        self.server, self.extra, self.address, self.name, self.enter = server, extra, address, name, list(enter)
        self.folder = Path(tempfile.mkdtemp(prefix="sshd-", dir="/tmp"))
        self.folder.chmod(0o755)
        for part in ("authorized", "keys"):
            (self.folder / part).mkdir(mode=0o755)
        self.process = None
        self.log_path = self.folder / "log"

    def start(self):
        keygen(self.folder / "host_key")
        key = " ".join((self.folder / "host_key.pub").read_text().split()[:2])
        (self.folder / "known_hosts").write_text("[%s]:%d %s\n" % (self.address, PORT, key))
        config = CONFIG.format(address=self.address, port=PORT, folder=self.folder, extra=self.extra)
        (self.folder / "sshd_config").write_text(config)
        out, err = open(self.log_path, "ab+"), tempfile.TemporaryFile()
        self.process = subprocess.Popen([*self.enter, SSHD, "-D", "-e", "-f", self.folder / "sshd_config"],
                                        stdin=subprocess.DEVNULL, stdout=out, stderr=out, cwd="/", start_new_session=True,
                                        preexec_fn=usual_signals, env={"PATH": "/usr/bin:/bin:/usr/sbin:/sbin"})
        self.process.out, self.process.err = out, err
        self.server.commands.append(self.process)
        self.server.pump.wait(lambda: b"Server listening" in self.log_path.read_bytes() or self.process.poll() is not None,
                              lambda: "sshd to listen:\n" + self.log(), LIMIT)
        assert self.process.poll() is None, self.log()
        return self

    def log(self):
        return self.log_path.read_text("utf-8", "replace")

    def client(self, person, *names):
        """Gives a person a key that this sshd knows, and adds a host to the person's ~/.ssh/config."""
        key = self.folder / "keys" / person.name
        if not key.exists():
            keygen(key)
            os.chown(key, person.uid, person.gid)
            shutil.copy(str(key) + ".pub", self.folder / "authorized" / person.name)
        ssh = person.home / ".ssh"
        ssh.mkdir(mode=0o700, exist_ok=True)
        os.chown(ssh, person.uid, person.gid)
        text = CLIENT.format(names=" ".join(names or [self.name]), address=self.address, port=PORT, folder=self.folder,
                             user=person.name)
        config = ssh / "config"
        world.write(config, (config.read_text() if config.exists() else "") + text, 0o600, person.uid, person.gid)
        return person

    def end(self):
        """The daemon, what it started, the keys: all gone. Sessions of the server are not below it."""
        for process in processes.below(self.process.pid):
            processes.kill(process.pid)
        if self.process.poll() is None:
            processes.kill(self.process.pid, signal.SIGTERM)
        self.server.pump.wait(lambda: self.process.poll() is not None, "the end of sshd")
        for home in world.HOMES.iterdir():
            shutil.rmtree(home / ".ssh", ignore_errors=True)
        shutil.rmtree(self.folder, ignore_errors=True)


def keygen(path):
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "test", "-f", path], check=True,
                   stdin=subprocess.DEVNULL)
