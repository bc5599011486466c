/* Arrays by the buffer protocol; arrays.h says what each function is for. */

#include "arrays.h"

#define SIZES "123456789abcdefghijklmnopqrstuvwxyz"

void release(Arrays *a)
{
    while (a->count > 0)
        PyBuffer_Release(&a->of[--a->count]);
}

int take(Arrays *a, PyObject *given, const char *kinds, int writable)
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

Size length(const Py_buffer *a) { return a->len / a->itemsize; }

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

int take_shaped(Arrays *a, PyObject *const *given, Size count, const char *signature, Size *size)
{
    Size i = 0;
    memset(size, 0, 26 * sizeof(Size));
    for (; i < count && *signature; i++) {
        const char *kinds = *signature == '@' ? "B" : "f";
        signature += *signature == '@';
        const Py_buffer *view = &a->of[i];
        int axes = (int)strspn(signature, SIZES), written = signature[axes] == '!';
        if (!take(a, given[i], kinds, written) || view->ndim != axes || !PyBuffer_IsContiguous(view, 'C'))
            return 0;
        for (int j = 0; j < axes; j++) {
            Size digit = signature[j] - '0', *named = digit > 9 ? &SIZE(signature[j]) : &digit;
            if (!view->shape[j] || (*named && *named != view->shape[j]))
                return 0;
            *named = view->shape[j];
        }
        signature += axes + written;
        signature += *signature == ',';
    }
    return i == count && !*signature;
}

PyObject *answer(Arrays *a, int done)
{
    release(a);
    return PyBool_FromLong(done);
}

PyObject *shaped(PyObject *const *given, Size count, const char *signature, const char *lanes, Shaped loop)
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

PyObject *map(PyObject *const *given, Size count, int arrays, int inputs, int numbers, Map loop)
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
