/* Activations and their slopes: layers/activations. */

#include "arrays.h"

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

/* half_square(x, h): h = -x²/2 */
MAP(half_square, 2, 1, 0, {
    const float *x = a[0];
    float *h = a[1];
    for (Size i = 0; i < n; i++)
        h[i] = x[i] * x[i] * -0.5f;
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
