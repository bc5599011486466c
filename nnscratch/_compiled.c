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

enum { MOST_ARRAYS = 7, MOST_AXES = 8 };

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

/* Take float32 arrays of one shape and layout, those from `first_out` on to write to. */
static int take_alike(Arrays *a, PyObject *const *given, int count, int first_out)
{
    int order[MOST_AXES];
    for (int i = 0; i < count; i++)
        if (!take(a, given[i], "f", i >= first_out) || !same_layout(&a->of[0], &a->of[a->count - 1]))
            return 0;
    return dense(&a->of[0], order);
}

static int floats(PyObject *const *given, int count, float *values)
{
    for (int i = 0; i < count; i++) {
        if (!PyFloat_CheckExact(given[i]))
            return 0;
        values[i] = (float)PyFloat_AsDouble(given[i]);
    }
    return 1;
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

/* Optimizers --------------------------------------------------------------------------------- */

LOOP void sgd_loop(Size n, const float *g, float *w, float *v, float rate, float momentum,
                   float entering, float decay, int nesterov)
{
    for (Size i = 0; i < n; i++) {
        float d = decay != 0 ? g[i] + decay * w[i] : g[i];
        float u = v[i] * momentum + entering * d;
        v[i] = u;
        w[i] -= rate * (nesterov ? d + momentum * u : u);
    }
}

LOOP void descent_loop(Size n, const float *g, float *w, float rate, float decay)
{
    for (Size i = 0; i < n; i++)
        w[i] -= rate * (decay != 0 ? g[i] + decay * w[i] : g[i]);
}

/* sgd(g, w, v or None, rate, momentum, share of g that enters v, decay, nesterov) */
static PyObject *sgd(PyObject *module, PyObject *const *given, Size count)
{
    Arrays a = {.count = 0};
    float of[4];
    int arrays = count == 8 && given[2] != Py_None ? 3 : 2;
    if (count != 8 || !floats(given + 3, 4, of) || !take_alike(&a, given, arrays, 1))
        return answer(&a, 0);
    Size n = length(&a.of[0]);
    int nesterov = PyObject_IsTrue(given[7]);
    if (arrays == 3)
        WORK(n, sgd_loop(n, DATA(a, 0), DATA(a, 1), DATA(a, 2), of[0], of[1], of[2], of[3], nesterov));
    else
        WORK(n, descent_loop(n, DATA(a, 0), DATA(a, 1), of[0], of[3]));
    return answer(&a, 1);
}

LOOP void adam_loop(Size n, const float *g, float *w, float *m, float *v, float *top, float beta1,
                    float beta2, float floor, float rate, float decay, float shrink)
{
    for (Size i = 0; i < n; i++) {
        float d = decay != 0 ? g[i] + decay * w[i] : g[i];
        float mean = m[i] * beta1 + d, square = v[i] * beta2 + d * d;
        m[i] = mean;
        v[i] = square;
        if (top) {
            square = top[i] >= square || top[i] != top[i] ? top[i] : square;
            top[i] = square;
        }
        w[i] = w[i] * shrink - mean / (sqrtf(square) + floor) * rate;
    }
}

/* adam(g, w, M, V, largest V or None, beta1, beta2, floor, rate, decay, shrink) */
static PyObject *adam(PyObject *module, PyObject *const *given, Size count)
{
    Arrays a = {.count = 0};
    float of[6];
    int arrays = count == 11 && given[4] != Py_None ? 5 : 4;
    if (count != 11 || !floats(given + 5, 6, of) || !take_alike(&a, given, arrays, 1))
        return answer(&a, 0);
    Size n = length(&a.of[0]);
    float *top = arrays == 5 ? DATA(a, 4) : NULL;
    WORK(n, adam_loop(n, DATA(a, 0), DATA(a, 1), DATA(a, 2), DATA(a, 3), top, of[0], of[1], of[2],
                      of[3], of[4], of[5]));
    return answer(&a, 1);
}

LOOP void rmsprop_loop(Size n, const float *g, float *w, float *s, float *v, float rate,
                       float keep, float enter, float epsilon, float momentum, float decay)
{
    for (Size i = 0; i < n; i++) {
        float d = decay != 0 ? g[i] + decay * w[i] : g[i];
        s[i] = s[i] * keep + enter * d * d;
        d = d / (sqrtf(s[i]) + epsilon);
        if (v) {
            d = v[i] * momentum + d;
            v[i] = d;
        }
        w[i] -= rate * d;
    }
}

/* rmsprop(g, w, s, v or None, rate, keep, enter, epsilon, momentum, decay) */
static PyObject *rmsprop(PyObject *module, PyObject *const *given, Size count)
{
    Arrays a = {.count = 0};
    float of[6];
    int arrays = count == 10 && given[3] != Py_None ? 4 : 3;
    if (count != 10 || !floats(given + 4, 6, of) || !take_alike(&a, given, arrays, 1))
        return answer(&a, 0);
    Size n = length(&a.of[0]);
    float *v = arrays == 4 ? DATA(a, 3) : NULL;
    WORK(n, rmsprop_loop(n, DATA(a, 0), DATA(a, 1), DATA(a, 2), v, of[0], of[1], of[2], of[3],
                         of[4], of[5]));
    return answer(&a, 1);
}

/* ReLU --------------------------------------------------------------------------------------- */

LOOP void relu_loop(Size n, const float *x, float *y)
{
    for (Size i = 0; i < n; i++)
        y[i] = x[i] > 0 || x[i] != x[i] ? x[i] : 0;
}

LOOP void relu_back_loop(Size n, const float *dy, const float *y, float *dx)
{
    for (Size i = 0; i < n; i++)
        dx[i] = dy[i] * (y[i] > 0 ? 1.0f : 0.0f);
}

/* relu(x, y) */
static PyObject *relu(PyObject *module, PyObject *const *given, Size count)
{
    Arrays a = {.count = 0};
    if (count != 2 || !take_alike(&a, given, 2, 1))
        return answer(&a, 0);
    Size n = length(&a.of[0]);
    WORK(n, relu_loop(n, DATA(a, 0), DATA(a, 1)));
    return answer(&a, 1);
}

/* relu_back(dy, y, dx) */
static PyObject *relu_back(PyObject *module, PyObject *const *given, Size count)
{
    Arrays a = {.count = 0};
    if (count != 3 || !take_alike(&a, given, 3, 2))
        return answer(&a, 0);
    Size n = length(&a.of[0]);
    WORK(n, relu_back_loop(n, DATA(a, 0), DATA(a, 1), DATA(a, 2)));
    return answer(&a, 1);
}

/* GELU ---------------------------------------------------------------------------------------- */

static const float ERFC[] = {-1.26551223f, 1.00002368f, 0.37409196f, 0.09678418f, -0.18628806f,
                             0.27886807f, -1.13520398f, 1.48851587f, -0.82215223f, 0.17087277f};

LOOP void erfc_exponent_loop(Size n, const float *x, float *exponent)
{
    const float root = (float)0.70710678118654757;
    for (Size i = 0; i < n; i++) {
        float z = fabsf(x[i]) * root, t = 1 / (0.5f * z + 1), p = ERFC[9];
        for (int k = 8; k >= 0; k--)
            p = p * t + ERFC[k];
        exponent[i] = p - z * z;
    }
}

LOOP void erfc_share_loop(Size n, const float *x, const float *power, float *share)
{
    const float root = (float)0.70710678118654757;
    for (Size i = 0; i < n; i++) {
        float t = 1 / (0.5f * (fabsf(x[i]) * root) + 1), half = power[i] * (0.5f * t);
        share[i] = x[i] > 0 ? 1 - half : half;
    }
}

LOOP void gelu_back_loop(Size n, const float *dy, const float *x, const float *share,
                         const float *power, float *dx)
{
    const float root = (float)2.5066282746310002;
    for (Size i = 0; i < n; i++)
        dx[i] = dy[i] * (power[i] / root * x[i] + share[i]);
}

/* erfc_exponent(x, exponent) */
static PyObject *erfc_exponent(PyObject *module, PyObject *const *given, Size count)
{
    Arrays a = {.count = 0};
    if (count != 2 || !take_alike(&a, given, 2, 1))
        return answer(&a, 0);
    erfc_exponent_loop(length(&a.of[0]), DATA(a, 0), DATA(a, 1));
    return answer(&a, 1);
}

/* erfc_share(x, exp(exponent), share) */
static PyObject *erfc_share(PyObject *module, PyObject *const *given, Size count)
{
    Arrays a = {.count = 0};
    if (count != 3 || !take_alike(&a, given, 3, 2))
        return answer(&a, 0);
    erfc_share_loop(length(&a.of[0]), DATA(a, 0), DATA(a, 1), DATA(a, 2));
    return answer(&a, 1);
}

/* gelu_back(dy, x, share, exp(-x²/2), dx) */
static PyObject *gelu_back(PyObject *module, PyObject *const *given, Size count)
{
    Arrays a = {.count = 0};
    if (count != 5 || !take_alike(&a, given, 5, 4))
        return answer(&a, 0);
    gelu_back_loop(length(&a.of[0]), DATA(a, 0), DATA(a, 1), DATA(a, 2), DATA(a, 3), DATA(a, 4));
    return answer(&a, 1);
}

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
    if (count != ins + 1 + stats || !take_alike(&a, given, ins + 1, ins) || !length(x))
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
    if (count != first + 4 || !take_alike(&a, given, first, first - 1) || a.of[0].ndim != 2 ||
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
    FUNCTION(erfc_exponent), FUNCTION(erfc_share), FUNCTION(gelu_back),
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
