"""What the grader asks in hw7_train, and what the library answers."""

import gzip
import struct
from functools import cache

import numpy as np

import nnscratch as nn
from nnscratch.data.catalogue import SOURCES
from nnscratch.data.files import files_here
from nnscratch.grading.checks import check
from nnscratch.grading.draws import fixed
from nnscratch.grading.evidence import Mistake, claim, compare, equal
from nnscratch.grading.function_items import function_items
from nnscratch.grading.student import Fault

# IDX --------------------------------------------------------------------------------------------

CODES = {8: ">u1", 9: ">i1", 11: ">i2", 12: ">i4", 13: ">f4", 14: ">f8"}


def idx_file(rng, code, shape):
    """(content, right array) of a file with that code of a dtype."""
    dtype = np.dtype(CODES[code])
    low, high = (0, 256) if dtype.kind == "u" else (-120, 120)
    whole = rng.integers(low, high, shape)
    values = whole + (rng.uniform(0, 1, shape) if dtype.kind == "f" else 0)
    values = (values * (50 if code == 11 else 10**6 if code == 12 else 1)).astype(dtype)
    header = struct.pack(f">BBBB{len(shape)}I", 0, 0, code, len(shape), *shape)
    return header + values.tobytes(), values.astype("f8" if dtype.kind == "f" else "i8")


def idx_mistakes(content, right, code):
    dtype = np.dtype(CODES[code])
    tail = np.frombuffer(content[-right.size * dtype.itemsize :], dtype.newbyteorder("<"))
    turned = right.T.reshape(right.shape)
    mixed = right.reshape(right.shape[::-1]).T
    known = {
        "little_endian": Mistake(
            tail.reshape(right.shape),
            "the bytes of each number are read in the wrong order",
            "IDX writes the most significant first, which NumPy calls '>'",
        ),
        "axes_exchanged": Mistake(
            [turned, mixed],
            "the axes are taken in another order",
            "the last axis runs fastest, as in NumPy's own order",
        ),
    }
    if len(content) % dtype.itemsize == 0:
        start = np.frombuffer(content, dtype, right.size).reshape(right.shape)
        words = "the header is taken for values", "they begin behind 4 bytes and 4 for each axis"
        known["header_read"] = Mistake(start, *words)
    if code == 9:
        unsigned = np.where(right < 0, right + 256, right)
        known["sign_lost"] = Mistake(unsigned, "bytes with a sign are read without", "code 9 is i1")
    return known


def of_files(compressed):
    @check("read_idx")
    def read(student, rng):
        shapes = [(5,), (4, 3), (3, 4, 5), (6, 3)]
        for code in CODES if not compressed else (8, 13):
            shape = shapes[rng.integers(len(shapes))] if code != 8 else (3, 4, 5)
            content, right = idx_file(rng, code, shape)
            sent = gzip.compress(content, mtime=0) if compressed else content
            got = student.function("read_idx", student.content(sent))
            name = f"a {'gzipped ' * compressed}file of {np.dtype(CODES[code]).name}"
            if isinstance(got, np.ndarray):
                told = f"it has dtype {got.dtype}, expected {right.dtype}"
                yield claim(f"dtype of {name}", got.dtype == right.dtype, "other_dtype", told)
                got = got.astype(np.float64)
            yield compare(name, got, right, idx_mistakes(content, right, code), array="value")

    return read


read_idx = of_files(False), of_files(True)

# Preparing --------------------------------------------------------------------------------------


@check("standardize")
def standardize(student, rng):
    for n, m in ((7, 5), (9, 4)):
        scale = np.array([1.0, 3.0, 0.0, 20.0])  # the third is constant in training
        train = 5 + scale * rng.normal(size=(n, 4))
        test = train.mean(axis=0) + rng.normal(size=(m, 4)) * (scale + (scale == 0))
        whole = np.concatenate([train, test])
        got, got_test = student.function("standardize", train, test, unpack=2)

        def by(x, of, ddof=0, safe=0.0):
            deviation = of.std(axis=0, ddof=ddof)
            return (x - of.mean(axis=0)) / np.where(deviation > 0, deviation + safe, 1.0)

        def forms(x, of=train, test=test, whole=whole):
            small = [(x - of.mean(0)) / (of.std(0) + 10.0**-k) for k in range(3, 17)]
            return {
                "by_itself": Mistake(
                    by(test, test),
                    "the test samples are standardized by themselves",
                    "by mean and deviation of train, as one new sample would have to be",
                ),
                "by_both": Mistake(
                    by(x, whole),
                    "mean and deviation are those of train and test together",
                    "the test may have no part in what training sees",
                ),
                "variance_for_deviation": Mistake(
                    (x - of.mean(0)) / np.where(of.var(0) > 0, of.var(0), 1.0),
                    "x - mean is divided by the variance",
                    "by its root",
                ),
                "one_for_all": Mistake(
                    (x - of.mean()) / of.std(),
                    "one mean and one deviation for all features",
                    "axis=0",
                ),
                "small_number_added": Mistake(
                    small,
                    "a small number is added to the deviation",
                    "a constant feature then explodes where it is not constant: divide by 1",
                ),
                "unbiased_deviation": Mistake(by(x, of, ddof=1), "divided by N - 1", "by N"),
            }

        yield compare("train", got, by(train, train), forms(train), array="value")
        same = "the test samples are left as they are", "by mean and deviation of train"
        mistakes = forms(test) | {"untouched": Mistake(test, *same)}
        yield compare("test", got_test, by(test, train), mistakes, array="value")


@check("split")
def split(student, rng):
    seeds = rng.permutation(10_000)[:2]
    for count, share in ((20, 0.25), (13, 0.3), (11, 0.5)):
        found = []
        for seed in (seeds[0], seeds[0], seeds[1]):
            parts = student.function("split", count, share, int(seed), unpack=2)
            if not all(isinstance(p, np.ndarray) and p.dtype.kind == "i" for p in parts):
                raise Fault("type", "split returned other things than two arrays of whole numbers")
            found.append(parts)
        train, valid = found[0]
        both = np.concatenate([train.ravel(), valid.ravel()])
        told = f"of {count} samples, {len(valid)} are set aside, expected {round(share * count)}"
        sizes = [len(valid), len(train)]
        if sizes[::-1] == [round(share * count), count - round(share * count)]:
            yield claim(
                "sizes", sizes[0] == sizes[1], "exchanged", told, "first train, then the other"
            )
        else:
            yield claim(
                "sizes", len(valid) == round(share * count), "other_share", told, "use round"
            )
        told = "some samples are in both parts, or in neither"
        remedy = "cut one permutation of all in two"

        yield claim("samples", equal(np.sort(both), np.arange(count)), "not_a_split", told, remedy)
        told = "the samples are set aside in their order: files are often sorted by class"
        in_order = equal(np.sort(valid), valid) and np.ptp(valid) == len(valid) - 1
        yield claim("order", not in_order, "not_shuffled", told, "shuffle first")
        told = "the same rng gives another split, or another rng the same"
        same, other = (equal(valid, parts[1]) for parts in found[1:])
        yield claim("rng", same and not other, "rng_ignored", told, "np.random.default_rng(rng)")


def batches_of(x, y, batch_size, order):
    parts = [order[i : i + batch_size] for i in range(0, len(order), batch_size)]
    return [(x[part], y[part]) for part in parts]


@check("minibatches")
def minibatches(student, rng):
    for n, size in ((12, 4), (11, 4), (3, 5)):
        x, y, order = rng.normal(size=(n, 3)), rng.integers(0, 9, n), rng.permutation(n)
        y[:3] = (0, 4, 8)
        got = student.function("minibatches", x, y, size, order)
        right = batches_of(x, y, size, order)
        if not isinstance(got, list) or not all(
            isinstance(pair, (tuple, list)) and len(pair) == 2 for pair in got
        ):
            raise Fault("none" if got is None else "type", "minibatches returned no list of pairs")
        if n > size:
            dropped = len(got) == n // size < len(right)
            told = "the last, smaller batch is missing", "stop at the end, not before it"
            yield claim("the last batch", not dropped, "last_dropped", *told)
            if dropped:
                continue
        told = f"{n} samples in batches of {size} make {len(right)} batches, received {len(got)}"
        yield claim("batches", len(got) == len(right), "other_number", told)
        if len(got) != len(right):
            continue
        plain = batches_of(x, y, size, np.arange(n))
        for (xs, ys), (right_x, right_y), (plain_x, plain_y) in zip(got, right, plain, strict=True):
            ignored = "order is not used", "x[order[i : i + batch_size]]"
            apart = "the labels are not those of the samples", "index both with the same part"
            mistakes = {"order_ignored": Mistake(plain_x, *ignored)}
            yield compare("x of a batch", xs, right_x, mistakes, array="value")
            labels = ys.astype(float) if isinstance(ys, np.ndarray) else ys
            mistakes = {"labels_apart": Mistake(plain_y, *apart)}
            yield compare("y of a batch", labels, right_y, mistakes, array="value")


# The step ---------------------------------------------------------------------------------------


class Tape:
    """Objects whose methods are computed here, and a list of what was called with what."""

    def __init__(self, student, returned):
        self.calls, self.student, self.returned = [], student, returned

    def object(self, part, *methods):
        return self.student.operator(**{m: self._method(f"{part}.{m}") for m in methods})

    def _method(self, name):
        def called(*arguments):
            self.calls.append((name, arguments))
            made = self.returned.get(name)
            return made(*arguments) if callable(made) else made

        return called

    @property
    def names(self):
        return [name for name, _ in self.calls]


RIGHT_ORDER = ["model.forward", "loss.forward", "loss.backward", "model.backward", "optimizer.step"]


@check("train_step")
def train_step(student, rng):
    for n in (4, 7):
        x, y = rng.normal(size=(n, 5)), rng.integers(0, 3, n)
        scores, dscores, value = rng.normal(size=(n, 3)), rng.normal(size=(n, 3)), rng.uniform(1, 2)
        returned = {"model.forward": scores, "loss.forward": value, "loss.backward": dscores}
        tape = Tape(student, {**returned, "model.backward": x})
        parts = [tape.object(part, "forward", "backward") for part in ("model", "loss")]
        parts.append(tape.object("optimizer", "step"))
        got = student.function("train_step", *parts, x, y)
        for name in RIGHT_ORDER:
            times = tape.names.count(name)
            told = f"{name} is called {times} times", "once in a step"
            yield claim(name, times == 1, "not_once", *told)
        if sorted(tape.names) != sorted(RIGHT_ORDER):
            return
        told = f"the order is {', '.join(tape.names)}", f"it must be {', '.join(RIGHT_ORDER)}"
        yield claim("the order", tape.names == RIGHT_ORDER, "wrong_order", *told)
        given = dict(tape.calls)
        expected = {"model.forward": (x,), "loss.forward": (scores, y), "loss.backward": ()}
        expected |= {"model.backward": (dscores,), "optimizer.step": ()}
        for name, arguments in expected.items():
            same = len(given[name]) == len(arguments) and all(map(equal, given[name], arguments))
            words = f"{name} is not given what it should be", WHAT[name]
            yield claim(f"what {name} gets", same, "other_arguments", *words)
        yield compare("value", got, value, array="value")


WHAT = {
    "model.forward": "it takes x",
    "loss.forward": "it takes what model.forward returned, then y",
    "loss.backward": "it takes nothing",
    "model.backward": "it takes what loss.backward returned",
    "optimizer.step": "it takes nothing",
}


@check("evaluate")
def evaluate(student, rng):
    for n, size in ((11, 4), (12, 5), (3, 8)):
        x, scores, labels = rng.normal(size=(n, 3)), rng.normal(size=(n, 4)), rng.integers(0, 4, n)
        right = scores.argmax(axis=1)
        labels[: n // 2 + 1] = right[: n // 2 + 1]  # most of the first, few of the last
        rows = {row.tobytes(): i for i, row in enumerate(x)}

        def forward(given, rows=rows, scores=scores):
            if np.ndim(given) != 2 or any(row.tobytes() not in rows for row in given):
                raise ValueError("model.forward takes rows of x")
            return scores[[rows[row.tobytes()] for row in given]]

        tape = Tape(student, {"model.forward": forward})
        got = student.function("evaluate", tape.object("model", "forward"), x, labels, size)
        hits = right == labels
        batches, full = [hits[i : i + size] for i in range(0, n, size)], n // size * size
        most = max((len(given[0]) for _, given in tape.calls), default=0)
        told = f"{most} samples are given to the model at a time, at most {size} may be"
        yield claim("batches", most <= size, "too_many_at_a_time", told)
        mistakes = {
            "mean_of_batches": Mistake(
                np.mean([b.mean() for b in batches]),
                "the batches' accuracies are averaged, though the last is smaller",
                "count what is right, and divide by all samples once",
            ),
            "last_dropped": Mistake(
                [hits[:full].sum() / n, hits[:full].sum() / max(full, 1)],
                "the last, smaller batch is left out",
                "stop at the end, not before it",
            ),
            "count_for_share": Mistake(hits.sum(), "this is a number of samples", "divide by n"),
            "smallest_score": Mistake(
                np.mean(scores.argmin(axis=1) == labels), "the smallest score wins", "argmax"
            ),
            "last_batch_only": Mistake(
                [batches[-1].mean(), batches[-1].sum() / n],
                "only the last batch counts",
                "start at 0 before the loop, and add in it",
            ),
        }
        yield compare("accuracy", got, hits.mean(), mistakes, array="value")


# The loop ---------------------------------------------------------------------------------------

# They stand in for the student's own, and hold nothing of what these should do.
STEP = "def train_step(model, loss, optimizer, x, y):\n    return model.step(x, y)\n"
SCORE = (
    "def evaluate(model, x, labels, batch_size):\n    return model.score(x, labels, batch_size)\n"
)
EPOCHS, SIZE = 3, 4


@check("fit", given={"minibatches": batches_of, "train_step": STEP, "evaluate": SCORE})
def fit(student, rng):
    n, m = 11, 6
    x, y = np.column_stack([np.arange(n), rng.normal(size=(n, 3))]), rng.permutation(n)
    x_valid, y_valid = rng.normal(size=(m, 4)), rng.integers(0, 3, m)
    seed = int(rng.integers(10_000))
    orders = []
    for again in (seed, seed, seed + 1):
        losses, accuracies = rng.uniform(0.5, 3.0, 50), rng.uniform(0.1, 0.9, 9)
        taken = {"model.step": answering(losses), "model.score": answering(accuracies)}
        tape, none = Tape(student, taken), student.operator()
        model, data = tape.object("model", "step", "score"), (x, y, x_valid, y_valid)
        history = student.function("fit", model, none, none, *data, EPOCHS, SIZE, again)
        yield from of_calls(tape, x, y, x_valid, y_valid)
        seen = rows_shown(tape)
        sizes = np.array([len(rows) for rows in seen])
        if len(sizes) != EPOCHS * 3 or sizes.sum() != EPOCHS * n:
            return
        orders.append(np.concatenate(seen))
        values = losses[: len(sizes)].reshape(EPOCHS, 3)
        weights = sizes.reshape(EPOCHS, 3)
        total = (values * weights).sum(axis=1)
        mistakes = {
            "mean_of_batches": Mistake(
                values.mean(axis=1),
                "the batches' losses are averaged, though the last batch is smaller",
                "multiply each by the number of its samples, and divide by all",
            ),
            "last_batch_only": Mistake(values[:, -1], "this is the last batch's loss", "the mean"),
            "sum_for_mean": Mistake([total, values.sum(axis=1)], "this is a sum", "divide it"),
            "over_epochs": Mistake(
                [np.cumsum(total) / n], "the sum goes on from epoch to epoch", "start at 0 in each"
            ),
        }
        got = numbers(history, "train_loss")
        yield compare("train_loss", got, total / n, mistakes, array="value")
        got = numbers(history, "valid_accuracy")
        yield compare("valid_accuracy", got, accuracies[:EPOCHS], array="value")
    first = orders[0].reshape(EPOCHS, n)
    told = "the samples come in the order of the file", "rng.permutation(len(x))"
    yield claim("orders", not equal(first[0], np.arange(n)), "not_shuffled", *told)
    told = "all epochs have the same order", "draw one in each epoch, from one generator"
    yield claim("orders of epochs", not equal(first[0], first[1]), "same_order", *told)
    told = "the same rng gives other orders, or another rng the same"
    good = equal(orders[0], orders[1]) and not equal(orders[0], orders[2])
    yield claim("rng", good, "rng_ignored", told, "np.random.default_rng(rng), before the loop")


def answering(values):
    """A method that returns one after the other, whatever it is given."""
    rest = iter(values)
    return lambda *_: float(next(rest))


def rows_shown(tape):
    """The numbers of the samples in each step; none where it was given something else."""
    given = [found[0] for name, found in tape.calls if name == "model.step"]
    return [x[:, 0] if np.ndim(x) == 2 else np.zeros(0) for x in given]


def of_calls(tape, x, y, x_valid, y_valid):
    """What every epoch shows to the model, and when it is evaluated on what."""
    n, calls = len(x), [*tape.calls]
    steps = [given for name, given in calls if name == "model.step"]
    scores = [given for name, given in calls if name == "model.score"]
    seen = rows_shown(tape)
    once = len(steps) == EPOCHS * 3 and all(
        equal(np.sort(np.concatenate(seen[3 * e : 3 * e + 3])), np.arange(n)) for e in range(EPOCHS)
    )
    told = f"{EPOCHS} epochs of {n} samples in batches of {SIZE}: not each sample once in each"
    yield claim(
        "samples", once, "samples_missed", told, "all batches of minibatches, in each epoch"
    )
    right = all(equal(given[1], y[given[0][:, 0].astype(int)]) for given in steps) if once else True
    yield claim("labels", right, "labels_apart", "the labels are not those of the samples")
    times = [i for i, (name, _) in enumerate(calls) if name == "model.score"]
    wanted = [4 * e + 3 for e in range(EPOCHS)]
    told = f"evaluate is called {len(times)} times", "once after each epoch"
    yield claim("evaluations", len(times) == EPOCHS, "other_number", *told)
    told = "evaluate is called before the epoch's steps", "after them"
    early = once and len(times) == EPOCHS and times != wanted
    yield claim("when it is evaluated", not early, "evaluated_too_early", *told)
    wrong = any(equal(given[0], x) for given in scores)
    told = "the accuracy is that of the training samples", "evaluate on x_valid and y_valid"
    yield claim("what is evaluated", not wrong, "evaluated_on_training", *told)
    same = all(
        len(g) == 3 and equal(g[0], x_valid) and equal(g[1], y_valid) and g[2] == SIZE
        for g in scores
    )
    told = "evaluate is not given x_valid, y_valid and batch_size"
    yield claim("what evaluate gets", same or wrong, "other_arguments", told)


def numbers(history, name):
    """A list of a dict as an array; whatever else it is, as it is."""
    if not isinstance(history, dict) or name not in history:
        kind = "none" if history is None else "missing"
        raise Fault(kind, f"fit returned no dict with {name!r}")
    found = history[name]
    try:
        return np.asarray(found, np.float64)
    except (TypeError, ValueError):
        return found


def ends(losses, patience, lower=np.less, waits=0, stops=True, by_neighbour=False):
    """(last, best), and what they would be by some mistakes."""
    best = since = 0
    for epoch, value in enumerate(losses):
        if lower(value, losses[best]):
            best = epoch
        if epoch and lower(value, losses[epoch - 1]):
            since = epoch
        if stops and epoch - (since if by_neighbour else best) >= patience + waits:
            break
    return epoch, best


ENDINGS = {
    "last_of_equal": ({"lower": np.less_equal}, "only a lower loss is better: <, not <="),
    "one_epoch_late": ({"waits": 1}, "end when `patience` epochs have brought nothing: >="),
    "one_epoch_early": ({"waits": -1}, "wait for `patience` epochs behind the best"),
    "never_ends": ({"stops": False}, "leave the loop"),
    "compared_with_neighbour": (
        {"by_neighbour": True},
        "what is waited for is a loss below the best so far, not below the one before",
    ),
}


OTHERWISE = {
    "exchanged": "first the last epoch, then the best",
    "counted_from_1": "epochs are counted from 0",
}


@check("stop_early")
def stop_early(student, rng):
    fitting, wrong = {*ENDINGS, *OTHERWISE}, ""
    for patience in (3, 4, 5):
        for losses in (
            [1.0, 2.0, *rng.uniform(1.5, 3.0, 9)],
            [*np.sort(rng.uniform(1.0, 2.0, 6))[::-1]],
            [5.0, 4.0, 4.2, 4.1, 3.0, *([3.5, 3.3] * 6)],
            [2.0] * 11,
            [3.0, 2.0, *([2.5] * (patience - 1)), 1.0, *([1.5] * 9), 0.5],
        ):
            shift = rng.uniform(0, 1)
            losses = [float(value + shift) for value in losses]
            got = student.function("stop_early", losses, patience, unpack=2)
            if not all(isinstance(v, (int, np.integer)) for v in got):
                raise Fault("type", "stop_early returned other things than two whole numbers")
            got, right = tuple(map(int, got)), ends(losses, patience)
            by = {code: ends(losses, patience, **form) for code, (form, _) in ENDINGS.items()}
            by |= {"exchanged": right[::-1], "counted_from_1": (right[0] + 1, right[1] + 1)}
            fitting &= {code for code, found in by.items() if found == got}
            if got != right and not wrong:
                shown = ", ".join(f"{value:.2f}" for value in losses)
                wrong = f"of {shown} with patience {patience} it made {got}, expected {right}"
    code = fitting.pop() if len(fitting) == 1 else "other_epoch"
    remedy = ENDINGS[code][1] if code in ENDINGS else OTHERWISE.get(code, "follow it by hand")
    yield claim("stop_early", not wrong, code, wrong, remedy)


# The picture ------------------------------------------------------------------------------------


def averages(values, window):
    return np.convolve(values, np.ones(window) / window, mode="valid")


def average_mistakes(case):
    values, window = case.inputs
    same = np.convolve(values, np.ones(window) / window, mode="same")
    sums = "the sums are not divided", "by the window"
    padded = "zeros are averaged in at the ends", 'only whole windows: mode="valid"'
    short = "the last window is missing", "there are n - window + 1"
    return {
        "not_divided": Mistake(case.y * window, *sums),
        "zeros_averaged": Mistake([same, same[: len(case.y)]], *padded),
        "last_missing": Mistake(case.y[:-1], *short),
    }


def wide(n, window):
    return (fixed(n), lambda rng, batch: window)


moving_average = function_items(
    "moving_average",
    averages,
    {"": [wide(9, 3), wide(12, 5), wide(7, 7), wide(6, 1)]},
    mistakes=average_mistakes,
).value()


@check("draw_losses", given={"moving_average": averages})
def draw_losses(student, rng):
    for n, window in ((9, 3), (14, 5)):
        losses, drawn, told, legends = rng.uniform(0.5, 3.0, n), {}, {}, []

        def plot(*arguments, drawn=drawn, **keywords):
            arrays = [np.asarray(a, np.float64) for a in arguments if not isinstance(a, str)]
            if not 1 <= len(arrays) <= 2:
                raise ValueError("plot takes x and y")
            x = arrays[0] if len(arrays) == 2 else np.arange(len(arrays[0]))
            if np.shape(x) != np.shape(arrays[-1]):
                raise ValueError(f"x has shape {np.shape(x)}, y {np.shape(arrays[-1])}")
            drawn[str(keywords.get("label"))] = (x, arrays[-1])

        axes = student.operator(
            plot=plot,
            set_xlabel=lambda text, told=told, **_: told.update(x=text),
            set_ylabel=lambda text, told=told, **_: told.update(y=text),
            legend=lambda *_, legends=legends, drawn=drawn, **__: legends.append(len(drawn)),
        )
        student.function("draw_losses", axes, losses, window)
        steps, smooth = np.arange(1.0, n + 1), averages(losses, window)
        names = f"the curves are labelled {', '.join(drawn) or 'not at all'}"
        good = set(drawn) == {"loss", "average"}
        yield claim("curves", good, "other_curves", names, 'expected "loss" and "average"')
        if not good:
            return
        from_0 = "the first step is drawn at 0", "steps are counted from 1"
        middle = "the average stands over the middle or the first of its steps", "over the last"
        start = {"starts_at_0": Mistake(steps - 1, *from_0)}
        at = steps[window - 1 :]
        places = {
            "starts_at_0": Mistake(at - 1, *from_0),
            "other_place": Mistake(
                [at - k for k in range(2 if window > 2 else 1, window)], *middle
            ),
        }
        raw = {
            "not_averaged": Mistake(losses[window - 1 :], "this is the loss itself", "average it")
        }
        yield compare("x of the losses", drawn["loss"][0], steps, start, array="value")
        yield compare("y of the losses", drawn["loss"][1], losses, array="value")
        yield compare("x of the averages", drawn["average"][0], at, places, array="value")
        yield compare("y of the averages", drawn["average"][1], smooth, raw, array="value")
        labels = told.get("x"), told.get("y")
        words = f"the axes say {labels}", "step and loss"
        yield claim("labels of the axes", labels == ("step", "loss"), "axes_not_labelled", *words)
        words = "there is no legend", "legend() behind the curves, whose labels it shows"
        yield claim("legend", bool(legends) and legends[-1] == 2, "legend_missing", *words)


# All together -----------------------------------------------------------------------------------


@cache
def pictures(name):
    """(x, y) of 8 × 8 digits, or of Fashion-MNIST where it is on this machine."""
    if name == "fashion-mnist" and files_here(SOURCES[name]):
        data = nn.load_dataset(name)
        return data.x_test[:, 0], data.y_test
    data = nn.load_dataset("digits")
    return np.concatenate([data.x_train, data.x_test])[:, 0], np.concatenate(
        [data.y_train, data.y_test]
    )


def learns(name, least, known=1200, unknown=500):
    """The share of pictures without labels that is told right; the labels stay here."""

    @check("classify", together=True)
    def run(student, rng):
        x, y = pictures(name)
        # where Fashion-MNIST is not, there are fewer digits
        chosen = rng.permutation(len(x))[: known + unknown]
        known_here = len(chosen) - unknown
        # other numbers than in the files, where there is ink
        noise = rng.normal(scale=0.02, size=(len(chosen), *x.shape[1:])) * (x[chosen] > 0)
        seen = (x[chosen] + noise).reshape(len(chosen), -1)
        labels = y[chosen].astype(np.int64)
        given = seen[:known_here], labels[:known_here], seen[known_here:]
        got = student.function("classify", *given, int(rng.integers(10_000)))
        if not isinstance(got, np.ndarray) or got.shape != (unknown,) or got.dtype.kind != "i":
            kind = type(got).__name__
            what = f"{got.dtype} of shape {got.shape}" if isinstance(got, np.ndarray) else kind
            words = f"classify returned {what}, expected {unknown} whole numbers"
            raise Fault("none" if got is None else "type", words)
        share = float(np.mean(got == labels[known_here:]))
        told = f"{share:.1%} of the pictures are told right, expected {least:.0%}"
        code, remedy = "too_few_right", "look at the losses, and train longer or more slowly"
        if share < 0.2:
            code, remedy = "like_guessing", "that is little better than chance: does the loss fall?"
        yield claim("pictures", share >= least, code, told, remedy)

    return run


accuracy_digits = learns("digits", 0.8), learns("digits", 0.92)
accuracy_fashion = (
    learns("fashion-mnist", 0.6, known=2000, unknown=800),
    learns("fashion-mnist", 0.74, known=2000, unknown=800),
)
