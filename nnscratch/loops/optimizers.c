/* Steps of the optimizers: optimizers/sgd.py, adam.py, adaptive.py. */

#include "arrays.h"

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
