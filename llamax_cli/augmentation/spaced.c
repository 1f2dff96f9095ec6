/* Code-switching of texts whose words stand between single spaces, compiled. spaced.pyi says what it does and why.

   An entry is one block of memory, so that a word costs a cache miss or two instead of a dozen:

       struct Entry | numbers of the languages | the word as it stands in a text | texts NUL texts NUL ...

   Synonyms have U+0001 between them. A phrase is kept as a word is, from the first letter of its first word to the last
   of its last. Everything is UTF-8, and nothing here knows what a letter is: what does comes from Python, once for each
   word. */

#define PY_SSIZE_T_CLEAN
#define Py_LIMITED_API 0x030B0000
#include <Python.h>
#include <stdint.h>
#include <string.h>

enum { LONG = 10000 };  /* words; a longer text is left to Python, as is one that needs more memory than there is */
enum { FEW = 96 };      /* words of a text that need no memory of their own */
enum { AND = 1 };       /* between synonyms */
enum { FIRST = 1 };     /* words.Capitals */
enum { CODES = 1 << 12 }; /* languages, of which at most half are taken; there are fewer in the world's tables */

typedef struct {
    uint32_t length;          /* of the word */
    uint32_t before, after;   /* bytes of punctuation at its ends */
    uint32_t texts;           /* their length */
    uint16_t options;         /* languages; 0 where the word has no entry */
    uint8_t capitals;
    uint8_t has_letter;
    PyObject *seconds;        /* the words with which entries go on that begin so; True: it may be any; or NULL */
} Entry;

typedef struct {
    uint64_t hash;
    Entry *entry;
} Slot;

typedef struct {
    const char *start;        /* what is written there in the end */
    size_t length;
    const char *before, *after; /* punctuation around a replacement */
    uint32_t before_length, after_length;
    uint32_t words;           /* of the phrase that begins here, or 1; 0 inside of one that was replaced */
    uint32_t raised;          /* whether the first letter, one of ASCII, is to be made a capital */
    Entry *entry;             /* of the word; then of what may be replaced, phrase or word */
} Word;

typedef struct {
    PyObject_HEAD
    PyObject *make, *write;
    double rate;
    Slot *slots;
    size_t room, taken;
    uint64_t generation;      /* how often everything was forgotten */
    PyObject *codes[CODES];   /* of languages, each at a place that its hash tells */
    size_t languages;
} Spaced;

/* -- parts of texts ------------------------------------------------------------------------------------------------ */

/* Return the `number`-th of the parts of a text; `length` becomes its own. */
static const char *part(const char *text, size_t *length, char between, size_t number) {
    const char *end = text + *length, *cut = memchr(text, between, *length);
    while (number-- && cut) {
        text = cut + 1;
        cut = memchr(text, between, end - text);
    }
    *length = (cut ? cut : end) - text;
    return text;
}

static size_t count_of(const char *text, size_t length, char between) {
    size_t count = 1;
    for (size_t i = 0; i < length; i++)
        count += text[i] == between;
    return count;
}

/* Return how many words there are; 0 where there is white space other than U+0020, as in words.cut. */
static size_t words_of(const char *text, size_t length) {
    size_t count = 1;
    const unsigned char *at = (const unsigned char *)text, *end = at + length;
    for (; at < end; at++) {
        if (*at > ' ' && *at < 0xc2)
            continue;
        count += *at == ' ';
        if (*at < ' ' ||
            (*at == 0xc2 && (at[1] == 0x85 || at[1] == 0xa0)) ||
            (*at == 0xe1 && at[1] == 0x9a && at[2] == 0x80) ||
            (*at == 0xe2 && at[1] == 0x80 && (at[2] <= 0x8a || at[2] == 0xa8 || at[2] == 0xa9 || at[2] == 0xaf)) ||
            (*at == 0xe2 && at[1] == 0x81 && at[2] == 0x9f) ||
            (*at == 0xe3 && at[1] == 0x80 && at[2] == 0x80))
            return 0;
    }
    return count;
}

/* -- the words that were seen -------------------------------------------------------------------------------------- */

static uint16_t *languages_of(const Entry *entry) { return (uint16_t *)(entry + 1); }
static char *word_of(const Entry *entry) { return (char *)(languages_of(entry) + entry->options); }
static char *texts_of(const Entry *entry) { return word_of(entry) + entry->length; }

static uint64_t hashed(const char *text, size_t length) {
    uint64_t hash = 0xcbf29ce484222325u ^ length;
    for (size_t i = 0; i < length; i++)
        hash = (hash ^ (unsigned char)text[i]) * 0x100000001b3u;  /* FNV-1a */
    return hash ^ hash >> 32;
}

static Slot *slot_of(Spaced *self, uint64_t hash, const char *text, size_t length) {
    for (size_t at = hash & (self->room - 1);; at = (at + 1) & (self->room - 1)) {
        Slot *slot = self->slots + at;
        if (!slot->entry || (slot->hash == hash && slot->entry->length == length &&
                             !memcmp(word_of(slot->entry), text, length)))
            return slot;
    }
}

static int grow(Spaced *self) {
    size_t room = self->room ? self->room * 2 : 1024;
    Slot *old = self->slots, *slots = PyMem_Calloc(room, sizeof(Slot));
    if (!slots) {
        PyErr_NoMemory();
        return -1;
    }
    for (size_t i = 0; i < self->room; i++)
        if (old[i].entry) {
            size_t at = old[i].hash & (room - 1);
            while (slots[at].entry)
                at = (at + 1) & (room - 1);
            slots[at] = old[i];
        }
    PyMem_Free(old);
    self->slots = slots;
    self->room = room;
    return 0;
}

static void drop(Entry *entry) {
    Py_XDECREF(entry->seconds);
    PyMem_Free(entry);
}

static void forget(Spaced *self) {
    Slot *slots = self->slots;
    size_t room = self->room;
    self->slots = NULL;
    self->room = self->taken = 0;
    self->generation++;
    for (size_t i = 0; i < room; i++)
        if (slots[i].entry)
            drop(slots[i].entry);
    PyMem_Free(slots);
}

/* Return the number of a language; -1 with an exception set. */
static int number_of(Spaced *self, const char *code, size_t length) {
    for (size_t at = hashed(code, length) & (CODES - 1);; at = (at + 1) & (CODES - 1)) {
        Py_ssize_t size = 0;
        const char *there = self->codes[at] ? PyUnicode_AsUTF8AndSize(self->codes[at], &size) : NULL;
        if (there && (size_t)size == length && !memcmp(there, code, length))
            return at;
        if (there)
            continue;
        if (self->codes[at] || !(self->codes[at] = PyUnicode_FromStringAndSize(code, length)))
            return -1;
        if (++self->languages > CODES / 2) {
            PyErr_SetString(PyExc_ValueError, "too many languages");
            return -1;
        }
        return at;
    }
}

/* Return the entry of what `make` says of a word: (stored, before, after, capitals, seconds), or None. */
static Entry *packed(Spaced *self, const char *text, size_t length, PyObject *made) {
    const char *stored = "";
    Py_ssize_t size = 0;
    unsigned int before = 0, after = 0;
    unsigned char capitals = 0;
    PyObject *seconds = Py_None;
    if (made != Py_None && !PyTuple_Check(made)) {
        PyErr_SetString(PyExc_TypeError, "not what is stored of a word");
        return NULL;
    }
    if (made != Py_None && !PyArg_ParseTuple(made, "y#IIbO", &stored, &size, &before, &after, &capitals, &seconds))
        return NULL;
    size_t texts = size, options = 0;
    while (texts && stored[texts - 1])
        texts--;
    for (size_t i = 0; i < texts; i++)
        options += !stored[i];
    if ((size_t)before + after > length || size > UINT32_MAX || length > UINT32_MAX || options > UINT16_MAX ||
        (texts && options != count_of(stored + texts, size - texts, ','))) {
        PyErr_SetString(PyExc_ValueError, "not what is stored of a word");
        return NULL;
    }
    Entry *entry = PyMem_Malloc(sizeof(Entry) + options * sizeof(uint16_t) + length + texts);
    if (!entry) {
        PyErr_NoMemory();
        return NULL;
    }
    *entry = (Entry){.length = length, .before = before, .after = after, .texts = texts, .options = options,
                     .capitals = capitals, .has_letter = made != Py_None};
    memcpy(word_of(entry), text, length);
    memcpy(texts_of(entry), stored, texts);
    const char *code = stored + texts;
    for (size_t i = 0; i < options; i++) {
        size_t left = stored + size - code;
        part(code, &left, ',', 0);
        int number = number_of(self, code, left);
        if (number < 0) {
            drop(entry);
            return NULL;
        }
        languages_of(entry)[i] = number;
        code += left + 1;
    }
    entry->seconds = seconds == Py_None ? NULL : Py_NewRef(seconds);
    return entry;
}

/* Return the entry of a word; NULL with an exception set where there is none to be had. */
static Entry *entry_of(Spaced *self, const char *text, size_t length) {
    uint64_t hash = hashed(text, length);
    if (self->room) {
        Slot *slot = slot_of(self, hash, text, length);
        if (slot->entry)
            return slot->entry;
    }
    PyObject *word = PyUnicode_FromStringAndSize(text, length);
    PyObject *made = word ? PyObject_CallFunctionObjArgs(self->make, word, NULL) : NULL;
    Py_XDECREF(word);
    Entry *entry = made ? packed(self, text, length, made) : NULL;
    Py_XDECREF(made);
    if (!entry)
        return NULL;
    if (2 * self->taken >= self->room && grow(self) < 0) {
        drop(entry);
        return NULL;
    }
    Slot *slot = slot_of(self, hash, text, length);
    *slot = (Slot){hash, entry};
    self->taken++;
    return entry;
}

/* -- one text ------------------------------------------------------------------------------------------------------ */

/* Return 64 random bits for a key and a number: xxh3_64 of the key's 8 bytes with the number as its seed. */
static uint64_t drawn(uint64_t key, uint64_t number) {
    uint64_t seed = number ^ (uint64_t)__builtin_bswap32((uint32_t)number) << 32;
    uint64_t low = key & 0xffffffff, high = key >> 32;
    uint64_t bits = (high + (low << 32)) ^ ((0x1cad21f72c81017cu ^ 0xdb979083e96dd4deu) - seed);
    bits ^= (bits << 49 | bits >> 15) ^ (bits << 24 | bits >> 40);
    bits *= 0x9fb21c651e98df25u;
    bits ^= (bits >> 35) + 8;
    bits *= 0x9fb21c651e98df25u;
    return bits ^ bits >> 28;
}

/* Put a translation in the place of a word; `held` keeps those that Python has written. */
static int replace(Spaced *self, Word *word, uint64_t bits, PyObject *languages, PyObject *held) {
    const Entry *entry = word->entry;
    size_t choice = (bits >> 20) % entry->options;
    if (PyList_Append(languages, self->codes[languages_of(entry)[choice]]) < 0)
        return -1;
    size_t length = entry->texts - 1;
    const char *text = part(texts_of(entry), &length, 0, choice);
    if (memchr(text, AND, length)) {
        size_t synonym = (bits >> 40) % count_of(text, length, AND);
        text = part(text, &length, AND, synonym);
    }
    if (entry->capitals == FIRST && length && !(*text & 0x80)) {
        word->raised = *text >= 'a' && *text <= 'z';
    } else if (entry->capitals) {
        PyObject *written = PyObject_CallFunction(self->write, "s#b", text, (Py_ssize_t)length, entry->capitals);
        Py_ssize_t size = 0;
        const char *kept = written ? PyUnicode_AsUTF8AndSize(written, &size) : NULL;
        int failed = !kept || PyList_Append(held, written);
        Py_XDECREF(written);
        if (failed)
            return -1;
        text = kept;
        length = size;
    }
    word->before = word->start;
    word->before_length = entry->before;
    word->after = word->start + entry->length - entry->after;
    word->after_length = entry->after;
    word->start = text;
    word->length = length;
    return 0;
}

/* Write a text as it stands in a string of JSON, and return where that ends. */
static char *escaped(char *at, const char *text, size_t length) {
    static const char hex[] = "0123456789abcdef", names[] = "btn fr";  /* of U+0008 to U+000D */
    for (const char *end = text + length; text < end; text++) {
        unsigned char byte = *text;
        if (byte >= ' ' && byte != '"' && byte != '\\') {
            *at++ = byte;
        } else {
            *at++ = '\\';
            if (byte >= ' ') {
                *at++ = byte;
            } else if (byte >= 8 && byte <= 13 && byte != 11) {
                *at++ = names[byte - 8];
            } else {
                memcpy(at, "u00", 3);
                at[3] = hex[byte >> 4];
                at[4] = hex[byte & 15];
                at += 5;
            }
        }
    }
    return at;
}

/* Return the text of words as a string of JSON. */
static PyObject *joined(const Word *words, size_t count) {
    size_t size = count - 1;
    for (size_t i = 0; i < count; i++)
        if (words[i].words)
            size += words[i].before_length + words[i].length + words[i].after_length;
    char *text = PyMem_Malloc(6 * size + 2), *at = text;
    if (!text)
        return PyErr_NoMemory();
    *at++ = '"';
    for (size_t i = 0; i < count; i++) {
        const Word *word = words + i;
        if (!word->words)
            continue;
        if (i)
            *at++ = ' ';
        char *start = at = escaped(at, word->before, word->before_length);
        at = escaped(at, word->start, word->length);
        if (word->raised)
            *start += 'A' - 'a';
        at = escaped(at, word->after, word->after_length);
    }
    *at++ = '"';
    PyObject *made = PyBytes_FromStringAndSize(text, at - text);
    PyMem_Free(text);
    return made;
}

/* Return whether a word surely is what it is in small letters. */
static int is_small(const char *text, size_t length) {
    for (size_t i = 0; i < length; i++)
        if ((text[i] >= 'A' && text[i] <= 'Z') || text[i] & 0x80)
            return 0;
    return 1;
}

/* Return whether entries that begin with one word go on with another; -1 with an exception set. */
static int goes_on(const Entry *first, const Entry *second) {
    if (!first->seconds || first->after || second->before || !second->has_letter)
        return 0;
    if (first->seconds == Py_True)
        return 1;
    size_t length = second->length - second->after;
    PyObject *core = PyUnicode_FromStringAndSize(word_of(second), length);
    int found = core ? PySet_Contains(first->seconds, core) : -1;
    if (!found && !is_small(word_of(second), length)) {
        PyObject *small = PyObject_CallMethod(core, "lower", NULL);
        found = small ? PySet_Contains(first->seconds, small) : -1;
        Py_XDECREF(small);
    }
    Py_XDECREF(core);
    return found;
}

/* Put the longest phrase that begins with a word in its place; return -1 with an exception set. */
static int lengthen(Spaced *self, Word *words, size_t count) {
    const char *start = words->start;
    Entry *entry = words->entry;
    uint64_t generation = self->generation;
    for (size_t end = 1; end < count; end++) {
        int more = goes_on(entry, words[end].entry);
        if (more <= 0)
            return more;
        if (!(entry = entry_of(self, start, words[end].start + words[end].length - start)))
            return -1;
        if (self->generation != generation)
            return 0;  /* what was looked up is gone */
        if (entry->options) {
            words->entry = entry;
            words->words = end + 1;
        }
    }
    return 0;
}

/* Look up all words and phrases; return whether some were forgotten meanwhile, or -1. */
static int look_up(Spaced *self, Word *words, size_t count) {
    uint64_t generation = self->generation;
    for (size_t i = 0; i < count; i++) {
        words[i].words = 1;
        if (!(words[i].entry = entry_of(self, words[i].start, words[i].length)))
            return -1;
    }
    for (size_t i = 0; self->generation == generation && i < count; i += words[i].words)
        if (words[i].entry->seconds && lengthen(self, words + i, count - i) < 0)
            return -1;
    return self->generation != generation;
}

/* Replace words of a text; return (text, words, covered, replaced, languages). */
static PyObject *switched(Spaced *self, Word *words, uint32_t *places, size_t count, uint64_t key) {
    size_t letters = 0, covered = 0, left = 0;
    for (size_t i = 0; i < count; i++)
        letters += words[i].entry->has_letter;
    for (size_t i = 0; i < count; i += words[i].words)
        if (words[i].entry->options) {
            places[left++] = i;
            covered += words[i].words;
        }
    size_t wanted = letters * self->rate + (double)(key >> 32) / 4294967296.0;
    wanted = wanted < covered ? wanted : covered;
    size_t replaced = 0;
    PyObject *languages = PyList_New(0), *held = PyList_New(0), *text = NULL, *result = NULL;
    if (!languages || !held)
        goto end;
    for (uint64_t step = 0; left && replaced < wanted; step++, left--) {
        uint64_t bits = drawn(key, step);
        size_t number = bits % left;
        Word *word = words + places[number];
        memmove(places + number, places + number + 1, (left - number - 1) * sizeof *places);
        if (word->words > wanted - replaced)
            continue;  /* a phrase of more words than are still wanted */
        if (replace(self, word, bits, languages, held) < 0)
            goto end;
        replaced += word->words;
        for (size_t i = 1; i < word->words; i++)
            word[i].words = 0;
    }
    if ((text = joined(words, count)))
        result = Py_BuildValue("OnnnO", text, (Py_ssize_t)letters, (Py_ssize_t)covered, (Py_ssize_t)replaced, languages);
end:
    Py_XDECREF(text);
    Py_XDECREF(held);
    Py_XDECREF(languages);
    return result;
}

static PyObject *spaced_call(Spaced *self, PyObject *args, PyObject *kwargs) {
    PyObject *text;
    unsigned long long key;
    if (kwargs && PyDict_Size(kwargs)) {
        PyErr_SetString(PyExc_TypeError, "text and key are positional");
        return NULL;
    }
    Py_ssize_t size;
    const char *start;
    if (!PyArg_ParseTuple(args, "UK", &text, &key) || !(start = PyUnicode_AsUTF8AndSize(text, &size)))
        return NULL;
    size_t count = words_of(start, size);
    if (!count || count > LONG)
        Py_RETURN_NONE;
    Word few[FEW], *words = few;
    uint32_t few_places[FEW], *places = few_places;
    if (count > FEW) {
        words = PyMem_Malloc(count * sizeof *words);
        places = PyMem_Malloc(count * sizeof *places);
    }
    PyObject *result = NULL;
    if (!words || !places) {
        PyErr_NoMemory();
        goto end;
    }
    for (size_t i = 0, left = size; i < count; i++) {
        size_t length = left;
        part(start, &length, ' ', 0);
        words[i] = (Word){.start = start, .length = length};
        start += length + 1;
        left -= length + (i + 1 < count);
    }
    int forgotten = look_up(self, words, count);
    if (forgotten > 0)
        forgotten = look_up(self, words, count);
    if (forgotten > 0)
        result = Py_NewRef(Py_None);
    else if (!forgotten)
        result = switched(self, words, places, count, key);
end:
    if (words != few) {
        PyMem_Free(words);
        PyMem_Free(places);
    }
    return result;
}

/* -- the type ------------------------------------------------------------------------------------------------------ */

static int spaced_init(Spaced *self, PyObject *args, PyObject *kwargs) {
    static char *names[] = {"make", "write", "rate", NULL};
    PyObject *make, *write;
    double rate;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "OOd", names, &make, &write, &rate))
        return -1;
    self->make = Py_NewRef(make);
    self->write = Py_NewRef(write);
    self->rate = rate;
    return 0;
}

static PyObject *spaced_clear(Spaced *self, PyObject *unused) {
    forget(self);
    Py_RETURN_NONE;
}

static int spaced_traverse(Spaced *self, visitproc visit, void *arg) {
    Py_VISIT(Py_TYPE((PyObject *)self));
    Py_VISIT(self->make);
    Py_VISIT(self->write);
    return 0;
}

static int spaced_release(Spaced *self) {
    Py_CLEAR(self->make);
    Py_CLEAR(self->write);
    return 0;
}

static void spaced_dealloc(Spaced *self) {
    PyTypeObject *type = Py_TYPE((PyObject *)self);
    PyObject_GC_UnTrack(self);
    spaced_release(self);
    forget(self);
    for (size_t i = 0; i < CODES; i++)
        Py_XDECREF(self->codes[i]);
    ((freefunc)PyType_GetSlot(type, Py_tp_free))(self);
    Py_DECREF(type);
}

static PyMethodDef methods[] = {
    {"clear", (PyCFunction)spaced_clear, METH_NOARGS, "Forget all words."},
    {0},
};

static PyType_Slot slots[] = {
    {Py_tp_doc, "Code-switches texts whose words stand between single spaces."},
    {Py_tp_new, PyType_GenericNew},
    {Py_tp_init, spaced_init},
    {Py_tp_call, spaced_call},
    {Py_tp_methods, methods},
    {Py_tp_traverse, spaced_traverse},
    {Py_tp_clear, spaced_release},
    {Py_tp_dealloc, spaced_dealloc},
    {0},
};

static PyType_Spec spec = {
    .name = "llamax_cli.augmentation.spaced.Spaced",
    .basicsize = sizeof(Spaced),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC,
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
    .m_name = "spaced",
    .m_doc = "Code-switching of texts whose words stand between single spaces, compiled.",
    .m_slots = module_slots,
};

PyMODINIT_FUNC PyInit_spaced(void) { return PyModuleDef_Init(&module); }
