# SPDX-License-Identifier: GPL-2.0
"""One run of the test VM: the other side of scripts/vm/agent.c, and its watchdog."""

import contextlib
import ctypes
import enum
import fcntl
import os
import select
import selectors
import signal
import socket
import struct
import subprocess
import termios
import time
import tty
from dataclasses import dataclass, field
from pathlib import Path

from guest import BUILD
from machine import command_line

FRAME = struct.Struct("<BI")
CHUNK = 32768
LOGS_KEPT = 20
# How long an emulator that lives may be silent, on a busy host, once it is spoken to.
ANSWER_SECONDS = 10
LULL_SECONDS = 2
# Of sysrq: blocked tasks, what each CPU does, all tasks.
SYSRQ_KEYS = b"wlt"
ESCAPE = b"\x1d"  # Ctrl-], ends a VM with a terminal
# The kernel says so of the first of our modules.
OURS = b"loading out-of-tree module"
# What a program does to itself; whoever ends a VM from outside takes others.
CRASHES = (signal.SIGSEGV, signal.SIGABRT, signal.SIGBUS, signal.SIGILL, signal.SIGFPE)
PR_SET_PDEATHSIG = 1


class End(enum.Enum):
    COMMAND = "the command ended"
    UNUSABLE = "the VM could not be set up"
    DIED = "the VM ended before the command did"
    SILENT = "the VM was silent"
    TIMEOUT = "the time was over"
    HUNG = "the emulator hangs"
    CRASHED = "the emulator crashed"
    ESCAPE = "ended from the terminal"


@dataclass
class Command:
    arguments: list
    folder: str
    environment: dict
    terminal: bool

    def encode(self):
        strings = ["tty" if self.terminal else "pipe", self.folder, str(len(self.arguments))]
        strings += self.arguments
        strings += [f"{name}={value}" for name, value in self.environment.items()]
        return b"".join(os.fsencode(string) + b"\0" for string in strings)


@dataclass
class Limits:
    timeout: float = None
    silence: float = None


@dataclass
class Outcome:
    end: End
    status: int = None
    text: str = ""
    log: str = ""
    stdin_used: bool = False


def die_with_parent():
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def new_log():
    """A fresh console log; only the last few are kept."""
    logs = sorted(BUILD.glob("console-*.log"), key=lambda path: path.name)
    for path in logs[: -LOGS_KEPT + 1]:
        path.unlink(missing_ok=True)
    now = time.time()
    stamp = time.strftime("%Y%m%d-%H%M%S", time.localtime(now)) + f".{int(now * 1000) % 1000:03}"
    return BUILD / f"console-{stamp}-{os.getpid()}.log"


@contextlib.contextmanager
def raw_terminal(wanted):
    if not wanted:
        yield
        return
    before = termios.tcgetattr(0)
    try:
        tty.setraw(0)
        yield
    finally:
        termios.tcsetattr(0, termios.TCSADRAIN, before)


def write_all(fd, data):
    while data:
        data = data[os.write(fd, data):]


@dataclass
class Session:
    """A VM and what is on its way to and from it."""

    guest: object
    shape: object
    command: Command
    limits: Limits
    show_console: bool = False
    outgoing: bytearray = field(default_factory=bytearray)
    incoming: bytearray = field(default_factory=bytearray)
    stdin_used: bool = False
    started: bool = False

    def run(self):
        log = new_log()
        with open(log, "wb", buffering=0) as self.log, raw_terminal(self.command.terminal):
            self.send("R", self.command.encode())
            if self.command.terminal:
                self.send_window()
                signal.signal(signal.SIGWINCH, lambda *_: self.send_window())
            process = self.start()
            try:
                outcome = self.watch()
                if outcome.end is End.DIED:
                    outcome = self.post_mortem(process)
            finally:
                process.kill()
                process.wait()
                self.drain_console()
        outcome.log = str(log)
        outcome.stdin_used = self.stdin_used
        return outcome

    def start(self):
        pairs = [socket.socketpair() for _ in range(3)]
        (self.port, port), (self.console, console), (self.monitor, monitor) = pairs
        arguments = command_line(
            self.guest, self.shape, port.fileno(), console.fileno(), monitor.fileno()
        )
        theirs = [port, console, monitor]
        process = subprocess.Popen(
            arguments,
            stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log,
            pass_fds=[each.fileno() for each in theirs],
            start_new_session=True, preexec_fn=die_with_parent,
        )
        for each in theirs:
            each.close()
        self.port.setblocking(False)
        self.console.setblocking(False)
        return process

    # To the VM

    def send(self, kind, payload=b""):
        self.outgoing += FRAME.pack(ord(kind), len(payload)) + payload

    def send_window(self):
        rows, columns = struct.unpack("HHHH", fcntl.ioctl(0, termios.TIOCGWINSZ, bytes(8)))[:2]
        self.send("W", struct.pack("<HH", rows, columns))

    def take_stdin(self):
        data = os.read(0, CHUNK)
        self.stdin_used |= bool(data)
        if not data:
            self.selector.unregister(0)
        self.send("I", data)
        return data

    # From the VM

    def take_console(self):
        """Returns what there was."""
        try:
            data = self.console.recv(CHUNK)
        except (BlockingIOError, ConnectionResetError):
            return b""
        self.log.write(data)
        if self.show_console:
            write_all(2, data.replace(b"\n", b"\r\n") if self.command.terminal else data)
        return data

    def drain_console(self):
        while self.take_console():
            pass

    def take_port(self):
        """Returns how the run ended, if it did."""
        try:
            data = self.port.recv(2 * CHUNK)
        except ConnectionResetError:
            data = b""
        if not data:
            return Outcome(End.DIED)
        self.incoming += data
        while len(self.incoming) >= FRAME.size:
            kind, length = FRAME.unpack_from(self.incoming)
            if len(self.incoming) < FRAME.size + length:
                break
            payload = bytes(self.incoming[FRAME.size : FRAME.size + length])
            del self.incoming[: FRAME.size + length]
            outcome = self.take_frame(chr(kind), payload)
            if outcome:
                return outcome
        return None

    def take_frame(self, kind, payload):
        if kind == "O":
            write_all(1, payload)
        elif kind == "E":
            write_all(2, payload)
        elif kind == "F":
            return Outcome(End.UNUSABLE, text=payload.decode(errors="replace").strip())
        elif kind == "S":
            self.started = True
        elif kind == "X":
            return Outcome(End.COMMAND, status=payload[0])
        return None

    # The watch over both

    def watch(self):
        begin = last = time.monotonic()
        self.selector = selectors.PollSelector()
        self.selector.register(self.port, selectors.EVENT_READ)
        self.selector.register(self.console, selectors.EVENT_READ)
        self.selector.register(0, selectors.EVENT_READ)
        while True:
            want = selectors.EVENT_READ | (selectors.EVENT_WRITE if self.outgoing else 0)
            self.selector.modify(self.port, want)
            for key, events in self.selector.select(0.5):
                if key.fileobj is self.console:
                    if self.take_console():
                        last = time.monotonic()
                    else:
                        self.selector.unregister(self.console)
                elif key.fileobj == 0:
                    if len(self.outgoing) < 2 * CHUNK:
                        if self.take_stdin() == ESCAPE and self.command.terminal:
                            return Outcome(End.ESCAPE, status=130)
                else:
                    if events & selectors.EVENT_WRITE:
                        self.flush()
                    if events & selectors.EVENT_READ:
                        last = time.monotonic()
                        outcome = self.take_port()
                        if outcome:
                            return outcome
            now = time.monotonic()
            if self.limits.timeout and now - begin > self.limits.timeout:
                return self.examine(End.TIMEOUT)
            if self.limits.silence and now - last > self.limits.silence:
                return self.examine(End.SILENT)

    def flush(self):
        with contextlib.suppress(BlockingIOError, BrokenPipeError, ConnectionResetError):
            sent = self.port.send(self.outgoing)
            del self.outgoing[:sent]

    # Whose fault it was that nothing came

    def examine(self, end):
        """Has the kernel tell what it does, for the console log, and tells who hangs: a program
        in a kernel that lives, the kernel, or the emulator; with which a kernel counts that got
        stuck on its way up, when nothing of ours was in it yet."""
        outcome = self.ask_who_hangs(end)
        if not self.started and OURS not in Path(self.log.name).read_bytes():
            return Outcome(End.HUNG, text=f"nothing of ours was in that kernel yet; {outcome.text}")
        return outcome

    def ask_who_hangs(self, end):
        if self.ask_sysrq():
            return Outcome(end, text="its kernel lives; what each task waits for is in the log")
        self.tell_monitor("nmi")
        if b"NMI" in self.hear():
            return Outcome(end, text="its kernel answered the NMI alone; what it was doing is in the log")
        return Outcome(End.HUNG, text="the kernel answers neither sysrq nor the NMI")

    def post_mortem(self, process):
        """Tells an emulator that crashed from a kernel that ended its VM."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            status = process.wait(ANSWER_SECONDS)
            if -status in CRASHES:
                return Outcome(End.CRASHED, text=signal.Signals(-status).name)
        return Outcome(End.DIED)

    def ask_sysrq(self):
        """Returns whether the kernel answered each key."""
        for key in SYSRQ_KEYS:
            self.tell_monitor("chardev-send-break console")
            # The monitor is not read here: the break shall be there before the key.
            time.sleep(0.5)
            with contextlib.suppress(BlockingIOError, BrokenPipeError, ConnectionResetError):
                self.console.send(bytes([key]))
            if b"sysrq: " not in self.hear():
                return False
        return True

    def tell_monitor(self, line):
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            self.monitor.send(line.encode() + b"\n")

    def hear(self):
        """What the console says until it pauses."""
        heard = b""
        wait = ANSWER_SECONDS
        while select.select([self.console], [], [], wait)[0]:
            data = self.take_console()
            if not data:
                break
            heard += data
            wait = LULL_SECONDS
        return heard
