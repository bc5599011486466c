/* Loops of nnscratch, compiled: each goes once through memory where NumPy goes several times.

   A loop here computes what the NumPy formula at its place of use computes, bit for bit: the same
   operations on the same float32 numbers in the same order, each of them rounded. So no compiler
   may join a product and a sum (-ffp-contract=off, see setup.py), and what NumPy sums up in an
   order of its own, or computes by its own exp and tanh, is left to NumPy.

   Every function returns True if it did the work. It returns False, and has written nothing, for
   what it does not know: another dtype, memory with gaps, numbers that are no Python floats. Then
   the formula is computed. Only the buffer protocol is used, so nothing of NumPy is needed here. */

#include <Python.h>
#include <math.h>
#include <stdint.h>
#include <string.h>

/* One copy of a loop for each generation of processors; the loader takes the right one. */
#if defined(__x86_64__) && defined(__GLIBC__) && defined(__GNUC__) && !defined(__clang__)
#define LOOP static __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define LOOP static
#endif

typedef Py_ssize_t Size;

/* Arrays ------------------------------------------------------------------------------------- */

enum { MOST_ARRAYS = 7, MOST_NUMBERS = 6, MOST_AXES = 8 };

typedef struct {
    Py_buffer of[MOST_ARRAYS];
    int count;
} Arrays;

static void release(Arrays *a)
{
    while (a->count > 0)
        PyBuffer_Release(&a->of[--a->count]);
}

/* Take the buffer of one more array; 0 if it is none, or its numbers are of none of these kinds. */
static int take(Arrays *a, PyObject *given, const char *kinds, int writable)
{
    Py_buffer *view = &a->of[a->count];
    int flags = PyBUF_STRIDES | PyBUF_FORMAT | (writable ? PyBUF_WRITABLE : 0);
    if (PyObject_GetBuffer(given, view, flags) < 0) {
        PyErr_Clear();
        return 0;
    }
    a->count++;
    return view->format && strchr(kinds, view->format[0]) && !view->format[1] &&
           view->ndim <= MOST_AXES && (size_t)view->buf % (size_t)view->itemsize == 0;
}

static int same_layout(const Py_buffer *a, const Py_buffer *b)
{
    if (a->ndim != b->ndim)
        return 0;
    for (int i = 0; i < a->ndim; i++)
        if (a->shape[i] != b->shape[i] || (a->shape[i] > 1 && a->strides[i] != b->strides[i]))
            return 0;
    return 1;
}

/* Whether the elements are neighbours in memory; `order` gets the axes from outer to inner. */
static int dense(const Py_buffer *a, int *order)
{
    Size expected = a->itemsize;
    int found = a->ndim, used[MOST_AXES] = {0};
    for (int i = 0; i < a->ndim; i++)
        if (a->shape[i] <= 1)
            used[i] = 1, order[--found] = i;
    for (int i = a->ndim - 1; found > 0; i--) {
        if (i < 0)
            return 0;
        if (!used[i] && a->strides[i] == expected) {
            expected *= a->shape[i];
            used[i] = 1, order[--found] = i;
            i = a->ndim;
        }
    }
    return 1;
}

/* Take one more float32 array, of the shape and layout of the first. */
static int take_alike(Arrays *a, PyObject *given, int writable)
{
    return take(a, given, "f", writable) && same_layout(&a->of[0], &a->of[a->count - 1]);
}

/* Take dense arrays that are alike, those from `inputs` on to write to. */
static int take_all(Arrays *a, PyObject *const *given, int count, int inputs)
{
    int order[MOST_AXES];
    for (int i = 0; i < count; i++)
        if (!take_alike(a, given[i], i >= inputs))
            return 0;
    return dense(&a->of[0], order);
}

static Size length(const Py_buffer *a) { return a->len / a->itemsize; }

/* The answer of a function that has worked on arrays: with them released. */
static PyObject *answer(Arrays *a, int done)
{
    release(a);
    return PyBool_FromLong(done);
}

/* Work while other threads run; `size` says whether that is worth the change. */
#define WORK(size, statement)            \
    do {                                 \
        if ((size) < 16384) {            \
            statement;                   \
        } else {                         \
            Py_BEGIN_ALLOW_THREADS       \
            statement;                   \
            Py_END_ALLOW_THREADS         \
        }                                \
    } while (0)

#define DATA(arrays, i) ((float *)(arrays).of[i].buf)

/* Element by element -------------------------------------------------------------------------- */

typedef void (*Map)(Size n, float *const *a, const float *c);

/* given: arrays that are alike, the first `inputs` of them to read, then `numbers` Python floats.
   None is an array that is not there. */
static PyObject *map(PyObject *const *given, Size count, int arrays, int inputs, int numbers, Map loop)
{
    Arrays a = {.count = 0};
    float c[MOST_NUMBERS], *at[MOST_ARRAYS] = {NULL};
    int order[MOST_AXES];
    if (count != arrays + numbers)
        return answer(&a, 0);
    for (int i = 0; i < numbers; i++) {
        if (!PyFloat_CheckExact(given[arrays + i]))
            return answer(&a, 0);
        c[i] = (float)PyFloat_AsDouble(given[arrays + i]);
    }
    for (int i = 0; i < arrays; i++) {
        if (i > 0 && given[i] == Py_None)
            continue;
        if (!take_alike(&a, given[i], i >= inputs))
            return answer(&a, 0);
        at[i] = a.of[a.count - 1].buf;
    }
    if (!dense(&a.of[0], order))
        return answer(&a, 0);
    Size n = length(&a.of[0]);
    WORK(n, loop(n, at, c));
    return answer(&a, 1);
}

#define MAP(name, arrays, inputs, numbers, ...)                                                  \
    LOOP void name##_loop(Size n, float *const *a, const float *c)                               \
    {                                                                                            \
        (void)c;                                                                                 \
        __VA_ARGS__                                                                              \
    }                                                                                            \
    static PyObject *name(PyObject *module, PyObject *const *given, Size count)                  \
    {                                                                                            \
        return map(given, count, arrays, inputs, numbers, name##_loop);                          \
    }

/* sgd(g, w, v or None, rate, momentum, share of g that enters v, decay, 1.0 if Nesterov's) */
MAP(sgd, 3, 1, 5, {
    const float *g = a[0], rate = c[0], momentum = c[1], share = c[2], decay = c[3];
    float *w = a[1], *v = a[2];
    int nesterov = c[4] != 0;
    for (Size i = 0; i < n; i++) {
        float d = decay != 0 ? g[i] + decay * w[i] : g[i];
        if (v) {
            float u = v[i] * momentum + share * d;
            v[i] = u;
            d = nesterov ? d + momentum * u : u;
        }
        w[i] -= rate * d;
    }
})

/* adam(g, w, M, V, largest V or None, beta1, beta2, floor, rate, decay, shrink) */
MAP(adam, 5, 1, 6, {
    const float *g = a[0], beta1 = c[0], beta2 = c[1], floor = c[2];
    const float rate = c[3], decay = c[4], shrink = c[5];
    float *w = a[1], *M = a[2], *V = a[3], *top = a[4];
    for (Size i = 0; i < n; i++) {
        float d = decay != 0 ? g[i] + decay * w[i] : g[i];
        float m = M[i] * beta1 + d, v = V[i] * beta2 + d * d;
        M[i] = m;
        V[i] = v;
        if (top)
            top[i] = v = top[i] >= v || top[i] != top[i] ? top[i] : v;
        w[i] = w[i] * shrink - m / (sqrtf(v) + floor) * rate;
    }
})

/* rmsprop(g, w, s, v or None, rate, keep, enter, epsilon, momentum, decay) */
MAP(rmsprop, 4, 1, 6, {
    const float *g = a[0], rate = c[0], keep = c[1], enter = c[2];
    const float epsilon = c[3], momentum = c[4], decay = c[5];
    float *w = a[1], *s = a[2], *v = a[3];
    for (Size i = 0; i < n; i++) {
        float d = decay != 0 ? g[i] + decay * w[i] : g[i];
        s[i] = s[i] * keep + enter * d * d;
        d = d / (sqrtf(s[i]) + epsilon);
        if (v)
            v[i] = d = v[i] * momentum + d;
        w[i] -= rate * d;
    }
})

/* relu(x, y) */
MAP(relu, 2, 1, 0, {
    const float *x = a[0];
    float *y = a[1];
    for (Size i = 0; i < n; i++)
        y[i] = x[i] > 0 || x[i] != x[i] ? x[i] : 0;
})

/* relu_back(dy, y, dx) */
MAP(relu_back, 3, 2, 0, {
    const float *dy = a[0], *y = a[1];
    float *dx = a[2];
    for (Size i = 0; i < n; i++)
        dx[i] = dy[i] * (y[i] > 0 ? 1.0f : 0.0f);
})

/* gelu(x, exp(-x²/2), y, slope): y = x Φ(x) and slope = Φ(x) + x φ(x), see layers/activations/normal.py */
MAP(gelu, 4, 2, 0, {
    static const float Q[] = {0.099735567f, 0.099736432f, 0.093466356f, 0.081603102f,
                              0.058975188f, 0.063698999f, -0.031717328f, 0.095596884f,
                              -0.080877199f, 0.019781983f};
    const float *x = a[0], *power = a[1];
    float *y = a[2], *slope = a[3];
    for (Size i = 0; i < n; i++) {
        float t = 1 / (fabsf(x[i]) * 0.25f + 1), q = Q[9];
        for (int k = 8; k >= 0; k--)
            q = q * t + Q[k];
        float tail = q * t * power[i], share = x[i] > 0 ? 1 - tail : tail;
        y[i] = x[i] * share;
        slope[i] = power[i] * 0.3989422804014327f * x[i] + share;
    }
})

/* Statistics that broadcast ------------------------------------------------------------------- */

/* A run: neighbouring numbers, along which the statistics all change or are all the same. */
typedef void (*Run)(Size n, int vector, const float *x, const float *dy, const float *S,
                    const float *T, const float *U, float *out);

/* A walk through arrays in the order of their memory, run by run, and through the statistics that
   go with each run. */
typedef struct {
    int groups, vector; /* vector: the statistics change along a run */
    Size size[MOST_AXES], step[MOST_AXES];
    const float *in[2], *stats[3];
    float *out;
    Run run;
} Walk;

static Size walk(const Walk *w, int group, Size at, Size stat)
{
    if (group == w->groups - 1) {
        w->run(w->size[group], w->vector, w->in[0] + at, w->in[1] + at, w->stats[0] + stat,
               w->stats[1] + stat, w->stats[2] + stat, w->out + at);
        return at + w->size[group];
    }
    for (Size i = 0; i < w->size[group]; i++)
        at = walk(w, group + 1, at, stat + i * w->step[group]);
    return at;
}

/* Copy a statistic into the order of x's axes, repeated to the shape that all statistics have. */
static float *pack(const Py_buffer *stat, const Size *shape, const int *order, int axis,
                   const char *from, float *to)
{
    if (axis == stat->ndim) {
        *to = *(const float *)from;
        return to + 1;
    }
    Size step = stat->shape[order[axis]] == 1 ? 0 : stat->strides[order[axis]];
    for (Size i = 0; i < shape[order[axis]]; i++)
        to = pack(stat, shape, order, axis + 1, from + i * step, to);
    return to;
}

/* Neighbouring axes along which the statistics change, or do not, become one. */
static void plan(Walk *w, const Py_buffer *x, const int *order, const Size *shape)
{
    Size packed = 1, size[MOST_AXES] = {1}, step[MOST_AXES] = {0};
    int groups = 0;
    for (int i = x->ndim - 1; i >= 0; i--) {
        Size n = x->shape[order[i]], changes = shape[order[i]] > 1;
        if (n == 1)
            continue;
        if (groups && (step[groups - 1] != 0) == changes) {
            size[groups - 1] *= n;
        } else {
            size[groups] = n;
            step[groups++] = changes ? packed : 0;
        }
        packed *= shape[order[i]];
    }
    w->groups = groups ? groups : 1;
    w->vector = step[0] != 0;
    for (int i = 0; i < w->groups; i++) {
        w->size[i] = size[w->groups - 1 - i];
        w->step[i] = step[w->groups - 1 - i];
    }
}

/* given: `ins` arrays, the output, then `stats` statistics that broadcast to them */
static PyObject *broadcast(PyObject *const *given, Size count, int ins, int stats, Run run)
{
    Arrays a = {.count = 0};
    Walk w = {.run = run};
    int order[MOST_AXES];
    Size shape[MOST_AXES], each = 1;
    const Py_buffer *x = &a.of[0], *of = &a.of[ins + 1];
    if (count != ins + 1 + stats || !take_all(&a, given, ins + 1, ins) || !length(x))
        return answer(&a, 0);
    for (int i = 0; i < stats; i++)
        if (!take(&a, given[ins + 1 + i], "f", 0) || of[i].ndim != x->ndim)
            return answer(&a, 0);
    for (int j = 0; j < x->ndim; j++) {
        shape[j] = 1;
        for (int i = 0; i < stats; i++) {
            if (of[i].shape[j] != 1 && of[i].shape[j] != x->shape[j])
                return answer(&a, 0);
            if (of[i].shape[j] > shape[j])
                shape[j] = of[i].shape[j];
        }
        each *= shape[j];
    }
    float *memory = PyMem_Malloc(sizeof(float) * (size_t)(each * stats)), *to = memory;
    if (!memory)
        return answer(&a, 0);
    dense(x, order);
    plan(&w, x, order, shape);
    for (int i = 0; i < 3; i++) {
        w.stats[i] = to;
        if (i < stats)
            to = pack(&of[i], shape, order, 0, of[i].buf, to);
    }
    w.in[0] = DATA(a, 0), w.in[1] = DATA(a, ins - 1), w.out = DATA(a, ins);
    WORK(length(x), walk(&w, 0, 0, 0));
    PyMem_Free(memory);
    return answer(&a, 1);
}

/* A loop over one run: `formula` of x[i], dy[i] and the statistics S[j], T[j] and U[j]. */
#define RUN(name, formula)                                                                       \
    LOOP void name##_run(Size n, int vector, const float *x, const float *dy, const float *S,    \
                         const float *T, const float *U, float *out)                             \
    {                                                                                            \
        (void)dy, (void)U;                                                                       \
        if (vector)                                                                              \
            for (Size i = 0, j = 0; i < n; i++, j++)                                             \
                out[i] = formula;                                                                \
        else                                                                                     \
            for (Size i = 0, j = 0; i < n; i++)                                                  \
                out[i] = formula;                                                                \
    }

RUN(scaled, x[i] * S[j] + T[j])
RUN(combined, dy[i] * S[j] + x[i] * T[j] + U[j])
RUN(combined_inside, (x[i] * T[j] + dy[i] + U[j]) * S[j])

/* scaled(x, y, A, B): y = x ∘ A + B */
static PyObject *scaled(PyObject *module, PyObject *const *given, Size count)
{
    return broadcast(given, count, 1, 2, scaled_run);
}

/* combined(x, dy, dx, A, C, D): dx = dy ∘ A + x ∘ C + D */
static PyObject *combined(PyObject *module, PyObject *const *given, Size count)
{
    return broadcast(given, count, 2, 3, combined_run);
}

/* combined_inside(x, dy, dx, A, C, D): dx = A ∘ (dy + x ∘ C + D) */
static PyObject *combined_inside(PyObject *module, PyObject *const *given, Size count)
{
    return broadcast(given, count, 2, 3, combined_inside_run);
}

/* Max-pooling --------------------------------------------------------------------------------- */

typedef struct {
    Size height, channels, width, samples, rows, columns; /* of x, and how many windows */
    Size size[2], stride[2], before[2], dilation[2];      /* vertically, horizontally */
} Windows;

/* One element of a row of neighbouring numbers: it wins where it is larger, or NaN. */
LOOP void challenge(Size n, const float *x, float *y, unsigned char *winners, unsigned char number)
{
    for (Size i = 0; i < n; i++) {
        int wins = x[i] > y[i] || x[i] != x[i];
        y[i] = wins ? x[i] : y[i];
        winners[i] = wins ? number : winners[i];
    }
}

/* What an element won goes to its place, or is added to what is there where windows overlap. */
LOOP void hand_back(Size n, const float *dy, const unsigned char *winners, unsigned char number,
                    float *dx, int added)
{
    for (Size i = 0; i < n; i++) {
        float won = dy[i] * (winners[i] == number ? 1.0f : 0.0f);
        dx[i] = added ? dx[i] + won : won;
    }
}

/* For each window, from the last to the first, and each of its elements that lies on x. Seen from
   a place of x, its windows so come with ascending elements. */
static void windows_of(const Windows *w, float *x, float *y, unsigned char *winners, int forward)
{
    int overlap = w->stride[0] <= (w->size[0] - 1) * w->dilation[0] ||
                  w->stride[1] <= (w->size[1] - 1) * w->dilation[1];
    for (Size r = w->rows - 1; r >= 0; r--)
        for (Size c = w->channels - 1; c >= 0; c--)
            for (Size k = w->columns - 1; k >= 0; k--) {
                Size of_y = ((r * w->channels + c) * w->columns + k) * w->samples;
                int first = 1;
                for (Size e = 0; e < w->size[0] * w->size[1]; e++) {
                    Size i = r * w->stride[0] - w->before[0] + e / w->size[1] * w->dilation[0];
                    Size j = k * w->stride[1] - w->before[1] + e % w->size[1] * w->dilation[1];
                    if (i < 0 || i >= w->height || j < 0 || j >= w->width)
                        continue;
                    Size of_x = ((i * w->channels + c) * w->width + j) * w->samples;
                    if (!forward) {
                        hand_back(w->samples, y + of_y, winners + of_y, (unsigned char)e, x + of_x,
                                  overlap);
                    } else if (first) {
                        memcpy(y + of_y, x + of_x, sizeof(float) * (size_t)w->samples);
                        memset(winners + of_y, (int)e, (size_t)w->samples);
                        first = 0;
                    } else {
                        challenge(w->samples, x + of_x, y + of_y, winners + of_y, (unsigned char)e);
                    }
                }
            }
}

/* max_pool(x, y, winners, forward, heights, widths): rows (H, C, W, N) of x, those of y and of the
   winners' numbers; for each axis the tuple (kernel size, stride, zeros before, dilation). Forward
   fills y and winners, else y is dy and x becomes dx, to which is added where windows overlap. */
static PyObject *max_pool(PyObject *module, PyObject *const *given, Size count)
{
    Arrays a = {.count = 0};
    Windows w;
    int order[MOST_AXES], forward = count == 6 && PyObject_IsTrue(given[3]), good = count == 6;
    good = good && take(&a, given[0], "f", !forward) && take(&a, given[1], "f", forward) &&
           take(&a, given[2], "B", forward);
    for (int i = 0; good && i < 3; i++) {
        good = a.of[i].ndim == 4 && dense(&a.of[i], order);
        for (int j = 0; good && j < 4; j++) /* C-contiguous */
            good = a.of[i].shape[j] <= 1 || j == 3 || a.of[i].strides[j] >= a.of[i].strides[j + 1];
    }
    for (int i = 0; good && i < 2; i++) {
        PyObject *axis = given[4 + i];
        Size of[4];
        good = PyTuple_Check(axis) && PyTuple_Size(axis) == 4;
        for (int j = 0; good && j < 4; j++)
            good = (of[j] = PyLong_AsSsize_t(PyTuple_GetItem(axis, j))) != -1 || !PyErr_Occurred();
        if (good)
            w.size[i] = of[0], w.stride[i] = of[1], w.before[i] = of[2], w.dilation[i] = of[3];
    }
    if (!good || w.size[0] * w.size[1] > 255) {
        PyErr_Clear();
        return answer(&a, 0);
    }
    const Size *x = a.of[0].shape, *y = a.of[1].shape;
    for (int i = 0; i < 4; i++)
        if (y[i] != a.of[2].shape[i] || (i % 2 && i != 2 && y[i] != x[i]))
            return answer(&a, 0);
    w.height = x[0], w.channels = x[1], w.width = x[2], w.samples = x[3];
    w.rows = y[0], w.columns = y[2];
    WORK(length(&a.of[0]), windows_of(&w, DATA(a, 0), DATA(a, 1), a.of[2].buf, forward));
    return answer(&a, 1);
}

/* Minibatches --------------------------------------------------------------------------------- */

LOOP void scaled_bytes(Size n, const unsigned char *from, float *to)
{
    for (Size i = 0; i < n; i++)
        to[i] = (float)from[i] / 255.0f;
}

/* Copy rows from all over an array; ask for the next one before it is needed. */
static void rows_of(const char *from, Size each, int bytes, const int64_t *rows, Size count, float *to)
{
    Size width = bytes ? each : each * (Size)sizeof(float);
    for (Size i = 0; i < count; i++, to += each) {
        const char *row = from + rows[i] * width;
#ifdef __GNUC__
        if (i + 1 < count)
            for (Size j = 0; j < width; j += 64)
                __builtin_prefetch(from + rows[i + 1] * width + j);
#endif
        if (bytes)
            scaled_bytes(each, (const unsigned char *)row, to);
        else
            memcpy(to, row, (size_t)width);
    }
}

/* take_rows(x, rows, y): y = x[rows] of floats, or x[rows] / 255 of bytes */
static PyObject *take_rows(PyObject *module, PyObject *const *given, Size count)
{
    Arrays a = {.count = 0};
    int bytes = 0, good = count == 3 && take(&a, given[0], "f", 0);
    if (count == 3 && !good && a.count == 1) {
        release(&a);
        good = bytes = take(&a, given[0], "B", 0);
    }
    good = good && take(&a, given[1], "lq", 0) && take(&a, given[2], "f", 1);
    if (!good || a.of[1].itemsize != 8 || a.of[1].ndim != 1 || a.of[0].ndim < 1 ||
        a.of[0].ndim != a.of[2].ndim || a.of[2].shape[0] != a.of[1].shape[0])
        return answer(&a, 0);
    for (int i = 0; i < 3; i++)
        if (!PyBuffer_IsContiguous(&a.of[i], 'C'))
            return answer(&a, 0);
    for (int j = 1; j < a.of[0].ndim; j++)
        if (a.of[0].shape[j] != a.of[2].shape[j])
            return answer(&a, 0);
    Size rows = a.of[1].shape[0], samples = a.of[0].shape[0];
    const int64_t *numbers = a.of[1].buf;
    for (Size i = 0; i < rows; i++)
        if (numbers[i] < 0 || numbers[i] >= samples)
            return answer(&a, 0);
    Size n = length(&a.of[2]);
    if (n)
        WORK(n, rows_of(a.of[0].buf, n / rows, bytes, numbers, rows, DATA(a, 2)));
    return answer(&a, 1);
}

/* Layer normalization ------------------------------------------------------------------------- */

LOOP void scaled_row(Size n, const float *x, float s, const float *gamma, float m,
                     const float *beta, float *y)
{
    for (Size j = 0; j < n; j++)
        y[j] = (x[j] * s - m) * gamma[j] + beta[j];
}

LOOP void combined_row(Size n, const float *x, const float *dy, float s, const float *gamma,
                       float C, float D, float *dx)
{
    for (Size j = 0; j < n; j++)
        dx[j] = s * gamma[j] * dy[j] + x[j] * C + D;
}

static void every_row(int back, Size rows, Size n, const float *x, const float *dy, const float *s,
                      const float *gamma, const float *C, const float *D, float *out)
{
    for (Size i = 0; i < rows; i++, x += n, dy += n, out += n)
        if (back)
            combined_row(n, x, dy, s[i], gamma, C[i], D[i], out);
        else
            scaled_row(n, x, s[i], gamma, C[i], D, out);
}

/* scaled_rows(X, Y, s, gamma, m, beta):      y = (x s - m) gamma + beta for every row x of X
   combined_rows(X, dY, dX, s, gamma, C, D):  dx = s gamma dy + x C + D */
static PyObject *by_rows(PyObject *const *given, Size count, int back)
{
    Arrays a = {.count = 0};
    int first = 2 + back; /* statistic */
    if (count != first + 4 || !take_all(&a, given, first, first - 1) || a.of[0].ndim != 2 ||
        !PyBuffer_IsContiguous(&a.of[0], 'C'))
        return answer(&a, 0);
    Size rows = a.of[0].shape[0], n = a.of[0].shape[1];
    float *stats[4];
    for (int i = 0; i < 4; i++) {
        Py_buffer *of = &a.of[a.count];
        Size expected = i == 1 || (i == 3 && !back) ? n : rows;
        if (a.count == MOST_ARRAYS || !take(&a, given[first + i], "f", 0) || of->ndim != 1 || of->shape[0] != expected ||
            !PyBuffer_IsContiguous(of, 'C'))
            return answer(&a, 0);
        stats[i] = of->buf;
    }
    WORK(rows * n, every_row(back, rows, n, DATA(a, 0), DATA(a, back), stats[0], stats[1],
                             stats[2], stats[3], DATA(a, first - 1)));
    return answer(&a, 1);
}

static PyObject *scaled_rows(PyObject *module, PyObject *const *given, Size count)
{
    return by_rows(given, count, 0);
}

static PyObject *combined_rows(PyObject *module, PyObject *const *given, Size count)
{
    return by_rows(given, count, 1);
}

/* The module ---------------------------------------------------------------------------------- */

#define FUNCTION(name) {#name, (PyCFunction)(void (*)(void))name, METH_FASTCALL, NULL}

static PyMethodDef functions[] = {
    FUNCTION(gelu),
    FUNCTION(adam),      FUNCTION(combined),      FUNCTION(combined_inside), FUNCTION(combined_rows),
    FUNCTION(max_pool),  FUNCTION(relu),          FUNCTION(relu_back),       FUNCTION(rmsprop),
    FUNCTION(scaled),    FUNCTION(scaled_rows),   FUNCTION(sgd),             FUNCTION(take_rows),
    {NULL, NULL, 0, NULL},
};

static PyModuleDef_Slot slots[] = {
#ifdef Py_mod_gil
    {Py_mod_gil, Py_MOD_GIL_NOT_USED},
#endif
    {0, NULL},
};

static struct PyModuleDef module = {
    PyModuleDef_HEAD_INIT, "_compiled", "Loops of nnscratch, compiled.", 0, functions, slots,
};

PyMODINIT_FUNC PyInit__compiled(void) { return PyModuleDef_Init(&module); }
