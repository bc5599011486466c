/* The module nnscratch._compiled and its functions, each in the file of what it is part of. */

#include "arrays.h"

#define EACH_FUNCTION(of)                                \
    of(sgd) of(adam) of(rmsprop)                         \
    of(relu) of(relu_back) of(half_square) of(gelu)      \
    of(scaled) of(combined) of(sums)                     \
    of(layer_norm) of(layer_norm_back)                   \
    of(lstm) of(lstm_back) of(max_pool) of(take_rows)

#define DECLARED(name) LOOP_FUNCTION(name);
#define LISTED(name) {#name, (PyCFunction)(void (*)(void))name, METH_FASTCALL, NULL},

EACH_FUNCTION(DECLARED)

static PyMethodDef functions[] = {EACH_FUNCTION(LISTED){NULL, NULL, 0, NULL}};

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
