"""A seccomp filter: the system calls that no homework needs are refused.

They fail with EPERM ("Operation not permitted"), so that honest code sees an exception that names
what it may not do. The filter is a program for the kernel's packet filter, one test after another.

References
----------
Linux kernel documentation, "Seccomp BPF"; numbers from asm/unistd_64.h and asm-generic/unistd.h.
"""

from __future__ import annotations

import ctypes
import errno
import os

from nnscratch.grading.sandbox.kernel import (
    PR_SET_CHILD_SUBREAPER,
    PR_SET_DUMPABLE,
    PR_SET_PDEATHSIG,
    PR_SET_SECCOMP,
    process_control,
)

# What is refused: its number on x86_64, and on aarch64 (-1: there is no such call).
REFUSED = {
    # sockets; what a worker has open already it uses with sendto and recvfrom
    "socket": (41, 198),
    "socketpair": (53, 199),
    "connect": (42, 203),
    "bind": (49, 200),
    "listen": (50, 201),
    "accept": (43, 202),
    "accept4": (288, 242),
    "sendmsg": (46, 211),  # could hand open files to the parent
    "sendmmsg": (307, 269),
    "recvmsg": (47, 212),
    "recvmmsg": (299, 243),
    # System V and POSIX IPC, and memory that no limit counts
    "shmget": (29, 194),
    "shmat": (30, 196),
    "shmctl": (31, 195),
    "shmdt": (67, 197),
    "semget": (64, 190),
    "semop": (65, 193),
    "semctl": (66, 191),
    "semtimedop": (220, 192),
    "msgget": (68, 186),
    "msgsnd": (69, 189),
    "msgrcv": (70, 188),
    "msgctl": (71, 187),
    "mq_open": (240, 180),
    "mq_unlink": (241, 181),
    "mq_timedsend": (242, 182),
    "mq_timedreceive": (243, 183),
    "mq_notify": (244, 184),
    "mq_getsetattr": (245, 185),
    "memfd_create": (319, 279),
    "memfd_secret": (447, 447),
    "add_key": (248, 217),
    "request_key": (249, 218),
    "keyctl": (250, 219),
    # other processes
    "ptrace": (101, 117),
    "process_vm_readv": (310, 270),
    "process_vm_writev": (311, 271),
    "process_madvise": (440, 440),
    "process_mrelease": (448, 448),
    "kcmp": (312, 272),
    "pidfd_open": (434, 434),
    "pidfd_getfd": (438, 438),
    "pidfd_send_signal": (424, 424),
    # other programs
    "execve": (59, 221),
    "execveat": (322, 281),
    # new namespaces and mounts
    "unshare": (272, 97),
    "setns": (308, 268),
    "mount": (165, 40),
    "umount2": (166, 39),
    "pivot_root": (155, 41),
    "chroot": (161, 51),
    "open_tree": (428, 428),
    "move_mount": (429, 429),
    "fsopen": (430, 430),
    "fsconfig": (431, 431),
    "fsmount": (432, 432),
    "fspick": (433, 433),
    "mount_setattr": (442, 442),
    "name_to_handle_at": (303, 264),
    "open_by_handle_at": (304, 265),
    # what Landlock does not refuse: marks on the files of others, and to see when they are used
    "inotify_init": (253, -1),
    "inotify_init1": (294, 26),
    "setxattr": (188, 5),
    "lsetxattr": (189, 6),
    "fsetxattr": (190, 7),
    "removexattr": (197, 14),
    "lremovexattr": (198, 15),
    "fremovexattr": (199, 16),
    "utime": (132, -1),
    "utimes": (235, -1),
    "futimesat": (261, -1),
    "utimensat": (280, 88),
    # parts of the kernel where its bugs have been
    "io_uring_setup": (425, 425),
    "io_uring_enter": (426, 426),
    "io_uring_register": (427, 427),
    "io_setup": (206, 0),
    "userfaultfd": (323, 282),
    "bpf": (321, 280),
    "perf_event_open": (298, 241),
    "fanotify_init": (300, 262),
    "init_module": (175, 105),
    "finit_module": (313, 273),
    "delete_module": (176, 106),
    "kexec_load": (246, 104),
    "kexec_file_load": (320, 294),
    "reboot": (169, 142),
    "swapon": (167, 224),
    "swapoff": (168, 225),
    "acct": (163, 89),
    "quotactl": (179, 60),
    "quotactl_fd": (443, 443),
    "syslog": (103, 116),
    "sethostname": (170, 161),
    "setdomainname": (171, 162),
    "settimeofday": (164, 170),
    "clock_settime": (227, 112),
    "adjtimex": (159, 171),
    "clock_adjtime": (305, 266),
    "personality": (135, 92),
    "iopl": (172, -1),
    "ioperm": (173, -1),
    "modify_ldt": (154, -1),
    "vhangup": (153, 58),
    "lookup_dcookie": (212, 18),
    "move_pages": (279, 239),
    "migrate_pages": (256, 238),
}
_CLONE, _CLONE3, _PRCTL = (56, 220), (435, 435), (157, 167)
_OPEN, _OPENAT, _OPENAT2 = (2, -1), (257, 56), (437, 437)
_NAMELESS = 0o20000000  # the flag of O_TMPFILE: a file that no look at the folder finds
_REFUSED_OPTIONS = (PR_SET_PDEATHSIG, PR_SET_DUMPABLE, PR_SET_CHILD_SUBREAPER)  # of prctl
_LAST_KNOWN = 462  # mseal, of Linux 6.10; whatever comes after it was not looked at here
_NEW_NAMESPACES = 0x7E020000  # every CLONE_NEW flag that clone takes

_ARCHITECTURES = {"x86_64": (0, 0xC000003E), "aarch64": (1, 0xC00000B7)}
_NUMBER, _ARCHITECTURE, _ARGUMENT = 0, 4, 16  # where the filter finds them; 8 bytes an argument
_LOAD, _EQUAL, _AT_LEAST, _ANY_BIT, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
_ALLOW, _KILL, _ERROR = 0x7FFF0000, 0x80000000, 0x00050000
_FILTER_MODE = 2


class _Instruction(ctypes.Structure):
    _fields_ = (
        ("code", ctypes.c_uint16),
        ("if_true", ctypes.c_uint8),
        ("if_false", ctypes.c_uint8),
        ("value", ctypes.c_uint32),
    )


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_uint16), ("first", ctypes.POINTER(_Instruction)))


def program(machine: str) -> list[tuple[int, int, int, int]]:
    """Return the filter for a machine (``os.uname().machine``): code, two jumps, value.

    Raises
    ------
    OSError
        The numbers of this machine's system calls are not known here.
    """
    if machine not in _ARCHITECTURES:
        raise OSError(f"seccomp: no filter for {machine}")
    column, architecture = _ARCHITECTURES[machine]
    refuse = (_RETURN, 0, 0, _ERROR | errno.EPERM)
    lines = [
        # Another architecture's calls have other numbers: whoever switches to one is killed.
        (_LOAD, 0, 0, _ARCHITECTURE),
        (_EQUAL, 1, 0, architecture),
        (_RETURN, 0, 0, _KILL),
        (_LOAD, 0, 0, _NUMBER),
    ]
    if machine == "x86_64":  # the x32 calls: the same architecture, a bit in the number
        lines += [(_AT_LEAST, 0, 1, 0x40000000), (_RETURN, 0, 0, _KILL)]
    for numbers in REFUSED.values():
        if numbers[column] >= 0:
            lines += [(_EQUAL, 0, 1, numbers[column]), refuse]
    # "No such call", so that libraries do without. Flags of clone3 lie in memory, where a filter
    # cannot look.
    absent = (_RETURN, 0, 0, _ERROR | errno.ENOSYS)
    lines += [(_AT_LEAST, 0, 1, _LAST_KNOWN + 1), absent]
    for number in (_CLONE3[column], _OPENAT2[column]):
        lines += [(_EQUAL, 0, 1, number), absent]
    for number, argument in ((_OPEN[column], 1), (_OPENAT[column], 2)):
        if number >= 0:
            lines += [(_EQUAL, 0, 4, number), (_LOAD, 0, 0, _ARGUMENT + 8 * argument)]
            lines += [(_ANY_BIT, 0, 1, _NAMELESS), refuse, (_RETURN, 0, 0, _ALLOW)]
    lines += [(_EQUAL, 0, 4, _CLONE[column]), (_LOAD, 0, 0, _ARGUMENT)]
    lines += [(_ANY_BIT, 0, 1, _NEW_NAMESPACES), refuse, (_RETURN, 0, 0, _ALLOW)]
    count = len(_REFUSED_OPTIONS)
    lines += [(_EQUAL, 0, 2 * count + 1, _PRCTL[column]), (_LOAD, 0, 0, _ARGUMENT)]
    for option in _REFUSED_OPTIONS:
        lines += [(_EQUAL, 0, 1, option), refuse]
    lines += [(_RETURN, 0, 0, _ALLOW)]
    return lines


def install() -> None:
    """Put the filter on this process and all that come of it, for good.

    Raises
    ------
    OSError
        The kernel has no seccomp filters, or the process may still gain privileges.
    """
    lines = program(os.uname().machine)
    instructions = (_Instruction * len(lines))(*(_Instruction(*line) for line in lines))
    filter_program = _Program(len(lines), instructions)
    process_control(PR_SET_SECCOMP, _FILTER_MODE, ctypes.addressof(filter_program))
