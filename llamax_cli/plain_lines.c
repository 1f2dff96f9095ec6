/* Which lines of records are plain, so that they need no closer look; plain_lines.pyi describes the interface. */

#define PY_SSIZE_T_CLEAN
#define Py_LIMITED_API 0x030B0000
#include "plain_lines.h"

static int same(const Outline *one, const Outline *other, int count) {
    for (int i = 0; i < count; i++) {
        Span a = one->values[i], b = other->values[i];
        if (!a.start != !b.start || (a.start && !equal(a, b)))
            return 0;
    }
    return 1;
}

static int add_names(Names *names, PyObject *given) {
    Py_ssize_t size = PyTuple_Size(given);
    for (Py_ssize_t i = 0; i < size; i++) {
        char *start;
        Py_ssize_t length;
        if (names->count == MOST_NAMES) {
            PyErr_Format(PyExc_ValueError, "more than %d names", MOST_NAMES);
            return -1;
        }
        if (PyBytes_AsStringAndSize(PyTuple_GetItem(given, i), &start, &length) < 0)
            return -1;
        names->names[names->count++] = (Span){(Place)start, length};
    }
    return size < 0 ? -1 : 0;
}

static PyObject *outlines(PyObject *module, PyObject *arguments) {
    PyObject *data, *kinds, *values;
    char *start;
    Py_ssize_t length;
    Names names = {.count = 0};
    if (!PyArg_ParseTuple(arguments, "O!O!O!", &PyBytes_Type, &data, &PyTuple_Type, &kinds, &PyTuple_Type, &values) ||
        PyBytes_AsStringAndSize(data, &start, &length) < 0 || add_names(&names, kinds) < 0)
        return NULL;
    names.kinds = names.count;
    if (add_names(&names, values) < 0)
        return NULL;
    PyObject *places = PyList_New(0);
    if (!places || !length)
        return places;
    Place at = (Place)start, end = at + length, next;
    Outline previous, outline;
    if (end[-1] != '\n')
        goto not_plain;
    for (; at < end; at = next) {
        memset(&outline, 0, sizeof(Span) * names.count);
        if (!(next = read_line(at, end, &names, &outline, 0)))
            goto not_plain;
        if (at == (Place)start || !same(&outline, &previous, names.count)) {
            if (append_number(places, at - (Place)start) < 0) {
                Py_DECREF(places);
                return NULL;
            }
        }
        memcpy(&previous, &outline, sizeof(Span) * names.count);
    }
    return places;
not_plain:
    Py_DECREF(places);
    Py_RETURN_NONE;
}

static PyObject *are_records(PyObject *module, PyObject *data) {
    char *start;
    Py_ssize_t length;
    if (PyBytes_AsStringAndSize(data, &start, &length) < 0)
        return NULL;
    static const Names names;
    Outline outline;
    Place at = (Place)start, end = at + length;
    if (length && end[-1] != '\n')
        Py_RETURN_FALSE;
    while (at && at < end)
        at = read_line(at, end, &names, &outline, 1);
    return PyBool_FromLong(at != NULL);
}

enum { BLOCK = 128 }; /* bytes whose line ends are counted in one byte, so that a processor does many at once */

static PyObject *count_lines(PyObject *module, PyObject *data) {
    char *at;
    Py_ssize_t length, count = 0;
    if (PyBytes_AsStringAndSize(data, &at, &length) < 0)
        return NULL;
    for (; length >= BLOCK; at += BLOCK, length -= BLOCK) {
        uint8_t ends = 0;
        for (int i = 0; i < BLOCK; i++)
            ends += at[i] == '\n';
        count += ends;
    }
    for (Py_ssize_t i = 0; i < length; i++)
        count += at[i] == '\n';
    return PyLong_FromSsize_t(count);
}

static PyMethodDef methods[] = {
    {"are_records", are_records, METH_O, "Return whether all lines are plain but for spaces."},
    {"count_lines", count_lines, METH_O, "Return how many line ends there are."},
    {"outlines", outlines, METH_VARARGS, "Return where the outlines of plain lines change, or None."},
    {0},
};

static PyModuleDef_Slot slots[] = {{0}};

static PyModuleDef module = {
    PyModuleDef_HEAD_INIT,
    .m_name = "plain_lines",
    .m_doc = "Which lines of records are plain, so that they need no closer look.",
    .m_methods = methods,
    .m_slots = slots,
};

PyMODINIT_FUNC PyInit_plain_lines(void) { return PyModuleDef_Init(&module); }
