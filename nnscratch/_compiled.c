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

/* What becomes part of such a loop, to be compiled for its processors. */
#ifdef __GNUC__
#define INSIDE static inline __attribute__((always_inline))
#else
#define INSIDE static
#endif

typedef Py_ssize_t Size;

/* Arrays ------------------------------------------------------------------------------------- */

enum { MOST_ARRAYS = 8, MOST_NUMBERS = 6, MOST_AXES = 8, LANES = 32 };

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

static Size length(const Py_buffer *a) { return a->len / a->itemsize; }

static int same_layout(const Py_buffer *a, const Py_buffer *b)
{
    if (a->ndim != b->ndim)
        return 0;
    for (int i = 0; i < a->ndim; i++)
        if (a->shape[i] != b->shape[i] || (a->shape[i] > 1 && a->strides[i] != b->strides[i]))
            return 0;
    return 1;
}

/* Whether the elements are neighbours in memory, in whatever order of the axes. */
static int dense(const Py_buffer *a)
{
    Size expected = a->itemsize, left = length(a);
    int used[MOST_AXES] = {0};
    for (int i = 0; i < a->ndim && left > 1; i++)
        if (!used[i] && a->shape[i] > 1 && a->strides[i] == expected) {
            expected *= a->shape[i];
            left /= a->shape[i];
            used[i] = 1, i = -1;
        }
    return left <= 1;
}

/* Take one more float32 array, of the shape and layout of the first. */
static int take_alike(Arrays *a, PyObject *given, int writable)
{
    return take(a, given, "f", writable) && same_layout(&a->of[0], &a->of[a->count - 1]);
}

/* Take C-contiguous float32 arrays whose shapes the signature names, as "rn,n,rn!": each letter is
   a size, the same wherever it stands, and ! says that the array is written to, @ that its numbers
   are bytes. None of them may be without numbers. `size` gets the sizes, by letter. */
static int take_shaped(Arrays *a, PyObject *const *given, Size count, const char *signature, Size *size)
{
    Size i = 0;
    memset(size, 0, 26 * sizeof(Size));
    for (; i < count && *signature; i++) {
        const char *kinds = *signature == '@' ? "B" : "f";
        signature += *signature == '@';
        const Py_buffer *view = &a->of[i];
        int axes = (int)strspn(signature, "abcdefghijklmnopqrstuvwxyz"), written = signature[axes] == '!';
        if (!take(a, given[i], kinds, written) || view->ndim != axes || !PyBuffer_IsContiguous(view, 'C'))
            return 0;
        for (int j = 0; j < axes; j++) {
            Size *named = &size[signature[j] - 'a'];
            if (!view->shape[j] || (*named && *named != view->shape[j]))
                return 0;
            *named = view->shape[j];
        }
        signature += axes + written;
        signature += *signature == ',';
    }
    return i == count && !*signature;
}

#define SIZE(letter) size[(letter) - 'a']

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
    if (!dense(&a.of[0]))
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

/* Frames: x (outer, kept, inner, along), statistics (kept, along); normalization/frames.py ------- */

/* n neighbouring numbers whose statistics all change, or are all the same */
typedef void (*Run)(Size n, int change, const float *x, const float *dy, float *out,
                    const float *A, const float *B, const float *C);

#define RUN(name, formula)                                                                       \
    LOOP void name##_run(Size n, int change, const float *x, const float *dy, float *out,        \
                         const float *A, const float *B, const float *C)                         \
    {                                                                                            \
        (void)dy, (void)C;                                                                       \
        if (change)                                                                              \
            for (Size i = 0, j = 0; i < n; i++, j++)                                             \
                out[i] = formula;                                                                \
        else                                                                                     \
            for (Size i = 0, j = 0; i < n; i++)                                                  \
                out[i] = formula;                                                                \
    }

RUN(scaled, x[i] * A[j] + B[j])
RUN(combined, dy[i] * A[j] + x[i] * B[j] + C[j])

static PyObject *broadcast(PyObject *const *given, Size count, const char *signature, int dys, Run run)
{
    Arrays a = {.count = 0};
    Size size[26];
    if (!take_shaped(&a, given, count, signature, size))
        return answer(&a, 0);
    Size along = SIZE('a'), n = along > 1 ? along : SIZE('i'), runs = SIZE('i') * along / n, at = 0;
    const float *x = DATA(a, 0), *dy = DATA(a, dys);
    const float *A = DATA(a, 2 + dys), *B = DATA(a, 3 + dys), *C = DATA(a, 3 + 2 * dys);
    float *out = DATA(a, 1 + dys);
    Py_BEGIN_ALLOW_THREADS
    for (Size o = 0; o < SIZE('o'); o++)
        for (Size k = 0; k < SIZE('k') * along; k += along)
            for (Size i = 0; i < runs; i++, at += n)
                run(n, along > 1, x + at, dy + at, out + at, A + k, B + k, C + k);
    Py_END_ALLOW_THREADS
    return answer(&a, 1);
}

/* scaled(x, y, A, B): y = x ∘ A + B */
static PyObject *scaled(PyObject *module, PyObject *const *given, Size count)
{
    return broadcast(given, count, "okia,okia!,ka,ka", 0, scaled_run);
}

/* combined(x, dy, dx, A, C, D): dx = dy ∘ A + x ∘ C + D */
static PyObject *combined(PyObject *module, PyObject *const *given, Size count)
{
    return broadcast(given, count, "okia,okia,okia!,ka,ka,ka", 1, combined_run);
}

INSIDE void add_products(Size n, const float *x, const float *y, float *restrict s, float *restrict t)
{
    for (Size i = 0; i < n; i++) {
        s[i] += x[i];
        t[i] += x[i] * y[i];
    }
}

INSIDE void add(Size n, const float *x, float *restrict s)
{
    for (Size i = 0; i < n; i++)
        s[i] += x[i];
}

/* Σ x in 32 lanes: every 32nd number, one after the other; then the lanes by halves. */
INSIDE float by_lanes(Size n, const float *x)
{
    float lane[LANES] = {0};
    Size i = 0;
    for (; i + LANES <= n; i += LANES)
        for (int l = 0; l < LANES; l++)
            lane[l] += x[i + l];
    for (int l = 0; i + l < n; l++)
        lane[l] += x[i + l];
    for (int half = LANES / 2; half; half /= 2)
        for (int l = 0; l < half; l++)
            lane[l] += lane[l + half];
    return lane[0];
}

LOOP void sums_loop(const Size *size, float *const *a, float *s)
{
    const float *x = a[0], *y = a[1];
    float *S = a[2], *T = a[3];
    Size along = SIZE('a'), each = SIZE('i') * along, n = each;
    Size steps = SIZE('o'), step = SIZE('k') * each;
    if (steps == 1 && along > 1)
        steps = SIZE('i'), step = n = along;
    float *t = s + n;
    for (Size k = 0; k < SIZE('k'); k++, x += each, y += each, S += along, T += along) {
        memset(s, 0, 2 * sizeof(float) * (size_t)n);
        for (Size i = 0; i < steps; i++)
            add_products(n, x + i * step, y + i * step, s, t);
        if (along == 1) {
            *S = by_lanes(n, s);
            *T = by_lanes(n, t);
            continue;
        }
        for (Size i = along; i < n; i += along) {
            add(along, s + i, s);
            add(along, t + i, t);
        }
        memcpy(S, s, sizeof(float) * (size_t)along);
        memcpy(T, t, sizeof(float) * (size_t)along);
    }
}

/* A loop over arrays of these shapes, with memory of its own for `lanes` (letters) numbers, twice. */
static PyObject *with_memory(PyObject *const *given, Size count, const char *signature,
                             const char *lanes, void (*loop)(const Size *, float *const *, float *))
{
    Arrays a = {.count = 0};
    Size size[26], n = 2;
    if (!take_shaped(&a, given, count, signature, size))
        return answer(&a, 0);
    for (; *lanes; lanes++)
        n *= SIZE(*lanes);
    float *at[MOST_ARRAYS], *memory = PyMem_Malloc(sizeof(float) * (size_t)n);
    for (int i = 0; i < a.count; i++)
        at[i] = DATA(a, i);
    if (memory)
        WORK(length(&a.of[0]), loop(size, at, memory));
    PyMem_Free(memory);
    return answer(&a, memory != NULL);
}

/* sums(x, y, S, T): S = Σ x, T = Σ x ∘ y over outer and inner */
static PyObject *sums(PyObject *module, PyObject *const *given, Size count)
{
    return with_memory(given, count, "okia,okia,ka!,ka!", "ia", sums_loop);
}

/* Max-pooling --------------------------------------------------------------------------------- */

enum { KERNEL, STRIDE, BEFORE, DILATION }; /* of the windows along an axis */

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
   a place of x, its windows so come with ascending elements. `v` and `h` are the windows along
   heights and widths. */
static void windows_of(const Size *size, const Size *v, const Size *h, float *x, float *y,
                       unsigned char *winners, int forward)
{
    Size n = SIZE('n');
    int overlap = v[STRIDE] <= (v[KERNEL] - 1) * v[DILATION] || h[STRIDE] <= (h[KERNEL] - 1) * h[DILATION];
    for (Size r = SIZE('r') - 1; r >= 0; r--)
        for (Size c = SIZE('c') - 1; c >= 0; c--)
            for (Size k = SIZE('k') - 1; k >= 0; k--) {
                Size of_y = ((r * SIZE('c') + c) * SIZE('k') + k) * n;
                int first = 1;
                for (Size e = 0; e < v[KERNEL] * h[KERNEL]; e++) {
                    Size i = r * v[STRIDE] - v[BEFORE] + e / h[KERNEL] * v[DILATION];
                    Size j = k * h[STRIDE] - h[BEFORE] + e % h[KERNEL] * h[DILATION];
                    if (i < 0 || i >= SIZE('h') || j < 0 || j >= SIZE('w'))
                        continue;
                    Size of_x = ((i * SIZE('c') + c) * SIZE('w') + j) * n;
                    if (!forward) {
                        hand_back(n, y + of_y, winners + of_y, (unsigned char)e, x + of_x, overlap);
                    } else if (first) {
                        memcpy(y + of_y, x + of_x, sizeof(float) * (size_t)n);
                        memset(winners + of_y, (int)e, (size_t)n);
                        first = 0;
                    } else {
                        challenge(n, x + of_x, y + of_y, winners + of_y, (unsigned char)e);
                    }
                }
            }
}

/* max_pool(x, y, numbers of winners, forward, then of heights and of widths each: kernel size,
   stride, zeros before, dilation): rows as im2col.py has them. Forward fills y and winners, else y
   is dy and x becomes dx, to which is added where windows overlap. */
static PyObject *max_pool(PyObject *module, PyObject *const *given, Size count)
{
    Arrays a = {.count = 0};
    Size size[26], of[8] = {0};
    int forward = count == 12 && given[3] == Py_True;
    const char *signature = forward ? "hcwn,rckn!,@rckn!" : "hcwn!,rckn,@rckn";
    if (count != 12 || !take_shaped(&a, given, 3, signature, size))
        return answer(&a, 0);
    for (int i = 0; i < 8 && !PyErr_Occurred(); i++)
        of[i] = PyLong_AsSsize_t(given[4 + i]);
    if (PyErr_Occurred() || of[KERNEL] * of[4 + KERNEL] > 255) {
        PyErr_Clear();
        return answer(&a, 0);
    }
    WORK(length(&a.of[0]), windows_of(size, of, of + 4, DATA(a, 0), DATA(a, 1), a.of[2].buf, forward));
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

/* Layer normalization: layers/normalization/layer_norm.py, row by row ---------------------------- */

LOOP void layer_norm_loop(const Size *size, float *const *a, float *restrict t)
{
    const float *x = a[0], *gamma = a[1], *beta = a[2], epsilon = *a[3];
    Size n = SIZE('n'), rows = SIZE('r');
    float *restrict y = a[4], *means = a[5], *scales = means + rows;
    for (Size i = 0; i < rows; i++, x += n, y += n) {
        float first = x[0];
        for (Size j = 0; j < n; j++)
            t[j] = x[j] - first;
        float mean = means[i] = by_lanes(n, t) / (float)n;
        for (Size j = 0; j < n; j++) {
            y[j] = x[j] - first - mean;
            t[j] = y[j] * y[j];
        }
        float s = scales[i] = 1 / sqrtf(by_lanes(n, t) / (float)n + epsilon);
        for (Size j = 0; j < n; j++)
            y[j] = y[j] * s * gamma[j] + beta[j];
    }
}

LOOP void layer_norm_back_loop(const Size *size, float *const *a, float *restrict t)
{
    Size n = SIZE('n'), rows = SIZE('r');
    const float *x = a[0], *dy = a[1], *gamma = a[2], *statistics = a[3];
    float *restrict dx = a[4], *restrict dgamma = a[5], *restrict dbeta = a[6], *restrict u = t + n;
    for (Size i = 0; i < rows; i++, x += n, dy += n, dx += n) {
        float first = x[0], mean = statistics[i], s = statistics[rows + i];
        for (Size j = 0; j < n; j++) {
            float xhat = (x[j] - first - mean) * s;
            dbeta[j] += dy[j];
            dgamma[j] += dy[j] * xhat;
            t[j] = dy[j] * gamma[j];
            u[j] = t[j] * xhat;
        }
        float mean_dxhat = by_lanes(n, t) / (float)n, slope = by_lanes(n, u) / (float)n;
        for (Size j = 0; j < n; j++)
            dx[j] = (t[j] - mean_dxhat - (x[j] - first - mean) * s * slope) * s;
    }
}

/* layer_norm(X, gamma, beta, epsilon, Y, statistics) */
static PyObject *layer_norm(PyObject *module, PyObject *const *given, Size count)
{
    return with_memory(given, count, "rn,n,n,u,rn!,sru!", "n", layer_norm_loop);
}

/* layer_norm_back(X, dY, gamma, statistics, dX, dgamma, dbeta): the last two are added to */
static PyObject *layer_norm_back(PyObject *module, PyObject *const *given, Size count)
{
    return with_memory(given, count, "rn,rn,n,sru,rn!,n!,n!", "n", layer_norm_back_loop);
}

/* The module ---------------------------------------------------------------------------------- */

#define FUNCTION(name) {#name, (PyCFunction)(void (*)(void))name, METH_FASTCALL, NULL}

static PyMethodDef functions[] = {
    FUNCTION(adam),     FUNCTION(combined),        FUNCTION(gelu),      FUNCTION(layer_norm),
    FUNCTION(max_pool), FUNCTION(layer_norm_back), FUNCTION(relu),      FUNCTION(relu_back),
    FUNCTION(rmsprop),  FUNCTION(scaled),          FUNCTION(sgd),       FUNCTION(sums),
    FUNCTION(take_rows),
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
