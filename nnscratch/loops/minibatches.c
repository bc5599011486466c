/* Rows from all over a data set: data/minibatches.py. */

#include "arrays.h"

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
LOOP_FUNCTION(take_rows)
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
