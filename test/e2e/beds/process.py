"""Starting, awaiting and stopping the programs that a test needs."""
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import time

START_SECONDS_MAX = 120


class BedError(RuntimeError):
    """A program of the bed did not do what the test needs; carries the end of its output."""


def free_port() -> int:
    """A loopback TCP port that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def can_connect(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
        return True
    except OSError:
        return False


def wait_until(condition, what: str, seconds: float = START_SECONDS_MAX, poll: float = 0.02):
    """Returns the first true value of condition(); raises BedError when there is none in time."""
    end = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise BedError(f"gave up after {seconds} s waiting for {what}")
        time.sleep(poll)


def as_user(user, argv):
    """Servers refuse to run as root. For anybody else than root they run as whoever runs the tests."""
    if user and os.geteuid() == 0:
        return ["setpriv", f"--reuid={user}", f"--regid={user}", "--clear-groups", *argv]
    return argv


def give_to(user, *paths):
    """The server that runs by as_user() may write these."""
    if os.geteuid() == 0:
        for path in paths:
            shutil.chown(path, user, user)


class Process:
    """One program with its output in a file; always stopped by its own pid."""

    def __init__(self, argv, folder: pathlib.Path, name: str, env=None, user=None):
        self.name = name
        self.log = pathlib.Path(folder) / f"{name}.log"
        self._out = open(self.log, "ab")
        full_env = dict(os.environ, **(env or {}))
        self.child = subprocess.Popen([str(a) for a in as_user(user, argv)], cwd=folder, env=full_env, stdin=subprocess.DEVNULL,
                                      stdout=self._out, stderr=subprocess.STDOUT, start_new_session=True)

    def await_port(self, port: int):
        self.await_that(lambda: can_connect(port), f"port {port}")

    def await_that(self, condition, what: str, seconds: float = START_SECONDS_MAX):
        def alive_or_done():
            if self.child.poll() is not None:
                raise BedError(f"{self.name} ended with {self.child.returncode}:\n{self.tail()}")
            return condition()
        try:
            return wait_until(alive_or_done, f"{what} of {self.name}", seconds)
        except BedError as error:
            raise BedError(f"{error}\n{self.tail()}") from None

    def tail(self, octets: int = 4000) -> str:
        return self.log.read_bytes()[-octets:].decode(errors="replace")

    def kill(self):
        """As power would: no chance to tidy up."""
        self.child.kill()
        self.child.wait()

    def reload(self):
        self.child.send_signal(signal.SIGHUP)

    def stop(self, seconds: float = 20) -> int:
        if self.child.poll() is None:
            self.child.send_signal(signal.SIGTERM)
            try:
                self.child.wait(seconds)
            except subprocess.TimeoutExpired:
                os.killpg(self.child.pid, signal.SIGKILL)
                self.child.wait()
        self._out.close()
        return self.child.returncode


def run(argv, **options) -> subprocess.CompletedProcess:
    """Runs a command to its end; raises BedError with its output when it fails."""
    done = subprocess.run([str(a) for a in argv], capture_output=True, text=True, timeout=120, **options)
    if done.returncode != 0:
        raise BedError(f"{argv} ended with {done.returncode}:\n{done.stdout[-2000:]}\n{done.stderr[-2000:]}")
    return done
