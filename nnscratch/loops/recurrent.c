/* One step of an LSTM: layers/sequence/lstm.py, `step` and `step_back`. */

#include "arrays.h"

LOOP void lstm_step(Size n, float *restrict i, float *restrict f, const float *restrict g,
                    float *restrict o, const float *restrict c, float *restrict c_next)
{
    for (Size j = 0; j < n; j++) {
        i[j] = i[j] * 0.5f + 0.5f;
        f[j] = f[j] * 0.5f + 0.5f;
        o[j] = o[j] * 0.5f + 0.5f;
        c_next[j] = f[j] * c[j] + i[j] * g[j];
    }
}

static void lstm_loop(const Size *size, float *const *a, float *unused)
{
    (void)unused;
    Size n = SIZE('n') * SIZE('h');
    lstm_step(n, a[0], a[0] + n, a[0] + 2 * n, a[0] + 3 * n, a[1], a[2]);
}

/* Of one sample, whose h numbers stand in arrays of n. */
INSIDE void lstm_step_back(Size h, Size n, const float *dy, const float *i, const float *t,
                           const float *c, const float *dh, float *restrict dc, float *restrict da)
{
    const float *f = i + n, *g = f + n, *o = g + n;
    for (Size j = 0; j < h; j++) {
        float dh_j = dh[j] + dy[j], dc_j = dc[j] + (1 - t[j] * t[j]) * o[j] * dh_j;
        da[j] = (1 - i[j]) * i[j] * g[j] * dc_j;
        da[j + h] = (1 - f[j]) * f[j] * c[j] * dc_j;
        da[j + 2 * h] = (1 - g[j] * g[j]) * i[j] * dc_j;
        da[j + 3 * h] = (1 - o[j]) * o[j] * t[j] * dh_j;
        dc[j] = dc_j * f[j];
    }
}

LOOP void lstm_back_loop(const Size *size, float *const *a, float *unused)
{
    (void)unused;
    Size h = SIZE('h'), n = SIZE('n') * h;
    for (Size j = 0; j < n; j += h)
        lstm_step_back(h, n, a[0] + j, a[1] + j, a[2] + j, a[3] + j, a[4] + j, a[5] + j, a[6] + 4 * j);
}

/* lstm(tanh of the four halved sums, c, c'): they become i, f, g, o, and c' = f c + i g */
LOOP_FUNCTION(lstm)
{
    return shaped(given, count, "4nh!,nh,nh!", "", lstm_loop);
}

/* lstm_back(dy, gates, tanh c', c, dh, dc', da): dc' becomes dc */
LOOP_FUNCTION(lstm_back)
{
    return shaped(given, count, "nh,4nh,nh,nh,nh,nh!,n4h!", "", lstm_back_loop);
}
