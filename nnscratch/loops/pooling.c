/* Max-pooling: layers/spatial/max_pooling.py. */

#include "arrays.h"

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
LOOP_FUNCTION(max_pool)
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
