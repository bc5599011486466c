/* Loops of nnscratch, compiled: each goes once through memory where NumPy goes several times.

   A loop here computes what the NumPy formula at its place of use computes, bit for bit: the same
   operations on the same float32 numbers in the same order, each of them rounded. So no compiler
   may join a product and a sum (-ffp-contract=off, see setup.py), and what NumPy sums up in an
   order of its own, or computes by its own exp and tanh, is left to NumPy.

   Every function returns True if it did the work. It returns False, and has written nothing, for
   what it does not know: another dtype, memory with gaps, numbers that are no Python floats. Then
   the formula is computed. Only the buffer protocol is used, so nothing of NumPy is needed here.

   This file and arrays.c are how arrays come in; module.c lists the functions. */

#ifndef NNSCRATCH_ARRAYS_H
#define NNSCRATCH_ARRAYS_H

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

/* A function of the module, called with `count` objects that are `given`. */
#define LOOP_FUNCTION(name) PyObject *name(PyObject *module, PyObject *const *given, Size count)

typedef Py_ssize_t Size;

enum { MOST_ARRAYS = 8, MOST_NUMBERS = 6, MOST_AXES = 8 };

typedef struct {
    Py_buffer of[MOST_ARRAYS];
    int count;
} Arrays;

#define DATA(arrays, i) ((float *)(arrays).of[i].buf)

Size length(const Py_buffer *a);

/* Take the buffer of one more array; 0 if it is none, or its numbers are of none of these kinds. */
int take(Arrays *a, PyObject *given, const char *kinds, int writable);

/* Take C-contiguous float32 arrays whose shapes the signature names, as "rn,n,4n!": a digit is a
   size, a letter one that is the same wherever it stands, ! says that the array is written to, and
   @ that its numbers are bytes. None of them may be without numbers. `size` gets the sizes, by
   letter. */
int take_shaped(Arrays *a, PyObject *const *given, Size count, const char *signature, Size *size);

#define SIZE(letter) size[(letter) - 'a']

void release(Arrays *a);

/* The answer of a function that has worked on arrays: with them released. */
PyObject *answer(Arrays *a, int done);

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

/* A loop over arrays of the shapes of a signature, and memory of its own. */
typedef void (*Shaped)(const Size *size, float *const *a, float *memory);

/* Run one; its memory takes `lanes` (letters) numbers, twice. */
PyObject *shaped(PyObject *const *given, Size count, const char *signature, const char *lanes, Shaped loop);

/* A loop over n elements of arrays that lie alike, with some numbers. */
typedef void (*Map)(Size n, float *const *a, const float *c);

/* Run one. given: the arrays, the first `inputs` of them to read, then `numbers` Python floats.
   None is an array that is not there. */
PyObject *map(PyObject *const *given, Size count, int arrays, int inputs, int numbers, Map loop);

#define MAP(name, arrays, inputs, numbers, ...)                            \
    LOOP void name##_loop(Size n, float *const *a, const float *c)         \
    {                                                                      \
        (void)c;                                                           \
        __VA_ARGS__                                                        \
    }                                                                      \
    LOOP_FUNCTION(name)                                                    \
    {                                                                      \
        return map(given, count, arrays, inputs, numbers, name##_loop);    \
    }

#endif
