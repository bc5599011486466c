"""The worker as trusted code sees it, and what each level of the sandbox is made of."""

import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
from pathlib import Path

import numpy as np
import pytest

from nnscratch.grading.sandbox import seccomp
from nnscratch.grading.sandbox.errors import (
    ForbiddenValue,
    LimitExceeded,
    SandboxError,
    StudentError,
    TimedOut,
    WorkerDied,
)
from nnscratch.grading.sandbox.folder import MAX_FILES, holds_more_than, remove
from nnscratch.grading.sandbox.limits import Limits
from nnscratch.grading.sandbox.slot import close_all, detect_level
from nnscratch.grading.sandbox.worker import Worker

LEVEL = detect_level().level
LEVELS = range(LEVEL + 1)
PATIENT = {"wall": 200.0, "real": 600.0}  # a busy or suspended machine is no failure


def at(least):
    why = f"level {LEVEL} only: {'; '.join(detect_level().reasons)}"
    return pytest.mark.skipif(least > LEVEL, reason=why)


LAYERS = b"""
import numpy as np

class Scale:
    def __init__(self, factor):
        self.factor = factor
        self.params = {"s": np.full(2, 3.0)}
    def forward(self, x, out=None):
        self.x = x
        return self.factor * x
    def backward(self, dy):
        raise NotImplementedError("to do")
    def spoil(self, x, dy, name):
        dy[0] += 1
    def make(self):
        return lambda x: 2 * x

def apply(f, *x):
    return f(*x)

def fail(depth):
    return fail(depth - 1) if depth else 1 / 0
"""


@pytest.fixture(scope="module", autouse=True)
def nothing_idle_afterwards():
    yield
    close_all()


@pytest.fixture(params=LEVELS)
def level(request):
    return request.param


def started(source=LAYERS, level=None, **limits):
    if isinstance(source, str):
        source = textwrap.dedent(source).encode()
    return Worker({"layers.py": source}, level, Limits(**{**PATIENT, **limits}))


# -- asking ------------------------------------------------------------------------------------


def test_objects_functions_and_attributes(level):
    x = np.arange(6.0).reshape(3, 2)
    with started(level=level) as worker:
        scale = worker.new("layers", "Scale", 5)
        assert scale.name == "Scale"
        assert np.array_equal(worker.call(scale, "forward", x), 5 * x)
        assert np.array_equal(worker.get(scale, "x"), x)
        worker.set(scale, "factor", 7)
        assert worker.get(scale, "factor") == 7
        assert np.array_equal(worker.call(scale, "forward", x=x), 7 * x)
        params = worker.get(scale, "params", keep=True)
        assert np.array_equal(worker.item(params, "s"), [3.0, 3.0])
        double = worker.call(scale, "make", keep=True)
        assert worker.function("layers", "apply", double, 4) == 8
        assert worker.call(double, "", 5) == 10
        worker.delete(scale, "x")
        with pytest.raises(StudentError, match="AttributeError"):
            worker.get(scale, "x")
        assert worker.level == level


def test_dotted_names_and_replaced_names():
    given = b"class Scale:\n    def __init__(self, n):\n        self.n = -n"
    with Worker({"layers.py": LAYERS, "given.py": given}, limits=Limits(**PATIENT)) as worker:
        layers = worker.module("layers")
        right = worker.get(worker.module("given"), "Scale", keep=True)
        worker.set(layers, "Scale", right)
        assert worker.get(worker.new("layers", "Scale", 2), "n") == -2
        assert worker.get(layers, "np.linalg.norm", keep=True).name


def test_arguments_that_were_written_to_are_named():
    with started() as worker:
        scale = worker.new("layers", "Scale", 5)
        x, dy = np.zeros((2, 3)), np.zeros(4)
        worker.call(scale, "forward", x)
        assert worker.changed_inputs() == ()
        worker.call(scale, "spoil", x, dy, name="y")
        assert worker.changed_inputs() == (1,)
        assert np.array_equal(worker.inputs()[1], [1, 0, 0, 0])
        assert not dy.any()


def test_unfinished_is_not_an_error_like_others():
    with started() as worker:
        scale = worker.new("layers", "Scale", 5)
        with pytest.raises(StudentError) as unfinished:
            worker.call(scale, "backward", 1.0)
        assert unfinished.value.not_implemented
        with pytest.raises(StudentError) as other:
            worker.function("layers", "fail", 2)
    assert not other.value.not_implemented
    assert str(other.value) == "ZeroDivisionError: division by zero"
    assert other.value.traceback.count('File "layers.py", line 22, in fail') == 3
    assert "nnscratch" not in other.value.traceback


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("x = = 1", "SyntaxError"),
        (b"\xff\xfe", "SyntaxError"),
        (b"x = 'a\0b'", "SyntaxError|ValueError"),
        ("import torch", r"ModuleNotFoundError: No module named 'torch' here: homework has NumPy"),
        ("raise SystemExit(0)", "SystemExit: 0"),
        ("def f(): pass\nf.x.y", "AttributeError"),
    ],
)
def test_a_file_that_cannot_be_imported_says_why(source, message):
    with started(source) as worker, pytest.raises(StudentError, match=message):
        worker.module("layers")


def test_a_missing_name_is_told():
    with started() as worker:
        with pytest.raises(StudentError, match="module 'layers' has no attribute 'Linear'"):
            worker.new("layers", "Linear")
        with pytest.raises(StudentError, match="No module named 'others'"):
            worker.module("others")


def test_what_may_not_pass_is_told_and_the_worker_lives_on():
    with started("def f():\n    return {1.5}\ndef g():\n    return 1") as worker:
        with pytest.raises(ForbiddenValue, match="the value returned is of type set"):
            worker.function("layers", "f")
        assert worker.function("layers", "g") == 1


def test_output_is_kept_up_to_its_limit(level):
    source = "import sys\ndef f():\n    print('é')\n    sys.stderr.write('x' * 10**6)"
    with started(source, level, output=1000) as worker:
        worker.function("layers", "f")
    assert worker.output == "é\n" + "x" * 997


def test_the_process_is_told_from_its_end(level):
    with started("import os\ndef f(n):\n    os._exit(n)", level) as worker:
        with pytest.raises(WorkerDied, match=r"\(exit status 3\)") as first:
            worker.function("layers", "f", 3)
        with pytest.raises(WorkerDied) as second:
            worker.function("layers", "f", 3)
        assert first.value is second.value


def test_time_counts_for_all_calls_together(level):
    with (
        started("import time\ndef f():\n    time.sleep(0.4)", level, wall=1.0) as worker,
        pytest.raises(TimedOut, match=r"within 1 s of time") as error,
    ):
        for _ in range(5):
            worker.function("layers", "f")
    assert error.value.limit == "wall"
    assert worker.wall_seconds >= 1.0


@pytest.fixture
def crowded():
    """One core for nine others and for the process whose id is given."""
    core = {min(os.sched_getaffinity(0))}
    loops = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(9)]
    for loop in loops:
        os.sched_setaffinity(loop.pid, core)
    yield lambda pid: os.sched_setaffinity(pid, core)
    for loop in loops:
        loop.kill()
        loop.wait()


@at(1)
@pytest.mark.parametrize("level", [n for n in LEVELS if n >= 1])
def test_what_a_crowded_machine_makes_it_wait_is_not_counted(level, crowded):
    source = """
        import time
        def compute():
            began = time.process_time()
            while time.process_time() - began < 1.2:
                pass
        def sleep():
            time.sleep(4)
        """
    with started(source, level, wall=1.5, cpu=3) as worker:
        worker.module("layers")
        crowded(worker._process._running.pid)
        worker.function("layers", "compute")
    assert worker.wall_seconds > 1.6
    with started(source, level, wall=1.5, cpu=3) as worker:
        worker.module("layers")
        crowded(worker._process._running.pid)
        with pytest.raises(TimedOut, match=r"within 1\.5 s of time"):
            worker.function("layers", "sleep")


def test_no_machine_is_waited_for_without_end(level):
    with (
        started("import time\ndef f():\n    time.sleep(9)", level, real=1.0) as worker,
        pytest.raises(TimedOut, match="of time"),
    ):
        worker.function("layers", "f")
    assert worker.wall_seconds < 9


@at(1)
@pytest.mark.parametrize("level", [n for n in LEVELS if n >= 1])
def test_cpu_time_is_limited(level):
    with (
        started("def f():\n    while True: pass", level, cpu=1) as worker,
        pytest.raises(TimedOut, match="CPU time") as error,
    ):
        worker.function("layers", "f")
    assert error.value.limit == "cpu"
    assert worker.cpu_seconds > 0.5


@at(1)
def test_memory_and_file_sizes_are_limited():
    source = """
        import numpy as np
        def memory():
            np.ones(1 << 28)
        def file():
            with open("a", "wb") as file:
                file.write(bytes(2 << 20))
    """
    with started(source, 1, file_size=1 << 20) as worker:
        with pytest.raises(StudentError, match="MemoryError"):
            worker.function("layers", "memory")
        with pytest.raises(StudentError, match="File too large"):
            worker.function("layers", "file")


@pytest.mark.parametrize("level", [n for n in (1, 2) if n <= LEVEL])
def test_a_full_folder_ends_the_worker(level):
    source = """
        def f():
            n = 0
            while True:
                with open(f"a{n}", "wb") as file:
                    file.write(bytes(1 << 20))
                n += 1
    """
    with (
        started(source, level, folder_size=8 << 20) as worker,
        pytest.raises(LimitExceeded, match="working folder holds more than 8388608 bytes"),
    ):
        worker.function("layers", "f")


def test_each_worker_is_fresh(level):
    source = """
        import os, numpy as np
        count = 0
        def touch():
            global count
            count += 1
            np.spoiled = True
            open("left", "w").close()
            return count, hasattr(np, "spoiled"), sorted(os.listdir("."))
        def look():
            return count, hasattr(np, "spoiled"), sorted(os.listdir("."))
    """
    with started(source, level) as worker:
        assert worker.function("layers", "touch") == (1, True, ["layers.py", "left"])
    with started(source, level) as worker:
        assert worker.function("layers", "look") == (0, False, ["layers.py"])


def test_draws_without_a_seed_are_the_same_each_time(level):
    source = "import random, numpy as np\ndef f():\n    return random.random(), np.random.rand(3)"
    drawn = []
    for _ in range(2):
        with started(source, level) as worker:
            drawn.append(worker.function("layers", "f"))
    assert drawn[0][0] == drawn[1][0]
    assert np.array_equal(drawn[0][1], drawn[1][1])


def test_the_worker_has_no_environment_no_open_files_and_one_thread(level):
    source = """
        import os, threading
        def f():
            opened = []
            for number in range(200):
                try:
                    os.fstat(number)
                except OSError:
                    continue
                opened.append(number)
            return dict(os.environ), len(opened), threading.active_count()
    """
    os.set_inheritable(number := os.dup(0), True)
    with started(source, level) as worker:
        assert worker.function("layers", "f") == ({}, 4, 1)  # 0, 1, 2 and its connection
    os.close(number)


def test_workers_of_several_threads_do_not_meet():
    answers = {}

    def ask(n):
        with started() as worker:
            scale = worker.new("layers", "Scale", n)
            time.sleep(0.05)
            answers[n] = worker.call(scale, "forward", 10)

    threads = [threading.Thread(target=ask, args=(n,)) for n in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == {n: 10 * n for n in range(6)}


# -- our own mistakes --------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["a/b.py", "..", "", "a\\b.py", "json.py", "numpy.py"])
def test_a_file_name_that_would_do_harm_is_refused(name):
    with pytest.raises(ValueError, match="file "):
        Worker({name: b""})


def test_misuse_is_told():
    with pytest.raises(ValueError, match="sandbox level 7"), started(level=7):
        pass
    with pytest.raises(RuntimeError, match="inside its with block"):
        started().module("layers")
    with started() as worker:
        scale = worker.new("layers", "Scale", 5)
        with pytest.raises(ValueError, match="name of a file without"):
            worker.module("layers.py")
    with pytest.raises(RuntimeError, match="inside its with block"):
        worker.call(scale, "forward", 1)
    with started() as worker, pytest.raises(ValueError, match="belongs to another worker"):
        worker.call(scale, "forward", 1)
    with pytest.raises(ValueError, match="cpu=0"):
        Limits(cpu=0)


# -- the sandbox -------------------------------------------------------------------------------

PROBE = """
    import ctypes, os
    libc = ctypes.CDLL(None, use_errno=True)
    def ids():
        return os.getresuid(), os.getresgid(), os.getgroups()
    def capabilities():
        sets = (ctypes.c_uint32 * 6)()
        header = (ctypes.c_uint32 * 2)(0x20080522, 0)
        libc.capget(header, sets)
        return list(sets), libc.prctl(23, 0, 0, 0, 0)  # and whether CAP_CHOWN is in the bounds
    def prctl(option):
        return libc.prctl(option, 0, 0, 0, 0)
    def forks():
        count = 0
        try:
            while count < 50:
                if os.fork() == 0:
                    os.read(os.pipe()[0], 1)
                count += 1
        except OSError:
            return count
    def session():
        return os.getsid(0) == os.getpid() or os.getsid(0) == 0, os.getppid(), os.getpid()
    def do(name, *arguments):
        return getattr(os, name)(*arguments)
"""


@at(2)
@pytest.mark.parametrize("level", [n for n in LEVELS if n >= 2])
def test_rights_are_gone(level):
    with started(PROBE, level) as worker:
        uids, gids, groups = worker.function("layers", "ids")
        assert len({*uids, *gids}) == 1 and uids[0] >= 60_000 and groups == []
        assert worker.function("layers", "capabilities") == ([0] * 6, 0)
        assert worker.function("layers", "prctl", 39) == 1  # no_new_privs
        assert worker.function("layers", "prctl", 21) == 2  # seccomp: a filter
        assert worker.function("layers", "prctl", 3) == 0  # not dumpable
        with pytest.raises(StudentError, match="PermissionError"):
            worker.function("layers", "do", "listdir", "/")


@at(2)
@pytest.mark.parametrize("level", [n for n in LEVELS if n >= 2])
@pytest.mark.parametrize("processes", [1, 4])
def test_the_number_of_processes_is_limited_to_the_letter(level, processes):
    with started(PROBE, level, processes=processes) as worker:
        assert worker.function("layers", "forks") == processes - 1


@at(3)
def test_level_3_sees_nobody():
    with started(PROBE, 3) as worker:
        assert worker.function("layers", "session") == (True, 0, 1)
        with pytest.raises(StudentError, match="FileNotFoundError"):
            worker.function("layers", "do", "stat", "/proc")
        with pytest.raises(StudentError, match="FileNotFoundError"):
            worker.function("layers", "do", "stat", str(Path(__file__)))


def test_a_lower_level_can_be_forced():
    for level in LEVELS:
        with started(level=level) as worker:
            assert worker.level == level


@at(2)
def test_two_slots_have_two_uids():
    with started(PROBE, 2) as one, started(PROBE, 2) as other:
        assert one.function("layers", "ids") != other.function("layers", "ids")


@at(2)
def test_modules_are_had_though_the_interpreter_is_out_of_reach():
    source = "import asyncio, json, random, dataclasses, unittest.mock, numpy.random, numpy.ma"
    with started(source, 2) as worker:
        worker.module("layers")


WITHOUT = """
import ctypes, sys
libc = ctypes.CDLL(None)
for capability in map(int, sys.argv[1:]):
    assert libc.prctl(24, capability, 0, 0, 0) == 0
from nnscratch.grading.sandbox.slot import detect_level
from nnscratch.grading.sandbox.worker import Worker
found = detect_level()
print(found.level, *found.reasons, sep="|")
try:
    with Worker({}, 3):
        pass
except RuntimeError as error:
    print(type(error).__name__)
with Worker({"a.py": b"def f(): return 42"}) as worker:
    print(worker.level, worker.function("a", "f"))
"""


@at(3)
@pytest.mark.parametrize(
    ("missing", "level", "reason"),
    [
        ([21], 2, "level 3: unshare: Operation not permitted"),  # CAP_SYS_ADMIN
        ([21, 7], 1, "level 2: PermissionError: [Errno 1] Operation not permitted"),  # CAP_SETUID
        ([21, 8], 1, "level 2: capabilities: Operation not permitted"),  # CAP_SETPCAP
    ],
)
def test_a_machine_that_allows_less_is_found_out(missing, level, reason):
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT, *map(str, missing)],
        capture_output=True,
        text=True,
        check=True,
    )
    first, second, third = done.stdout.splitlines()
    assert first.split("|")[0] == str(level)
    assert reason in first.split("|")
    assert second == "SandboxError"
    assert third == f"{level} 42"


GRADER = """
import os, sys, time
from nnscratch.grading.sandbox.limits import Limits
from nnscratch.grading.sandbox.worker import Worker
source = b'''
import os, time
def f():
    for _ in range(3):
        os.fork()
    os.write(1, b"go")
    while True:
        time.sleep(1)
'''
limits = Limits(wall=500, real=500, cpu=100, processes=16)
worker = Worker({"a.py": source}, int(sys.argv[1]), limits)
import threading
def watch():
    while "go" not in worker.output:
        time.sleep(0.01)
    print("running", flush=True)
with worker:
    threading.Thread(target=watch).start()
    worker.function("a", "f")
"""


def descendants(pid):
    children = {}
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            fields = (entry / "stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if fields[0] != "Z":
            children.setdefault(int(fields[1]), []).append(int(entry.name))
    found = [pid]
    for one in found:
        found += children.get(one, [])
    return found[1:]


@at(1)
@pytest.mark.parametrize("level", [n for n in LEVELS if n >= 1])
def test_nothing_outlives_a_grader_that_is_killed(level):
    grader = subprocess.Popen(
        [sys.executable, "-c", GRADER, str(level)], stdout=subprocess.PIPE, text=True
    )
    with grader:
        assert grader.stdout.readline() == "running\n"
        family = descendants(grader.pid)
        assert len(family) >= 3
        grader.send_signal(signal.SIGKILL)
    until = time.monotonic() + 60
    while any(alive(pid) for pid in family) and time.monotonic() < until:
        time.sleep(0.02)
    assert not [pid for pid in family if alive(pid)]


def alive(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


@at(1)
def test_a_fault_of_the_start_up_process_is_not_the_students():
    worker = started(level=1)
    with pytest.raises(SandboxError, match="start-up process has ended"), worker:
        folder = Path(worker.get(worker.module("layers"), "__file__")).parent
        for pid in descendants(os.getpid()):
            os.kill(pid, signal.SIGKILL)
        worker.module("others")
    assert not folder.exists()
    with started(level=1) as worker:  # and the next one is well
        worker.module("layers")


# -- parts -------------------------------------------------------------------------------------


@pytest.mark.parametrize("machine", ["x86_64", "aarch64"])
def test_the_filter_refuses_what_it_lists(machine):
    """The program is run here, by hand, for every call and a few arguments."""
    column, architecture = {"x86_64": (0, 0xC000003E), "aarch64": (1, 0xC00000B7)}[machine]
    program = seccomp.program(machine)

    def verdict(number, argument=0, arch=architecture, second=0, third=0):
        data = {0: number, 4: arch, 16: argument, 24: second, 32: third}
        position = value = 0
        while True:
            code, if_true, if_false, operand = program[position]
            position += 1
            if code == 0x20:
                value = data[operand]
            elif code == 0x06:
                return operand
            else:
                test = {0x15: value == operand, 0x35: value >= operand, 0x45: value & operand}
                position += if_true if test[code] else if_false

    allow, kill, eperm, enosys = 0x7FFF0000, 0x80000000, 0x00050001, 0x00050026
    for name, numbers in seccomp.REFUSED.items():
        if numbers[column] >= 0:
            assert verdict(numbers[column]) == eperm, name
    refused = {numbers[column] for numbers in seccomp.REFUSED.values()} | {435, 437}
    for number in set(range(463)) - refused:
        assert verdict(number) == allow, number
    nameless = 0o20200000  # O_TMPFILE
    if machine == "x86_64":
        assert (verdict(2, second=1), verdict(2, second=nameless)) == (allow, eperm)
        assert (verdict(257, third=1), verdict(257, third=nameless)) == (allow, eperm)
    else:
        assert (verdict(56, third=1), verdict(56, third=nameless)) == (allow, eperm)
    assert verdict(435) == verdict(437) == verdict(463) == verdict(10_000) == enosys
    assert verdict(0, arch=0x40000003) == kill
    clone, prctl = {"x86_64": (56, 157), "aarch64": (220, 167)}[machine]
    assert verdict(clone, 0x01200011) == allow
    for flag in (0x00020000, 0x02000000, 0x04000000, 0x08000000, 0x10000000, 0x20000000, 1 << 30):
        assert verdict(clone, flag | 17) == eperm
    assert [verdict(prctl, option) for option in (1, 4, 36, 3)] == [eperm] * 3 + [allow]
    if machine == "x86_64":
        assert verdict(0x40000000 + 1) == kill


def test_a_spoilt_folder_is_measured_and_removed(tmp_path):
    folder = tmp_path / "work"
    folder.mkdir()
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "kept").write_text("x" * 1000)
    (folder / "link").symlink_to(outside)
    (folder / "loop").symlink_to(folder)
    os.mkfifo(folder / "pipe")
    here = Path.cwd()
    os.chdir(folder)
    try:
        for _ in range(1500):
            Path("d" * 100).mkdir()
            os.chdir("d" * 100)
    finally:
        os.chdir(here)
    assert holds_more_than(str(folder), 1 << 30)  # too deep to be looked into
    (folder / "locked").mkdir()
    (folder / "locked" / "file").touch()
    (folder / "locked").chmod(0)
    remove(str(folder))
    assert not folder.exists()
    assert (outside / "kept").exists()


def test_many_entries_are_too_many(tmp_path):
    for number in range(MAX_FILES):
        (tmp_path / str(number)).touch()
    assert not holds_more_than(str(tmp_path), 0)
    (tmp_path / "one more").touch()
    assert holds_more_than(str(tmp_path), 0)
