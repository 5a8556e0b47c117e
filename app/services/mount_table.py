"""Which file system a path is on, as far as following folders needs it (Linux: /proc/self/mountinfo)."""

from __future__ import annotations

import os
import re
import stat
from pathlib import Path

# No event tells of what other computers change on these.
NETWORK_TYPES = frozenset(
    {"9p", "afs", "ceph", "cifs", "coda", "davfs", "gfs2", "glusterfs", "lustre", "ncpfs", "nfs", "nfs4", "ocfs2"}
    | {"orangefs", "smb3", "smbfs", "vboxsf", "virtiofs"}
)
# Nothing on these is a document.
PSEUDO_TYPES = frozenset(
    {"autofs", "binfmt_misc", "bpf", "cgroup", "cgroup2", "configfs", "debugfs", "devpts", "devtmpfs", "efivarfs"}
    | {"fusectl", "hugetlbfs", "mqueue", "proc", "pstore", "rpc_pipefs", "securityfs", "selinuxfs", "sysfs", "tracefs"}
)
_MOUNT_INFO = Path("/proc/self/mountinfo")
_ESCAPE = re.compile(rb"\\([0-7]{3})")


def file_system_type(path: Path, mount_info: Path = _MOUNT_INFO) -> str:
    """The type of the file system ``path`` is on, such as ``ext4`` or ``fuse.sshfs``; empty where that can't be told.

    The format of the table is described in proc_pid_mountinfo(5).
    """
    try:
        lines = mount_info.read_bytes().splitlines()
    except OSError:
        return ""
    wanted = os.fsencode(os.path.realpath(path))
    best, found = -1, b""
    for line in lines:
        fields, _, rest = line.partition(b" - ")
        point = _ESCAPE.sub(lambda code: bytes([int(code[1], 8)]), fields.split(b" ")[4])
        inside = wanted == point or wanted.startswith(point.rstrip(b"/") + b"/")
        if inside and len(point) >= best:  # of two mounts at one place the later one is seen
            best, found = len(point), rest.split(b" ")[0]
    return found.decode("ascii", "replace")


def has_no_events(path: Path, mount_info: Path = _MOUNT_INFO) -> bool:
    """Whether changes below ``path`` may come about without the system telling: network shares and FUSE."""
    if os.name == "nt":
        return str(path).startswith("\\\\")
    kind = file_system_type(path, mount_info)
    return kind in NETWORK_TYPES or kind.startswith("fuse")


def folder_identity(path: Path) -> str:
    """What tells this folder from another one at the same path: its file system and its number there.

    Raises ``OSError`` if it can't be reached, ``NotADirectoryError`` if it is no folder.
    """
    information = path.stat()
    if not stat.S_ISDIR(information.st_mode):
        raise NotADirectoryError(20, "Not a directory", str(path))
    system = os.statvfs(path).f_fsid if hasattr(os, "statvfs") else 0
    # Device numbers differ from one start of the computer to the next, so they are the second choice.
    return f"{system or information.st_dev}:{information.st_ino}"
