/* The tokens of words, remembered, and texts put together from them; word_tokens.pyi describes the interface.

   The words lie one after the other in one block of memory, each as an Entry, its UTF-8 and its tokens, so that a word
   costs one look at the hash table and one at the block. */

#define PY_SSIZE_T_CLEAN
#define Py_LIMITED_API 0x030B0000
#include <Python.h>
#include <stdint.h>
#include <string.h>

enum { TOKEN_SIZE = 4, SHORT_TEXT = 1024 }; /* tokens; a text with no more uses only the stack */
#define NONE UINT32_MAX

typedef struct {
    uint32_t length;  /* bytes of the word */
    uint32_t tokens;  /* bytes of its tokens, or NONE: they depend on the text before the word */
} Entry;

typedef struct {
    uint64_t hash;
    size_t place;     /* of the entry in the block, plus 1; 0 where the slot is empty */
} Slot;

typedef struct {
    PyObject_HEAD
    Slot *slots;
    size_t capacity, used; /* the capacity is a power of two */
    char *block;
    size_t size, room;     /* bytes of the block in use, and all of them */
} WordTokens;

static uint64_t hash_of(const char *text, size_t length) {
    uint64_t hash = 0x9e3779b97f4a7c15u ^ length;
    for (; length >= 8; text += 8, length -= 8) {
        uint64_t part;
        memcpy(&part, text, 8);
        hash = (hash ^ part) * 0xd6e8feb86659fd93u;
        hash ^= hash >> 32;
    }
    uint64_t rest = 0;
    memcpy(&rest, text, length);
    hash = (hash ^ rest) * 0xd6e8feb86659fd93u;
    return hash ^ hash >> 32;
}

/* Return the slot that has a word, or the empty one where it belongs; there is one, since half of them are empty. */
static Slot *find_slot(const WordTokens *self, uint64_t hash, const char *word, size_t length) {
    for (size_t at = hash & (self->capacity - 1);; at = (at + 1) & (self->capacity - 1)) {
        Slot *slot = self->slots + at;
        if (!slot->place)
            return slot;
        if (slot->hash != hash)
            continue;
        Entry entry;
        memcpy(&entry, self->block + slot->place - 1, sizeof entry);
        if (entry.length == length && !memcmp(self->block + slot->place - 1 + sizeof entry, word, length))
            return slot;
    }
}

/* Have twice as many slots; -1 with an exception set. */
static int grow(WordTokens *self) {
    size_t capacity = self->capacity ? self->capacity * 2 : 1024;
    Slot *slots = PyMem_Calloc(capacity, sizeof *slots);
    if (!slots) {
        PyErr_NoMemory();
        return -1;
    }
    for (size_t i = 0; i < self->capacity; i++)
        if (self->slots[i].place) {
            size_t at = self->slots[i].hash & (capacity - 1);
            while (slots[at].place)
                at = (at + 1) & (capacity - 1);
            slots[at] = self->slots[i];
        }
    PyMem_Free(self->slots);
    self->slots = slots;
    self->capacity = capacity;
    return 0;
}

/* Return the start of `size` more bytes at the end of the block, or NULL with an exception set. */
static char *extend_block(WordTokens *self, size_t size) {
    if (size > self->room - self->size) {
        size_t room = 2 * (self->size + size);
        char *block = PyMem_Realloc(self->block, room);
        if (!block) {
            PyErr_NoMemory();
            return NULL;
        }
        self->block = block;
        self->room = room;
    }
    char *start = self->block + self->size;
    self->size += size;
    return start;
}

static PyObject *add(WordTokens *self, PyObject *arguments) {
    const char *word, *tokens;
    Py_ssize_t length, size;
    if (!PyArg_ParseTuple(arguments, "s#z#", &word, &length, &tokens, &size))
        return NULL;
    if (length >= NONE || size >= NONE || size % TOKEN_SIZE) {
        PyErr_SetString(PyExc_ValueError, "a word that is too long, or tokens that have not four bytes each");
        return NULL;
    }
    if (2 * self->used >= self->capacity && grow(self) < 0)
        return NULL;
    uint64_t hash = hash_of(word, length);
    Slot *slot = find_slot(self, hash, word, length);
    if (slot->place)
        Py_RETURN_NONE;
    Entry entry = {length, tokens ? size : NONE};
    char *at = extend_block(self, sizeof entry + length + (tokens ? size : 0));
    if (!at)
        return NULL;
    *slot = (Slot){hash, at - self->block + 1};
    self->used++;
    memcpy(at, &entry, sizeof entry);
    memcpy(at + sizeof entry, word, length);
    if (tokens)
        memcpy(at + sizeof entry + length, tokens, size);
    Py_RETURN_NONE;
}

/* Bytes that grow, first on the stack of the caller. */
typedef struct {
    char *start, *stack;
    size_t size, room;
} Buffer;

static int append(Buffer *buffer, const char *data, size_t size) {
    if (size > buffer->room - buffer->size) {
        size_t room = 2 * (buffer->size + size);
        char *start = buffer->start == buffer->stack ? PyMem_Malloc(room) : PyMem_Realloc(buffer->start, room);
        if (!start) {
            PyErr_NoMemory();
            return -1;
        }
        if (buffer->start == buffer->stack)
            memcpy(start, buffer->stack, buffer->size);
        buffer->start = start;
        buffer->room = room;
    }
    memcpy(buffer->start + buffer->size, data, size);
    buffer->size += size;
    return 0;
}

/* Append the tokens of a text; 0 if a word has none, in which case those that are new are added to a list; -1 with an
   exception set. */
static int join_text(const WordTokens *self, const char *text, size_t length, Buffer *buffer, PyObject *new_words) {
    const char *end = text + length;
    int has_all = 1;
    for (const char *word = text;;) {
        const char *space = memchr(word, ' ', end - word);
        size_t size = (space ? space : end) - word;
        const Slot *slot = self->capacity ? find_slot(self, hash_of(word, size), word, size) : NULL;
        if (!slot || !slot->place) {
            PyObject *new_word = PyUnicode_FromStringAndSize(word, size);
            int failed = !new_word || PyList_Append(new_words, new_word) < 0;
            Py_XDECREF(new_word);
            if (failed)
                return -1;
            has_all = 0;
        } else if (has_all) {
            Entry entry;
            const char *at = self->block + slot->place - 1;
            memcpy(&entry, at, sizeof entry);
            if (entry.tokens == NONE)
                has_all = 0;
            else if (append(buffer, at + sizeof entry + entry.length, entry.tokens) < 0)
                return -1;
        }
        if (!space)
            return has_all;
        word = space + 1;
    }
}

/* Return the tokens of a text as bytes, None if a word has none, or NULL with an exception set. */
static PyObject *joined(const WordTokens *self, PyObject *text, PyObject *new_words) {
    Py_ssize_t length;
    const char *start = PyUnicode_Check(text) ? PyUnicode_AsUTF8AndSize(text, &length) : NULL;
    if (!start) {
        if (!PyErr_Occurred())
            PyErr_SetString(PyExc_TypeError, "a text is not a string");
        return NULL;
    }
    char stack[SHORT_TEXT * TOKEN_SIZE];
    Buffer buffer = {stack, stack, 0, sizeof stack};
    int found = join_text(self, start, length, &buffer, new_words);
    PyObject *tokens = found < 0 ? NULL : found ? PyBytes_FromStringAndSize(buffer.start, buffer.size) : Py_NewRef(Py_None);
    if (buffer.start != stack)
        PyMem_Free(buffer.start);
    return tokens;
}

static PyObject *join(WordTokens *self, PyObject *texts) {
    if (!PyList_Check(texts)) {
        PyErr_SetString(PyExc_TypeError, "texts are a list");
        return NULL;
    }
    Py_ssize_t count = PyList_Size(texts);
    PyObject *all = PyList_New(count), *new_words = PyList_New(0), *result = NULL;
    for (Py_ssize_t i = 0; all && new_words && i < count; i++) {
        PyObject *tokens = joined(self, PyList_GetItem(texts, i), new_words);
        if (!tokens || PyList_SetItem(all, i, tokens) < 0)
            goto end;
    }
    if (all && new_words)
        result = PyTuple_Pack(2, all, new_words);
end:
    Py_XDECREF(all);
    Py_XDECREF(new_words);
    return result;
}

static PyObject *clear(WordTokens *self, PyObject *unused) {
    PyMem_Free(self->slots);
    PyMem_Free(self->block);
    self->slots = NULL;
    self->block = NULL;
    self->capacity = self->used = self->size = self->room = 0;
    Py_RETURN_NONE;
}

static Py_ssize_t count_words(WordTokens *self) { return self->used; }

static void dealloc(WordTokens *self) {
    PyTypeObject *type = Py_TYPE((PyObject *)self);
    PyMem_Free(self->slots);
    PyMem_Free(self->block);
    ((freefunc)PyType_GetSlot(type, Py_tp_free))(self);
    Py_DECREF(type);
}

static PyMethodDef methods[] = {
    {"add", (PyCFunction)add, METH_VARARGS, "Remember the tokens of a word."},
    {"join", (PyCFunction)join, METH_O, "Return the tokens of texts, and words that are new."},
    {"clear", (PyCFunction)clear, METH_NOARGS, "Forget all words."},
    {0},
};

static PyType_Slot slots[] = {
    {Py_tp_doc, "The tokens of words, remembered."},
    {Py_tp_new, PyType_GenericNew},
    {Py_tp_methods, methods},
    {Py_sq_length, count_words},
    {Py_tp_dealloc, dealloc},
    {0},
};

static PyType_Spec spec = {
    .name = "llamax_cli.scoring.word_tokens.WordTokens",
    .basicsize = sizeof(WordTokens),
    .flags = Py_TPFLAGS_DEFAULT,
    .slots = slots,
};

static int execute(PyObject *module) {
    PyObject *type = PyType_FromModuleAndSpec(module, &spec, NULL);
    int failed = !type || PyModule_AddType(module, (PyTypeObject *)type);
    Py_XDECREF(type);
    return failed ? -1 : 0;
}

static PyModuleDef_Slot module_slots[] = {{Py_mod_exec, execute}, {0}};

static PyModuleDef module = {
    PyModuleDef_HEAD_INIT,
    .m_name = "word_tokens",
    .m_doc = "The tokens of words, remembered, and texts put together from them.",
    .m_slots = module_slots,
};

PyMODINIT_FUNC PyInit_word_tokens(void) { return PyModuleDef_Init(&module); }
