/* Matching n-grams of segments, counted; ngram_matches.pyi describes the interface.

   The orders are counted one after the other, each in a hash table that belongs to one segment and one order. An n-gram
   is known by two numbers: the slot that its first n - 1 tokens have in the table of the order below, and its last
   token. It is looked at only if those n - 1 tokens are in the hypothesis and in that reference's segment, so the
   tables become small soon. The keys are compared, so the counts are exact. */

#define PY_SSIZE_T_CLEAN
#define Py_LIMITED_API 0x030B0000
#include <Python.h>
#include <stdint.h>
#include <string.h>

enum { TOKEN_SIZE = 4, MOST_ORDERS = 16 };
#define NOWHERE UINT32_MAX
#define MOST_TOKENS (UINT32_MAX / 4)  /* of a segment, so that the number of a slot fits into 32 bits */

typedef struct {
    uint64_t key;
    uint64_t owner;       /* number of the segment and order that the slot is in use for; others count as empty */
    uint32_t count;       /* in the column seen last */
    uint32_t column;
    uint32_t left;        /* matches that the hypothesis may still have: the most in any column, less those it had */
    uint32_t is_shared;   /* whether the hypothesis has it, too */
} Slot;

/* A text as tokens, and for each the slot of the n-gram of the last order that begins there, or NOWHERE. */
typedef struct {
    const char *tokens;
    size_t length;
    uint32_t *slots;
} Text;

typedef struct {
    Slot *slots;
    size_t capacity;      /* a power of two */
    size_t mask;          /* of the part that is in use */
    int shift;            /* 64 less the number of bits of the mask */
    uint64_t owner;
    uint32_t *places;     /* room for the slots of all texts of a segment */
    size_t room;
} Table;

/* Have room for the n-grams of a segment, `references` of them in its references; -1 with an exception set. */
static int make_room(Table *table, size_t references, size_t tokens) {
    size_t capacity = 16;
    table->shift = 60;
    for (; capacity < 2 * references; capacity *= 2)
        table->shift--;
    table->mask = capacity - 1;
    if (capacity > table->capacity) {
        PyMem_Free(table->slots);
        table->capacity = 0;
        if (!(table->slots = PyMem_Calloc(capacity, sizeof(Slot)))) {
            PyErr_NoMemory();
            return -1;
        }
        table->capacity = capacity;
    }
    if (tokens >= table->room) {
        size_t room = 2 * tokens + 1;
        PyMem_Free(table->places);
        table->room = 0;
        if (!(table->places = PyMem_Malloc(room * sizeof *table->places))) {
            PyErr_NoMemory();
            return -1;
        }
        table->room = room;
    }
    return 0;
}

/* Return the slot that has a key, or the empty one where it belongs. */
static inline Slot *find_slot(const Table *table, uint64_t key) {
    uint64_t hash = (key ^ key >> 32) * 0x9e3779b97f4a7c15u;
    for (size_t at = hash >> table->shift;; at = (at + 1) & table->mask) {
        Slot *slot = table->slots + at;
        if (slot->owner != table->owner || slot->key == key)
            return slot;
    }
}

/* Return the key of the n-gram that begins at a place; false if its first tokens were not found. */
static inline int key_at(const Text *text, size_t place, int order, uint64_t *key) {
    uint32_t token, first = order > 1 ? text->slots[place] : 0;
    memcpy(&token, text->tokens + (place + order - 1) * TOKEN_SIZE, TOKEN_SIZE);
    *key = (uint64_t)first << 32 | token;
    return first != NOWHERE;
}

static inline size_t count_places(const Text *text, int order) {
    return text->length >= (size_t)order ? text->length - order + 1 : 0;
}

static void add_reference(const Table *table, Text *text, int order, uint32_t column) {
    for (size_t place = 0, end = count_places(text, order); place < end; place++) {
        uint64_t key;
        if (!key_at(text, place, order, &key))
            continue;
        Slot *slot = find_slot(table, key);
        if (slot->owner != table->owner)
            *slot = (Slot){.key = key, .owner = table->owner, .column = column};
        if (slot->column != column) {
            slot->column = column;
            slot->count = 0;
        }
        if (++slot->count > slot->left)
            slot->left = slot->count;
        text->slots[place] = slot - table->slots;
    }
}

static int64_t match_hypothesis(const Table *table, Text *text, int order) {
    int64_t matches = 0;
    for (size_t place = 0, end = count_places(text, order); place < end; place++) {
        uint64_t key;
        if (!key_at(text, place, order, &key))
            continue;
        Slot *slot = find_slot(table, key);
        if (slot->owner != table->owner) {
            text->slots[place] = NOWHERE;
            continue;
        }
        slot->is_shared = 1;
        text->slots[place] = slot - table->slots;
        if (slot->left) {
            slot->left--;
            matches++;
        }
    }
    return matches;
}

/* Forget the n-grams of a reference that the hypothesis does not have: no longer one that begins so can match. */
static void keep_shared(const Table *table, Text *text, int order) {
    for (size_t place = 0, end = count_places(text, order); place < end; place++)
        if (text->slots[place] != NOWHERE && !table->slots[text->slots[place]].is_shared)
            text->slots[place] = NOWHERE;
}

/* Count the matches of each order of a segment whose hypothesis is the first of `count` texts; -1 with an exception. */
static int count_segment(Table *table, Text *texts, size_t count, int max_order, int64_t *matches) {
    size_t tokens = 0;
    for (size_t i = 0; i < count; i++)
        tokens += texts[i].length;
    if (tokens > MOST_TOKENS) {
        PyErr_NoMemory();
        return -1;
    }
    if (make_room(table, tokens - texts->length, tokens) < 0)
        return -1;
    uint32_t *places = table->places;
    for (size_t i = 0; i < count; i++) {
        texts[i].slots = places;
        places += texts[i].length;
    }
    for (int order = 1; order <= max_order; order++) {
        table->owner++;
        for (size_t i = 1; i < count; i++)
            add_reference(table, texts + i, order, i);
        if (!(matches[order - 1] = match_hypothesis(table, texts, order)))
            break;
        for (size_t i = 1; i < count; i++)
            keep_shared(table, texts + i, order);
    }
    return 0;
}

/* Read a text of a list of `size`; -1 with an exception set. */
static int read_text(PyObject *list, Py_ssize_t size, Py_ssize_t index, Text *text) {
    char *start;
    Py_ssize_t bytes;
    if (!PyList_Check(list) || PyList_Size(list) != size) {
        PyErr_SetString(PyExc_ValueError, "a column is not a list with a reference for each hypothesis");
        return -1;
    }
    if (PyBytes_AsStringAndSize(PyList_GetItem(list, index), &start, &bytes) < 0)
        return -1;
    if (bytes % TOKEN_SIZE) {
        PyErr_SetString(PyExc_ValueError, "a text has not four bytes for each token");
        return -1;
    }
    *text = (Text){.tokens = start, .length = bytes / TOKEN_SIZE};
    return 0;
}

static PyObject *count_matches(PyObject *module, PyObject *arguments) {
    PyObject *hypotheses, *references;
    int max_order;
    if (!PyArg_ParseTuple(arguments, "O!O!i", &PyList_Type, &hypotheses, &PyTuple_Type, &references, &max_order))
        return NULL;
    if (max_order < 1 || max_order > MOST_ORDERS) {
        PyErr_Format(PyExc_ValueError, "the order is not from 1 to %d", MOST_ORDERS);
        return NULL;
    }
    Py_ssize_t size = PyList_Size(hypotheses), columns = PyTuple_Size(references), row = max_order * sizeof(int64_t);
    Table table = {.owner = 0};
    Text *texts = PyMem_Malloc((columns + 1) * sizeof *texts);
    PyObject *result = texts ? PyBytes_FromStringAndSize(NULL, size * row) : PyErr_NoMemory();
    for (Py_ssize_t segment = 0; result && segment < size; segment++) {
        int64_t matches[MOST_ORDERS] = {0};
        int failed = read_text(hypotheses, size, segment, texts) < 0;
        for (Py_ssize_t i = 0; !failed && i < columns; i++)
            failed = read_text(PyTuple_GetItem(references, i), size, segment, texts + i + 1) < 0;
        if (failed || count_segment(&table, texts, columns + 1, max_order, matches) < 0)
            Py_CLEAR(result);
        else
            memcpy(PyBytes_AsString(result) + segment * row, matches, row);
    }
    PyMem_Free(texts);
    PyMem_Free(table.slots);
    PyMem_Free(table.places);
    return result;
}

static PyMethodDef methods[] = {
    {"count_matches", count_matches, METH_VARARGS, "Return how many n-grams hypotheses share with their references."},
    {0},
};

static PyModuleDef_Slot slots[] = {{0}};

static PyModuleDef module = {
    PyModuleDef_HEAD_INIT,
    .m_name = "ngram_matches",
    .m_doc = "Matching n-grams of segments, counted.",
    .m_methods = methods,
    .m_slots = slots,
};

PyMODINIT_FUNC PyInit_ngram_matches(void) { return PyModuleDef_Init(&module); }
