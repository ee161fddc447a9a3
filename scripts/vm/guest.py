# SPDX-License-Identifier: GPL-2.0
"""What the test VM is made of: a kernel, its modules with ours, an initramfs."""

import contextlib
import fcntl
import lzma
import os
import shlex
import shutil
import struct
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent
TREE = HERE.parent.parent
BUILD = TREE / "build" / "testvm"

# What /init needs before it reaches the host's files; modprobe then takes the
# rest from there.
EARLY = ("virtio_pci", "virtio_console", "9pnet_virtio", "9p", "overlay")


class Failure(Exception):
    """The VM cannot be run; the text says why."""


@dataclass
class Guest:
    release: str
    image: Path
    initramfs: Path

    @property
    def debug(self):
        """Whether this is the debug kernel of scripts/kernel."""
        return self.release.endswith("debug")


def output_of(*command):
    """The standard output of a command; its messages go to our stderr."""
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode:
        raise Failure(f"{shlex.join(map(str, command))} failed")
    return done.stdout.strip()


@contextlib.contextmanager
def locked(folder):
    folder.mkdir(parents=True, exist_ok=True)
    with open(folder / ".lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def newer(target, *sources):
    """Whether target is there and not older than any of the sources."""
    try:
        made = target.stat().st_mtime_ns
    except FileNotFoundError:
        return False
    return all(made >= source.stat().st_mtime_ns for source in sources)


def link(path, target):
    if not path.is_symlink() or os.readlink(path) != str(target):
        path.unlink(missing_ok=True)
        path.symlink_to(target)


def release_of(kernel):
    """What uname -r prints in it; the folder of a debug kernel has another name."""
    return (kernel / "release").read_text().strip()


def make_modules(folder, kernel, *built):
    """Fills a folder to stand at /lib/modules/RELEASE: Debian's modules and those built in some folders."""
    release = release_of(kernel)
    root = folder / "root"
    modules = root / "lib" / "modules" / release
    (modules / "updates").mkdir(parents=True, exist_ok=True)
    for path in (kernel / "modules").iterdir():
        if path.name not in ("build", "source"):
            link(modules / path.name, path)
    link(modules / "build", kernel / "headers")
    ours = sorted(path for each in built for path in each.rglob("*.ko"))
    for path in (modules / "updates").iterdir():
        if path.resolve() not in ours:
            path.unlink()
    for path in ours:
        link(modules / "updates" / path.name, path)
    index = modules / "modules.dep.bin"
    if not newer(index, *ours, modules / "updates"):
        output_of("/sbin/depmod", "-b", root, release)
    return modules


def early_modules(modules):
    """The files of EARLY and of all they depend on, in the order to load them."""
    needs = {}
    for line in (modules / "modules.dep").read_text().splitlines():
        path, _, others = line.partition(":")
        needs[path] = others.split()
    name_of = {Path(path).name.split(".")[0]: path for path in needs}
    order = []
    for name in EARLY:
        path = name_of.get(name)
        if path is None:
            continue  # built into the kernel
        for each in [*reversed(needs[path]), path]:
            if each not in order:
                order.append(each)
    return [modules / path for path in order]


def copy_module(source, folder):
    """Copies a module, unpacked, and returns its name there."""
    unpacker = {".xz": "xz", ".zst": "zstd"}.get(source.suffix)
    if unpacker is None:
        shutil.copy(source, folder / source.name)
        return source.name
    with open(folder / source.stem, "wb") as target:
        subprocess.run([unpacker, "-dc", source], stdout=target, check=True)
    return source.stem


def make_initramfs(target, modules, agent):
    with tempfile.TemporaryDirectory(dir=target.parent) as name:
        root = Path(name)
        (root / "bin").mkdir()
        (root / "modules").mkdir()
        shutil.copy("/bin/busybox", root / "bin")
        shutil.copy(agent, root / "agent")
        shutil.copy(HERE / "init", root / "init")
        (root / "init").chmod(0o755)
        early = [copy_module(path, root / "modules") for path in early_modules(modules)]
        (root / "settings").write_text(
            f"early_modules={shlex.quote(' '.join(early))}\n"
            f"release={shlex.quote(modules.name)}\n"
            f"tree={shlex.quote(str(TREE))}\n"
            f"modules={shlex.quote(str(modules))}\n"
        )
        files = "\n".join(str(path.relative_to(root)) for path in sorted(root.rglob("*")))
        archive = root.with_suffix(".cpio")
        with open(archive, "wb") as out:
            subprocess.run(
                ["cpio", "-o", "-H", "newc", "--quiet"],
                cwd=root, input=files.encode(), stdout=out, check=True,
            )
        archive.rename(target)


def make_image(target, image):
    """Unpacks a bzImage: emulated, the kernel would take two seconds for that itself.

    See "The Linux/x86 Boot Protocol" in the kernel's documentation; QEMU starts
    the ELF file inside by its PVH entry. What is packed in another way is
    taken as it is.
    """
    data = image.read_bytes()
    setup_sectors = data[0x1F1]
    offset, length = struct.unpack_from("<II", data, 0x248)
    payload = data[(setup_sectors + 1) * 512 + offset :][:length]
    if payload.startswith(b"\xfd7zXZ\0"):
        kernel = lzma.LZMADecompressor().decompress(payload)
    elif payload.startswith(b"\x28\xb5\x2f\xfd"):
        # After the stream its unpacked length stands, 4 bytes.
        kernel = subprocess.run(["zstd", "-dc"], input=payload[:-4], stdout=subprocess.PIPE, check=True).stdout
    else:
        kernel = data
    fresh = target.with_suffix(".partial")
    fresh.write_bytes(kernel)
    fresh.rename(target)


def make_program(target):
    source = HERE / f"{target.name}.c"
    if not newer(target, source):
        output_of("cc", "-Os", "-static", "-s", "-Wall", "-Wextra", "-o", target, source)


def prepare(version):
    """Everything that a VM with this kernel is started from, built where needed."""
    kernel = Path(output_of(HERE.parent / "kernel", *([version] if version else [])))
    built = Path(output_of(HERE.parent / "module", kernel))
    steady = Path(output_of(HERE.parent / "module", "--source", (HERE / "steady").relative_to(TREE), kernel))
    folder = BUILD / kernel.name
    with locked(BUILD):
        agent = BUILD / "agent"
        make_program(agent)
        make_program(BUILD / "tsc")
        modules = make_modules(folder, kernel, built, steady)
        initramfs = folder / "initramfs"
        if not newer(initramfs, agent, HERE / "init", Path(__file__)):
            make_initramfs(initramfs, modules, agent)
        image = folder / "vmlinux"
        if not newer(image, Path(__file__), kernel / "vmlinuz"):
            make_image(image, kernel / "vmlinuz")
    return Guest(release_of(kernel), image, initramfs)
