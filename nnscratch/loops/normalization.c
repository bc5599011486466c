/* Sums and products over the frames of normalization/frames.py, x (outer, kept, inner, along) with
   statistics (kept, along); and layer normalization, row by row: normalization/layer_norm.py. */

#include "arrays.h"

enum { LANES = 32 }; /* as in frames.py */

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
LOOP_FUNCTION(scaled)
{
    return broadcast(given, count, "okia,okia!,ka,ka", 0, scaled_run);
}

/* combined(x, dy, dx, A, C, D): dx = dy ∘ A + x ∘ C + D */
LOOP_FUNCTION(combined)
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

/* Σ x in lanes: every 32nd number, one after the other; then the lanes by halves. */
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

/* sums(x, y, S, T): S = Σ x, T = Σ x ∘ y over outer and inner */
LOOP_FUNCTION(sums)
{
    return shaped(given, count, "okia,okia,ka!,ka!", "ia", sums_loop);
}

/* Layer normalization */

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
LOOP_FUNCTION(layer_norm)
{
    return shaped(given, count, "rn,n,n,1,rn!,2r1!", "n", layer_norm_loop);
}

/* layer_norm_back(X, dY, gamma, statistics, dX, dgamma, dbeta): the last two are added to */
LOOP_FUNCTION(layer_norm_back)
{
    return shaped(given, count, "rn,rn,n,2r1,rn!,n!,n!", "n", layer_norm_back_loop);
}
