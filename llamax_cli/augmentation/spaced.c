/* Code-switching of texts whose words are separated by white space, and of lines of records with such texts, compiled;
   spaced.pyi describes the interface. */

#define PY_SSIZE_T_CLEAN
#define Py_LIMITED_API 0x030B0000
#include "spaced.h"

#include <stdio.h>

#include "../buffer.h"
#include "../plain_lines.h"

typedef struct {
    PyTypeObject *segmentation, *jieba, *switcher, *lines;
} State;

/* -- segmentation ------------------------------------------------------------------------------------------------- */

static PyObject *segmentation_call(Segmentation *self, PyObject *args, PyObject *kwargs) {
    PyObject *string, *words = NULL;
    if (kwargs && PyDict_Size(kwargs)) {
        PyErr_SetString(PyExc_TypeError, "text is positional");
        return NULL;
    }
    Py_ssize_t size;
    const char *start;
    if (!self->characters) {
        PyErr_SetString(PyExc_ValueError, "not initialised");
        return NULL;
    }
    if (!PyArg_ParseTuple(args, "U", &string) || !(start = PyUnicode_AsUTF8AndSize(string, &size)))
        return NULL;
    Text text = {0};
    int is_left = grow_text(&text, SHORT_TEXT);
    if (!is_left)
        is_left = segment_text(self, &text, start, size);
    if (is_left > 0)
        words = Py_NewRef(Py_None);
    else if (!is_left && (words = PyList_New(text.count)))
        for (size_t i = 0; words && i < text.count; i++) {
            PyObject *word = PyUnicode_FromStringAndSize(text.words[i].start, text.words[i].length);
            if (!word || PyList_SetItem(words, i, word) < 0)
                Py_CLEAR(words);
        }
    free_text(&text);
    return words;
}

static int segmentation_release(Segmentation *self) {
    Py_CLEAR(self->look_up);
    Py_CLEAR(self->next_characters);
    Py_CLEAR(self->classify);
    Py_CLEAR(self->split_syllables);
    Py_CLEAR(self->is_seam);
    return 0;
}

static int segmentation_init(Segmentation *self, PyObject *args, PyObject *kwargs) {
    static char *names[] = {"look_up", "next_characters", "classify", "split_syllables", "is_seam", "script", NULL};
    PyObject *look_up, *next_characters, *classify, *split_syllables, *is_seam;
    int script;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "OOOOOi", names, &look_up, &next_characters, &classify,
                                     &split_syllables, &is_seam, &script))
        return -1;
    if (script < 0 || script >= SCRIPTS || self->characters) {
        PyErr_SetString(PyExc_ValueError, "no such script, or initialised again");
        return -1;
    }
    if (!(self->characters = PyMem_Calloc(CODE_POINTS, 1))) {
        PyErr_NoMemory();
        return -1;
    }
    self->look_up = Py_NewRef(look_up);
    self->next_characters = Py_NewRef(next_characters);
    self->classify = Py_NewRef(classify);
    self->split_syllables = Py_NewRef(split_syllables);
    self->is_seam = Py_NewRef(is_seam);
    self->script = script;
    return 0;
}

static PyObject *segmentation_clear(Segmentation *self, PyObject *unused) {
    free_nodes(self);
    Py_RETURN_NONE;
}

static int segmentation_traverse(Segmentation *self, visitproc visit, void *arg) {
    Py_VISIT(Py_TYPE((PyObject *)self));
    Py_VISIT(self->look_up);
    Py_VISIT(self->next_characters);
    Py_VISIT(self->classify);
    Py_VISIT(self->split_syllables);
    Py_VISIT(self->is_seam);
    return 0;
}

static void segmentation_dealloc(Segmentation *self) {
    PyTypeObject *type = Py_TYPE((PyObject *)self);
    PyObject_GC_UnTrack(self);
    segmentation_release(self);
    free_nodes(self);
    PyMem_Free(self->characters);
    ((freefunc)PyType_GetSlot(type, Py_tp_free))(self);
    Py_DECREF(type);
}

static PyMethodDef segmentation_methods[] = {
    {"clear", (PyCFunction)segmentation_clear, METH_NOARGS, "Forget the entries that were looked up."},
    {0},
};

static PyType_Slot segmentation_slots[] = {
    {Py_tp_doc, "Splits texts without spaces into words."},
    {Py_tp_new, PyType_GenericNew},
    {Py_tp_init, segmentation_init},
    {Py_tp_call, segmentation_call},
    {Py_tp_methods, segmentation_methods},
    {Py_tp_traverse, segmentation_traverse},
    {Py_tp_clear, segmentation_release},
    {Py_tp_dealloc, segmentation_dealloc},
    {0},
};

static PyType_Spec segmentation_spec = {
    .name = "llamax_cli.augmentation.spaced.Segmentation",
    .basicsize = sizeof(Segmentation),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC,
    .slots = segmentation_slots,
};

/* -- jieba --------------------------------------------------------------------------------------------------------- */

static PyObject *jieba_new(PyTypeObject *type, PyObject *args, PyObject *kwargs) {
    const char *words;
    Py_ssize_t length;
    PyObject *dictionary, *first, *next, *characters;
    if (kwargs && PyDict_Size(kwargs)) {
        PyErr_SetString(PyExc_TypeError, "arguments are positional");
        return NULL;
    }
    if (!PyArg_ParseTuple(args, "UOOO", &dictionary, &first, &next, &characters) ||
        !(words = PyUnicode_AsUTF8AndSize(dictionary, &length)))
        return NULL;
    JiebaSegmenter *self = (JiebaSegmenter *)((allocfunc)PyType_GetSlot(type, Py_tp_alloc))(type, 0);
    if (!self)
        return NULL;
    self->filter = PyMem_Calloc((1 << FILTER_BITS) / 8, 1);
    self->characters = PyMem_Calloc(CHARACTERS, sizeof *self->characters);
    self->in_places = PyMem_Calloc(HAN, sizeof *self->in_places);
    if (!self->filter || !self->characters || !self->in_places)
        PyErr_NoMemory();
    else if (!read_words(self, words, length) && !read_model(self, first, next, characters))
        return (PyObject *)self;
    Py_DECREF(self);
    return NULL;
}

static PyObject *jieba_call(JiebaSegmenter *self, PyObject *args, PyObject *kwargs) {
    PyObject *string;
    const char *text;
    Py_ssize_t length;
    if (kwargs && PyDict_Size(kwargs)) {
        PyErr_SetString(PyExc_TypeError, "text is positional");
        return NULL;
    }
    Cut cut;
    if (!PyArg_ParseTuple(args, "U", &string) || !(text = PyUnicode_AsUTF8AndSize(string, &length)) ||
        cut_text(self, &cut, text, length) < 0)
        return NULL;
    PyObject *words = PyList_New(cut.word_count);
    for (size_t i = 0; words && i < cut.word_count; i++) {
        uint32_t start = cut.offsets[cut.words[i]], end = cut.offsets[cut.words[i + 1]];
        PyObject *word = PyUnicode_FromStringAndSize(text + start, end - start);
        if (!word || PyList_SetItem(words, i, word) < 0)
            Py_CLEAR(words);
    }
    free_cut(&cut);
    return words;
}

static void jieba_dealloc(JiebaSegmenter *self) {
    PyTypeObject *type = Py_TYPE((PyObject *)self);
    PyMem_Free(self->beginnings);
    PyMem_Free(self->filter);
    PyMem_Free(self->characters);
    PyMem_Free(self->in_places);
    ((freefunc)PyType_GetSlot(type, Py_tp_free))(self);
    Py_DECREF(type);
}

static PyType_Slot jieba_slots[] = {
    {Py_tp_doc, "Splits Chinese texts into the words that jieba finds."},
    {Py_tp_new, jieba_new},
    {Py_tp_call, jieba_call},
    {Py_tp_dealloc, jieba_dealloc},
    {0},
};

static PyType_Spec jieba_spec = {
    .name = "llamax_cli.augmentation.spaced.JiebaSegmenter",
    .basicsize = sizeof(JiebaSegmenter),
    .flags = Py_TPFLAGS_DEFAULT,
    .slots = jieba_slots,
};

/* -- texts -------------------------------------------------------------------------------------------------------- */

/* Return a code_switching.Switched. */
static PyObject *switched(SpacedSwitcher *self, const Text *text) {
    PyObject *languages = PyList_New(text->replacements), *json = NULL, *result = NULL;
    char *start = PyMem_Malloc(joined_room(text));
    if (!languages || !start) {
        if (!start)
            PyErr_NoMemory();
        goto end;
    }
    for (size_t i = 0; i < text->replacements; i++)
        if (PyList_SetItem(languages, i, Py_NewRef(self->codes[text->languages[i]])) < 0)
            goto end;
    if ((json = PyBytes_FromStringAndSize(start, join(text, start) - start)))
        result = Py_BuildValue("OnnnO", json, (Py_ssize_t)text->with_letter, (Py_ssize_t)text->covered,
                               (Py_ssize_t)text->replaced, languages);
end:
    PyMem_Free(start);
    Py_XDECREF(json);
    Py_XDECREF(languages);
    return result;
}

static PyObject *switcher_call(SpacedSwitcher *self, PyObject *args, PyObject *kwargs) {
    PyObject *string, *result = NULL;
    unsigned long long key;
    if (kwargs && PyDict_Size(kwargs)) {
        PyErr_SetString(PyExc_TypeError, "text and key are positional");
        return NULL;
    }
    Py_ssize_t size;
    const char *start;
    if (!PyArg_ParseTuple(args, "UK", &string, &key) || !(start = PyUnicode_AsUTF8AndSize(string, &size)))
        return NULL;
    Text text = {0};
    int is_left = read_text(self, &text, start, size);
    if (is_left > 0)
        result = Py_NewRef(Py_None);
    else if (!is_left && !replace_words(self, &text, key))
        result = switched(self, &text);
    free_text(&text);
    return result;
}

static int switcher_release(SpacedSwitcher *self) {
    Py_CLEAR(self->pack);
    Py_CLEAR(self->charge);
    Py_CLEAR(self->is_spaced);
    Py_CLEAR(self->is_word_character);
    Py_CLEAR(self->segmenter);
    Py_CLEAR(self->apply_capitals);
    Py_CLEAR(self->opens_sentence);
    return 0;
}

/* Return the kind of a segmenter, or -1 with an exception set. */
static int kind_of_segmenter(const State *state, PyObject *segmenter) {
    if (Py_TYPE(segmenter) == state->jieba)
        return JIEBA_SEGMENTER;
    if (Py_TYPE(segmenter) == state->segmentation && ((Segmentation *)segmenter)->characters)
        return LEXICON_SEGMENTER;
    if (Py_TYPE(segmenter) != state->segmentation && PyCallable_Check(segmenter))
        return PYTHON_SEGMENTER;
    PyErr_SetString(PyExc_TypeError, "not a segmenter");
    return -1;
}

static int switcher_init(SpacedSwitcher *self, PyObject *args, PyObject *kwargs) {
    static char *names[] = {"pack", "apply_capitals", "opens_sentence", "rate", "charge", "segmenter", "is_spaced",
                            "is_word_character", NULL};
    PyObject *pack, *apply_capitals, *opens_sentence, *charge = Py_None, *segmenter = Py_None, *is_spaced = Py_None,
             *is_word_character = Py_None;
    double rate;
    State *state = PyType_GetModuleState(Py_TYPE((PyObject *)self));
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "OOOd|OOOO", names, &pack, &apply_capitals, &opens_sentence, &rate,
                                     &charge, &segmenter, &is_spaced, &is_word_character))
        return -1;
    int kind = segmenter == Py_None ? LEXICON_SEGMENTER : kind_of_segmenter(state, segmenter);
    if (kind < 0)
        return -1;
    if (segmenter != Py_None && !self->characters && !(self->characters = PyMem_Calloc(CODE_POINTS, 1))) {
        PyErr_NoMemory();
        return -1;
    }
    switcher_release(self);  /* what an earlier __init__ has set */
    self->pack = Py_NewRef(pack);
    self->apply_capitals = Py_NewRef(apply_capitals);
    self->opens_sentence = Py_NewRef(opens_sentence);
    self->charge = charge == Py_None ? NULL : Py_NewRef(charge);
    self->is_spaced = Py_NewRef(is_spaced);
    self->is_word_character = Py_NewRef(is_word_character);
    self->segmenter = segmenter == Py_None ? NULL : Py_NewRef(segmenter);
    self->segmenter_kind = kind;
    self->rate = rate;
    return 0;
}

static PyObject *switcher_clear(SpacedSwitcher *self, PyObject *unused) {
    free_entries(self);
    Py_RETURN_NONE;
}

static int switcher_traverse(SpacedSwitcher *self, visitproc visit, void *arg) {
    Py_VISIT(Py_TYPE((PyObject *)self));
    Py_VISIT(self->pack);
    Py_VISIT(self->apply_capitals);
    Py_VISIT(self->opens_sentence);
    Py_VISIT(self->charge);
    Py_VISIT(self->is_spaced);
    Py_VISIT(self->is_word_character);
    Py_VISIT(self->segmenter);
    return 0;
}

static void switcher_dealloc(SpacedSwitcher *self) {
    PyTypeObject *type = Py_TYPE((PyObject *)self);
    PyObject_GC_UnTrack(self);
    switcher_release(self);
    free_entries(self);
    for (size_t i = 0; i < self->languages; i++)
        Py_DECREF(self->codes[i]);
    PyMem_Free(self->codes);
    PyMem_Free(self->counts);
    PyMem_Free(self->spaced);
    PyMem_Free(self->characters);
    PyMem_Free(self->numbers);
    ((freefunc)PyType_GetSlot(type, Py_tp_free))(self);
    Py_DECREF(type);
}

static PyMethodDef switcher_methods[] = {
    {"clear", (PyCFunction)switcher_clear, METH_NOARGS, "Free the entries of all words."},
    {0},
};

static PyType_Slot switcher_slots[] = {
    {Py_tp_doc, "Code-switches texts whose words are separated by white space."},
    {Py_tp_new, PyType_GenericNew},
    {Py_tp_init, switcher_init},
    {Py_tp_call, switcher_call},
    {Py_tp_methods, switcher_methods},
    {Py_tp_traverse, switcher_traverse},
    {Py_tp_clear, switcher_release},
    {Py_tp_dealloc, switcher_dealloc},
    {0},
};

static PyType_Spec switcher_spec = {
    .name = "llamax_cli.augmentation.spaced.SpacedSwitcher",
    .basicsize = sizeof(SpacedSwitcher),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC,
    .slots = switcher_slots,
};

/* -- lines of records --------------------------------------------------------------------------------------------- */

enum { SOURCE, TARGET, SOURCE_CODE, TARGET_CODE, TEXT, CODE, ORIGIN, NAMES };
static const Span names_of_keys[NAMES] = {
#define NAME(text) {(Place)text, sizeof(text) - 1}
    NAME("src"), NAME("tgt"), NAME("src_lang"), NAME("tgt_lang"), NAME("text"), NAME("lang"), NAME("origin"),
};

enum { LONGEST_CODE = 64, LONGEST_NUMBER = 20 };

/* A translation direction: what switches its texts, and the random bits of each copy. */
typedef struct {
    SpacedSwitcher *spaced;     /* NULL: they are left to `switch_text` */
    PyObject *switch_text;
    uint64_t *keys;
    size_t copies;
} Direction;

typedef struct {
    PyObject_HEAD
    PyObject *find_direction, *numbers; /* of the directions, by their language codes in JSON */
    Direction *directions;
    size_t count, room;
    int appends, drops_unchanged, lowers;
} LineSwitcher;

/* What is known while lines are switched. */
typedef struct {
    Buffer output;              /* lines */
    Buffer content, json;       /* of one record: what is hashed, which begins with its text; a copy of the text */
    Text text;
    Span codes[2];              /* of the last direction, within the data */
    size_t direction;           /* its number */
    PyObject *switched;         /* languages of the replacements that Python chose */
    size_t written, sentences, unchanged, words, covered, replaced;
} Batch;

/* A string without escapes, short enough for a language code. */
static inline int is_code(Span string) {
    return is_string(string) && string.length <= LONGEST_CODE && !memchr(string.start, '\\', string.length);
}

/* Add what `find_direction` returns; -1 with an exception set. */
static int add_direction(LineSwitcher *self, PyObject *found) {
    if (self->count == self->room) {
        size_t room = 2 * self->room + 8;
        Direction *directions = PyMem_Realloc(self->directions, room * sizeof *directions);
        if (!directions) {
            PyErr_NoMemory();
            return -1;
        }
        self->directions = directions;
        self->room = room;
    }
    PyObject *spaced, *switch_text, *keys;
    State *state = PyType_GetModuleState(Py_TYPE((PyObject *)self));
    if (!PyTuple_Check(found)) {
        PyErr_SetString(PyExc_TypeError, "not a direction");
        return -1;
    }
    if (!PyArg_ParseTuple(found, "OOO!", &spaced, &switch_text, &PyList_Type, &keys))
        return -1;
    if (spaced != Py_None && Py_TYPE(spaced) != state->switcher) {
        PyErr_SetString(PyExc_TypeError, "not a switcher");
        return -1;
    }
    size_t copies = PyList_Size(keys);
    Direction direction = {.copies = copies, .keys = PyMem_Malloc((copies + 1) * sizeof(uint64_t))};
    if (!direction.keys) {
        PyErr_NoMemory();
        return -1;
    }
    for (size_t i = 0; i < copies; i++)
        direction.keys[i] = PyLong_AsUnsignedLongLong(PyList_GetItem(keys, i));
    if (PyErr_Occurred()) {
        PyMem_Free(direction.keys);
        return -1;
    }
    direction.spaced = spaced == Py_None ? NULL : (SpacedSwitcher *)Py_NewRef(spaced);
    direction.switch_text = Py_NewRef(switch_text);
    self->directions[self->count++] = direction;
    return 0;
}

/* Return the number of the direction of two language codes, JSON strings; -1 with an exception set. */
static Py_ssize_t direction_number(LineSwitcher *self, Span source, Span target) {
    char name[2 * LONGEST_CODE];
    unsigned char *at = put((unsigned char *)name, source);
    at = put(at, target);
    PyObject *key = PyBytes_FromStringAndSize(name, at - (unsigned char *)name);
    if (!key)
        return -1;
    Py_ssize_t number = -1;
    PyObject *known = PyDict_GetItemWithError(self->numbers, key);
    if (known) {
        number = PyLong_AsSsize_t(known);
    } else if (!PyErr_Occurred()) {
        source = content_of(source);
        target = content_of(target);
        PyObject *found = PyObject_CallFunction(self->find_direction, "s#s#", source.start, source.length, target.start,
                                                target.length);
        PyObject *object = PyLong_FromSize_t(self->count);
        if (found && object && !add_direction(self, found) && !PyDict_SetItem(self->numbers, key, object))
            number = self->count - 1;
        Py_XDECREF(found);
        Py_XDECREF(object);
    }
    Py_DECREF(key);
    return number;
}

static int find_direction(LineSwitcher *self, Batch *batch, Span source, Span target) {
    if (batch->codes[0].start && equal(batch->codes[0], source) && equal(batch->codes[1], target))
        return 0;
    Py_ssize_t number = direction_number(self, source, target);
    if (number < 0)
        return -1;
    batch->codes[0] = source;
    batch->codes[1] = target;
    batch->direction = number;
    return 0;
}

static unsigned int hexadecimal(Place at) {
    unsigned int number = 0;
    for (int i = 0; i < 4; i++)
        number = number << 4 | (at[i] <= '9' ? at[i] - '0' : (at[i] | 0x20) - 'a' + 10);
    return number;
}

/* Write the text of a JSON string, which is plain, and return its end. */
static unsigned char *unescape(unsigned char *at, Span string) {
    Span text = content_of(string);
    Place end = text.start + text.length, escape;
    while ((escape = memchr(text.start, '\\', text.length))) {
        text.length = escape - text.start;
        at = put(at, text);
        text.start = escape + 2;
        unsigned int code;
        switch (escape[1]) {
        case 'b': *at++ = '\b'; break;
        case 'f': *at++ = '\f'; break;
        case 'n': *at++ = '\n'; break;
        case 'r': *at++ = '\r'; break;
        case 't': *at++ = '\t'; break;
        case 'u':
            code = hexadecimal(escape + 2);
            text.start += 4;
            if (code < 0x80) {
                *at++ = code;
            } else if (code < 0x800) {
                *at++ = 0xc0 | code >> 6;
                *at++ = 0x80 | (code & 0x3f);
            } else {
                *at++ = 0xe0 | code >> 12;
                *at++ = 0x80 | (code >> 6 & 0x3f);
                *at++ = 0x80 | (code & 0x3f);
            }
            break;
        default: *at++ = escape[1];
        }
        text.length = end - text.start;
    }
    return put(at, text);
}

/* Put a text in lower case; -1 with an exception set. It may become longer. */
static int lower(Buffer *text) {
    int is_ascii = 1;
    for (size_t i = 0; i < text->length; i++) {
        is_ascii &= text->bytes[i] < 0x80;
        text->bytes[i] += text->bytes[i] >= 'A' && text->bytes[i] <= 'Z' ? 'a' - 'A' : 0;
    }
    if (is_ascii)
        return 0;
    PyObject *string = PyUnicode_FromStringAndSize((char *)text->bytes, text->length);
    PyObject *lowered = string ? PyObject_CallMethod(string, "lower", NULL) : NULL;
    Py_ssize_t size = 0;
    const char *start = lowered ? PyUnicode_AsUTF8AndSize(lowered, &size) : NULL;
    text->length = 0;
    unsigned char *at = start ? make_room(text, size) : NULL;
    if (at) {
        memcpy(at, start, size);
        text->length = size;
    }
    Py_XDECREF(string);
    Py_XDECREF(lowered);
    return at ? 0 : -1;
}

/* Write what keyed_bits hashes, `5:hello` and the target, as the content of the batch, and set the place of the source
   in it; -1 with an exception set. */
static int write_content(LineSwitcher *self, Batch *batch, Span source, Span target, Span *text) {
    Buffer *content = &batch->content;
    content->length = 0;
    unsigned char *start = make_room(content, source.length);
    if (!start)
        return -1;
    content->length = unescape(start, source) - start;
    if (self->lowers && lower(content) < 0)
        return -1;
    text->length = content->length;
    size_t characters = 0;
    for (Py_ssize_t i = 0; i < text->length; i++)
        characters += !continues(content->bytes[i]);
    if (!make_room(content, LONGEST_NUMBER + 2 + target.length))
        return -1;
    char number[LONGEST_NUMBER + 2];
    int digits = snprintf(number, sizeof number, "%zu:", characters);
    memmove(content->bytes + digits, content->bytes, text->length);
    memcpy(content->bytes, number, digits);
    text->start = content->bytes + digits;
    unsigned char *end = content->bytes + digits + text->length;
    if (target.length)
        end = unescape(end, target);
    content->length = end - content->bytes;
    return 0;
}

/* Write a key and a value, and return the end. */
static inline unsigned char *put_member(unsigned char *at, Span key, Span value) {
    *at++ = '"';
    at = put(at, key);
    *at++ = '"';
    *at++ = ':';
    at = put(at, value);
    *at++ = ',';
    return at;
}

static inline int is_name(Span key, int name) { return equal(key, names_of_keys[name]); }

/* Write a record as it is, or, with a source, the pair that it becomes; -1 with an exception set. */
static int write_record(Batch *batch, const Outline *outline, int is_pair, const Span *source) {
    const Span *values = outline->values;
    size_t room = 64 + (source ? source->length : 0) + values[TEXT].length + values[CODE].length;
    for (int i = 0; i < outline->count; i++)
        room += outline->all_keys[i].length + outline->all_values[i].length + 16;
    unsigned char *start = make_room(&batch->output, room), *at = start;
    if (!start)
        return -1;
    *at++ = '{';
    Span origin = is_pair ? (Span)NAME("\"aug-para\"") : (Span)NAME("\"aug-mono\"");
    for (int i = 0; i < outline->count; i++) {
        Span key = outline->all_keys[i], value = outline->all_values[i];
        if (!source) {
            at = put_member(at, key, value);
        } else if (is_name(key, ORIGIN)) {
            at = put_member(at, key, origin);
        } else if (is_pair) {
            at = put_member(at, key, is_name(key, SOURCE) ? *source : value);
        } else if (is_name(key, TEXT)) {
            at = put_member(at, names_of_keys[SOURCE], *source);
            at = put_member(at, names_of_keys[TARGET], value);
        } else if (is_name(key, CODE)) {
            at = put_member(at, names_of_keys[SOURCE_CODE], value);
            at = put_member(at, names_of_keys[TARGET_CODE], value);
        } else if (!is_name(key, TARGET) && !is_name(key, SOURCE_CODE) && !is_name(key, TARGET_CODE)) {
            at = put_member(at, key, value);
        }
    }
    if (source && !values[ORIGIN].start)
        at = put_member(at, names_of_keys[ORIGIN], origin);
    at -= outline->count > 0;
    *at++ = '}';
    *at++ = '\n';
    batch->output.length += at - start;
    batch->written++;
    return 0;
}

static void count(Batch *batch, size_t words, size_t covered, size_t replaced) {
    batch->sentences++;
    batch->words += words;
    batch->covered += covered;
    batch->replaced += replaced;
    batch->unchanged += !replaced;
}

/* Write a copy of a record whose text was read by `spaced`; -1 with an exception set. */
static int write_spaced(LineSwitcher *self, Batch *batch, const Outline *outline, int is_pair, SpacedSwitcher *spaced,
                        uint64_t key) {
    Text *text = &batch->text;
    if (replace_words(spaced, text, key) < 0)
        return -1;
    count(batch, text->with_letter, text->covered, text->replaced);
    for (size_t i = 0; i < text->replacements; i++)
        spaced->counts[text->languages[i]]++;
    if (self->drops_unchanged && !text->replaced)
        return 0;
    char *json = (char *)make_room(&batch->json, joined_room(text));
    if (!json)
        return -1;
    Span source = {(Place)json, join(text, json) - json};
    return write_record(batch, outline, is_pair, &source);
}

/* Write a copy of a record whose text Python switches; -1 with an exception set. */
static int write_switched(LineSwitcher *self, Batch *batch, const Outline *outline, int is_pair, PyObject *switch_text,
                          PyObject *text, uint64_t key) {
    PyObject *switched = PyObject_CallFunction(switch_text, "OK", text, (unsigned long long)key), *languages;
    const char *json;
    Py_ssize_t length, words, covered, replaced;
    if (switched && !PyTuple_Check(switched)) {
        PyErr_SetString(PyExc_TypeError, "not a switched text");
        Py_CLEAR(switched);
    }
    int failed = !switched || !PyArg_ParseTuple(switched, "y#nnnO!", &json, &length, &words, &covered, &replaced,
                                                &PyList_Type, &languages);
    for (Py_ssize_t i = 0; !failed && i < PyList_Size(languages); i++)
        failed = PyList_Append(batch->switched, PyList_GetItem(languages, i)) < 0;
    if (!failed) {
        Span source = {(Place)json, length};
        count(batch, words, covered, replaced);
        failed = (!self->drops_unchanged || replaced) && write_record(batch, outline, is_pair, &source) < 0;
    }
    Py_XDECREF(switched);
    return failed ? -1 : 0;
}

/* Write the copies of a record: 1 if they are written, 0 if the line is left to Python, -1 with an exception set. */
static int write_copies(LineSwitcher *self, Batch *batch, const Outline *outline) {
    const Span *values = outline->values;
    int is_pair = values[SOURCE].start || !values[TEXT].start;
    Span source = values[is_pair ? SOURCE : TEXT], target = is_pair ? values[TARGET] : (Span){0};
    Span code = values[is_pair ? SOURCE_CODE : CODE], target_code = values[is_pair ? TARGET_CODE : CODE], text;
    if (!is_string(source) || !is_code(code) || !is_code(target_code) || (is_pair && !is_string(target)))
        return 0;
    if (find_direction(self, batch, code, target_code) < 0 ||
        write_content(self, batch, source, target, &text) < 0 ||
        (self->appends && write_record(batch, outline, is_pair, NULL) < 0))
        return -1;
    size_t number = batch->direction; /* Python may add directions, and so move them, while it switches texts */
    SpacedSwitcher *spaced = self->directions[number].spaced;
    int is_left = spaced ? read_text(spaced, &batch->text, (const char *)text.start, text.length) : 1;
    if (is_left < 0)
        return -1;
    PyObject *string = is_left ? PyUnicode_FromStringAndSize((const char *)text.start, text.length) : NULL;
    int failed = is_left && !string;
    for (size_t i = 0; !failed && i < self->directions[number].copies; i++) {
        uint64_t key = xxh3_64(batch->content.bytes, batch->content.length, self->directions[number].keys[i]);
        failed = is_left ? write_switched(self, batch, outline, is_pair, self->directions[number].switch_text, string, key)
                         : write_spaced(self, batch, outline, is_pair, spaced, key);
    }
    Py_XDECREF(string);
    return failed ? -1 : 1;
}

/* Move the counts of replacements by language into a dictionary, or forget them for NULL; -1 with an exception set. */
static int take_counts(LineSwitcher *self, PyObject *counts) {
    int failed = 0;
    for (size_t i = 0; i < self->count; i++) {
        SpacedSwitcher *spaced = self->directions[i].spaced;
        for (size_t language = 0; spaced && language < spaced->languages; language++) {
            if (!spaced->counts[language])
                continue;
            if (counts && !failed) {
                PyObject *code = spaced->codes[language], *known = PyDict_GetItemWithError(counts, code);
                unsigned long long before = known ? PyLong_AsUnsignedLongLong(known) : 0;
                PyObject *sum = PyErr_Occurred() ? NULL : PyLong_FromUnsignedLongLong(before + spaced->counts[language]);
                failed = !sum || PyDict_SetItem(counts, code, sum) < 0;
                Py_XDECREF(sum);
            }
            spaced->counts[language] = 0;
        }
    }
    return failed ? -1 : 0;
}

/* Append the lines written so far to a list, and begin anew; -1 with an exception set. */
static int take_output(Batch *batch, PyObject *pieces) {
    const char *start = batch->output.bytes ? (const char *)batch->output.bytes : "";
    PyObject *piece = PyBytes_FromStringAndSize(start, batch->output.length);
    int failed = !piece || PyList_Append(pieces, piece) < 0;
    Py_XDECREF(piece);
    batch->output.length = 0;
    return failed ? -1 : 0;
}

static PyObject *lines_call(LineSwitcher *self, PyObject *arguments, PyObject *kwargs) {
    char *start;
    Py_ssize_t length;
    PyObject *data;
    if (kwargs && PyDict_Size(kwargs)) {
        PyErr_SetString(PyExc_TypeError, "data is positional");
        return NULL;
    }
    if (!PyArg_ParseTuple(arguments, "S", &data) || PyBytes_AsStringAndSize(data, &start, &length) < 0)
        return NULL;
    if (!self->numbers) {
        PyErr_SetString(PyExc_ValueError, "not initialised");
        return NULL;
    }
    if (length && start[length - 1] != '\n') {
        PyErr_SetString(PyExc_ValueError, "the last line has no end");
        return NULL;
    }
    Names names = {.count = NAMES};
    memcpy(names.names, names_of_keys, sizeof names_of_keys);
    Batch batch = {.switched = PyList_New(0)};
    PyObject *pieces = PyList_New(0), *left = PyList_New(0), *counts = PyDict_New(), *result = NULL;
    if (!batch.switched || !pieces || !left || !counts)
        goto end;
    Outline outline;
    for (Place at = (Place)start, end = at + length, next; at < end; at = next) {
        memset(outline.values, 0, sizeof names_of_keys);
        int written = 0;
        if (!(next = read_line(at, end, &names, &outline, 1)))
            next = after_line(at, end);
        else if ((written = write_copies(self, &batch, &outline)) < 0)
            goto end;
        if (!written && (take_output(&batch, pieces) < 0 || append_number(left, at - (Place)start) < 0))
            goto end;
    }
    if (take_output(&batch, pieces) < 0 || take_counts(self, counts) < 0)
        goto end;
    result = Py_BuildValue("OOn(nnnnn)OO", pieces, left, (Py_ssize_t)batch.written, (Py_ssize_t)batch.words,
                           (Py_ssize_t)batch.covered, (Py_ssize_t)batch.replaced, (Py_ssize_t)batch.sentences,
                           (Py_ssize_t)batch.unchanged, counts, batch.switched);
end:
    take_counts(self, NULL);
    free_text(&batch.text);
    PyMem_Free(batch.output.bytes);
    PyMem_Free(batch.content.bytes);
    PyMem_Free(batch.json.bytes);
    Py_XDECREF(batch.switched);
    Py_XDECREF(pieces);
    Py_XDECREF(left);
    Py_XDECREF(counts);
    return result;
}

static int lines_release(LineSwitcher *self) {
    Direction *directions = self->directions;
    size_t count = self->count;
    self->directions = NULL;
    self->count = self->room = 0;
    Py_CLEAR(self->find_direction);
    Py_CLEAR(self->numbers);
    for (size_t i = 0; i < count; i++) {
        Py_XDECREF((PyObject *)directions[i].spaced);
        Py_DECREF(directions[i].switch_text);
        PyMem_Free(directions[i].keys);
    }
    PyMem_Free(directions);
    return 0;
}

static int lines_init(LineSwitcher *self, PyObject *args, PyObject *kwargs) {
    static char *names[] = {"find_direction", "appends", "drops_unchanged", "lowers", NULL};
    PyObject *find_direction;
    int appends, drops_unchanged, lowers;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "O$ppp", names, &find_direction, &appends, &drops_unchanged, &lowers))
        return -1;
    PyObject *numbers = PyDict_New();
    if (!numbers)
        return -1;
    lines_release(self);  /* what an earlier __init__ has set */
    self->find_direction = Py_NewRef(find_direction);
    self->numbers = numbers;
    self->appends = appends;
    self->drops_unchanged = drops_unchanged;
    self->lowers = lowers;
    return 0;
}

static int lines_traverse(LineSwitcher *self, visitproc visit, void *arg) {
    Py_VISIT(Py_TYPE((PyObject *)self));
    Py_VISIT(self->find_direction);
    Py_VISIT(self->numbers);
    for (size_t i = 0; i < self->count; i++) {
        Py_VISIT((PyObject *)self->directions[i].spaced);
        Py_VISIT(self->directions[i].switch_text);
    }
    return 0;
}

static void lines_dealloc(LineSwitcher *self) {
    PyTypeObject *type = Py_TYPE((PyObject *)self);
    PyObject_GC_UnTrack(self);
    lines_release(self);
    ((freefunc)PyType_GetSlot(type, Py_tp_free))(self);
    Py_DECREF(type);
}

static PyType_Slot lines_slots[] = {
    {Py_tp_doc, "Code-switches the texts of lines of records."},
    {Py_tp_new, PyType_GenericNew},
    {Py_tp_init, lines_init},
    {Py_tp_call, lines_call},
    {Py_tp_traverse, lines_traverse},
    {Py_tp_clear, lines_release},
    {Py_tp_dealloc, lines_dealloc},
    {0},
};

static PyType_Spec lines_spec = {
    .name = "llamax_cli.augmentation.spaced.LineSwitcher",
    .basicsize = sizeof(LineSwitcher),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC,
    .slots = lines_slots,
};

/* -- the module --------------------------------------------------------------------------------------------------- */

static PyTypeObject *add_type(PyObject *module, PyType_Spec *spec) {
    PyTypeObject *type = (PyTypeObject *)PyType_FromModuleAndSpec(module, spec, NULL);
    if (type && PyModule_AddType(module, type) < 0)
        Py_CLEAR(type);
    return type;
}

static int execute(PyObject *module) {
    State *state = PyModule_GetState(module);
    state->segmentation = add_type(module, &segmentation_spec);
    state->jieba = state->segmentation ? add_type(module, &jieba_spec) : NULL;
    state->switcher = state->jieba ? add_type(module, &switcher_spec) : NULL;
    state->lines = state->switcher ? add_type(module, &lines_spec) : NULL;
    return state->lines ? 0 : -1;
}

static int module_traverse(PyObject *module, visitproc visit, void *arg) {
    State *state = PyModule_GetState(module);
    Py_VISIT((PyObject *)state->segmentation);
    Py_VISIT((PyObject *)state->jieba);
    Py_VISIT((PyObject *)state->switcher);
    Py_VISIT((PyObject *)state->lines);
    return 0;
}

static int module_clear(PyObject *module) {
    State *state = PyModule_GetState(module);
    Py_CLEAR(state->segmentation);
    Py_CLEAR(state->jieba);
    Py_CLEAR(state->switcher);
    Py_CLEAR(state->lines);
    return 0;
}

static PyModuleDef_Slot module_slots[] = {{Py_mod_exec, execute}, {0}};

static PyModuleDef module = {
    PyModuleDef_HEAD_INIT,
    .m_name = "spaced",
    .m_doc = "Code-switching of texts whose words are separated by white space, and of lines of records, compiled.",
    .m_size = sizeof(State),
    .m_slots = module_slots,
    .m_traverse = module_traverse,
    .m_clear = module_clear,
};

PyMODINIT_FUNC PyInit_spaced(void) { return PyModuleDef_Init(&module); }
