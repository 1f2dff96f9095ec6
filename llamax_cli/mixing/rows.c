/* Rows of samples from plain lines of pairs, and lines in another order; rows.pyi describes the interface.

   It makes the entries and lines that samples.py makes. A line that it is not sure about is left to Python. */

#define PY_SSIZE_T_CLEAN
#define Py_LIMITED_API 0x030B0000
#include "../buffer.h"
#include "../plain_lines.h"
#include "../xxh3.h"

enum { ENTRY = 32, HEXADECIMAL = 16, LONGEST_CODE = 64 };

/* -- pairs -------------------------------------------------------------------------------------------------------- */

enum { SOURCE, TARGET, SOURCE_CODE, TARGET_CODE, ID, ORIGIN, TRANSLATION, TRUNCATED, NAMES };
static const char *const names_of_keys[NAMES] = {"src", "tgt", "src_lang", "tgt_lang", "id", "origin", "mt", "truncated"};

/* What the pairs of a subset have in common: a SampleFormat of subsets.py. */
typedef struct {
    uint64_t seed;
    Span number, flip_bound, tail, flipped_tail;
    int is_sorted, has_prompt;
} Format;

static inline int is(Span value, const char *word) {
    return value.length == (Py_ssize_t)strlen(word) && !memcmp(value.start, word, value.length);
}

/* Return whether a string has no escape but those that it needs, so that it would be written with the same bytes. */
static int is_as_written(Span string) {
    Place at = string.start, end = at + string.length;
    while ((at = memchr(at, '\\', end - at))) {
        if (at[1] == 'u' || at[1] == '/')
            return 0;
        at += 2;
    }
    return 1;
}

/* Return whether a text may begin with white space, in the eyes of str.strip, or with an escape, or has no byte. */
static int may_be_blank(Span string) {
    Place at = string.start + 1;
    switch (*at) {
    case '"': case ' ':
        return 1;
    case '\\':
        return at[1] != '"' && at[1] != '\\';
    case 0xc2:
        return at[1] == 0x85 || at[1] == 0xa0;
    case 0xe1:
        return at[1] == 0x9a && at[2] == 0x80;
    case 0xe2:
        return (at[1] == 0x80 && (at[2] <= 0x8a || (at[2] >= 0xa8 && at[2] <= 0xaf))) || (at[1] == 0x81 && at[2] == 0x9f);
    case 0xe3:
        return at[1] == 0x80 && at[2] == 0x80;
    default:
        return 0;
    }
}

static inline int is_text(Span string) { return is_string(string) && !may_be_blank(string) && is_as_written(string); }

/* A value that says what subset a pair is in; short, without escapes. */
static inline int is_code(Span string) {
    return is_string(string) && string.length <= LONGEST_CODE && !memchr(string.start, '\\', string.length);
}

static int get_bytes(PyObject *tuple, int place, Span *span) {
    char *start;
    PyObject *item = PyTuple_GetItem(tuple, place);
    if (!item || PyBytes_AsStringAndSize(item, &start, &span->length) < 0)
        return -1;
    span->start = (Place)start;
    return 0;
}

/* Read a format from (SampleFormat, seed, number, flip bound, tail, flipped tail, is sorted, has prompt). */
static int read_format(PyObject *given, Format *format) {
    if (!PyTuple_Check(given) || PyTuple_Size(given) != 8) {
        PyErr_SetString(PyExc_TypeError, "a format is a tuple of 8");
        return -1;
    }
    format->seed = PyLong_AsUnsignedLongLong(PyTuple_GetItem(given, 1));
    if (PyErr_Occurred() || get_bytes(given, 2, &format->number) < 0 || get_bytes(given, 3, &format->flip_bound) < 0 ||
        get_bytes(given, 4, &format->tail) < 0 || get_bytes(given, 5, &format->flipped_tail) < 0)
        return -1;
    format->is_sorted = PyObject_IsTrue(PyTuple_GetItem(given, 6));
    format->has_prompt = PyObject_IsTrue(PyTuple_GetItem(given, 7));
    if (format->number.length == 8 && format->is_sorted >= 0 && format->has_prompt >= 0)
        return 0;
    if (!PyErr_Occurred())
        PyErr_SetString(PyExc_ValueError, "the number of a subset has 8 bytes");
    return -1;
}

/* What is known of the pairs while a chunk is read. The last format is kept, as many lines need the same. */
typedef struct {
    PyObject *formats, *used;
    Span codes[3];
    Format format;
    Buffer entries, lines, content;
} Chunk;

/* Find the format of a pair: 1 if there is one, 0 if Python has to make it, -1 for an error. */
static int find_format(Chunk *chunk, Span origin, Span source, Span target) {
    Span codes[3] = {origin, source, target};
    Span *known = chunk->codes;
    if (known[1].start && equal(known[0], origin) && equal(known[1], source) && equal(known[2], target))
        return 1;
    char name[3 * LONGEST_CODE];
    unsigned char *at = put((unsigned char *)name, origin);
    *at++ = '\t';
    at = put(at, source);
    *at++ = '\t';
    at = put(at, target);
    PyObject *key = PyBytes_FromStringAndSize(name, at - (unsigned char *)name);
    PyObject *given = key ? PyDict_GetItemWithError(chunk->formats, key) : NULL; /* borrowed: the dictionary keeps it */
    Py_XDECREF(key);
    if (!given)
        return PyErr_Occurred() ? -1 : 0;
    known[1].start = NULL;
    if (read_format(given, &chunk->format) < 0 || PySet_Add(chunk->used, PyTuple_GetItem(given, 0)) < 0)
        return -1;
    memcpy(known, codes, sizeof(codes));
    return 1;
}

/* Return whether a digest, read as 8 bytes, is less than the bound of a format. */
static inline int is_below(const unsigned char *digest, Span bound) {
    int order = memcmp(digest, bound.start, bound.length < 8 ? bound.length : 8);
    return order < 0 || (!order && bound.length > 8);
}

/* Return the id as a JSON string of at most `id.length + HEXADECIMAL + 2` bytes, written to `at` if it is not one. */
static Span id_string(Span id, const Buffer *content, unsigned char *at) {
    static const char digits[] = "0123456789abcdef";
    if (is_string(id))
        return id;
    Span string = {at, 0};
    *at++ = '"';
    if (id.length && *id.start != 'n') {
        at = put(at, id);
    } else {
        uint64_t hash = xxh3_64(content->bytes, content->length, 0);
        for (int shift = 60; shift >= 0; shift -= 4)
            *at++ = digits[hash >> shift & 15];
    }
    *at++ = '"';
    string.length = at - string.start;
    return string;
}

/* Add the row of a pair: 1 if it is added, 0 if it is left to Python, -1 for an error. */
static int add_pair(Chunk *chunk, const Outline *outline, int is_translation) {
    const Span *values = outline->values;
    Span source = values[SOURCE], target = values[TARGET], id = values[ID], origin = values[ORIGIN];
    if (is_translation && !target.start)
        target = values[TRANSLATION];
    if (!is_text(source) || !is_text(target) || !is_code(values[SOURCE_CODE]) || !is_code(values[TARGET_CODE]) ||
        (origin.start && !is_code(origin)) || (id.start && (*id.start == 't' || *id.start == 'f')) ||
        (is_translation && values[TRUNCATED].start && !is(values[TRUNCATED], "false")))
        return 0;
    if (origin.start)
        origin = content_of(origin);
    else
        origin.start = (Place)"";
    int found = find_format(chunk, origin, content_of(values[SOURCE_CODE]), content_of(values[TARGET_CODE]));
    if (found <= 0)
        return found;

    const Format *format = &chunk->format;
    Span first = format->is_sorted ? source : target, second = format->is_sorted ? target : source;
    chunk->content.length = 0;
    size_t both = first.length + second.length + 1;
    unsigned char *at = make_room(&chunk->content, both + id.length + HEXADECIMAL + 2);
    if (!at)
        return -1;
    at = put(at, first);
    *at++ = '\n';
    at = put(at, second);
    chunk->content.length = both;
    id = id_string(id, &chunk->content, at);

    if (!(at = make_room(&chunk->entries, ENTRY)))
        return -1;
    Hash hash = xxh3_128(chunk->content.bytes, both, format->seed);
    write_64(at, hash.high);
    write_64(at + 8, hash.low);
    put(at + 16, format->number);
    write_64(at + 24, xxh3_64(id.start, id.length, 0));
    int is_flipped = !format->has_prompt && is_below(at + 8, format->flip_bound);
    chunk->entries.length += ENTRY;

    Span tail = is_flipped ? format->flipped_tail : format->tail;
    unsigned char *line = make_room(&chunk->lines, both + id.length + tail.length + 64);
    if (!line)
        return -1;
    at = line;
    if (format->has_prompt) {
        at = PUT(at, "{\"prompt\":");
        at = put(at, source);
        at = PUT(at, ",\"completion\":\" ");
        at = put(at, content_of(target));
    } else {
        at = PUT(at, "{\"prompt\":\"\",\"completion\":\"");
        at = put(at, content_of(is_flipped ? target : source));
        *at++ = '\t';
        at = put(at, content_of(is_flipped ? source : target));
    }
    at = PUT(at, "\",\"id\":");
    at = put(at, id);
    at = put(at, tail);
    *at++ = '\n';
    chunk->lines.length += at - line;
    return 1;
}

static PyObject *pair_rows(PyObject *module, PyObject *arguments) {
    PyObject *data, *formats, *result = NULL;
    char *start;
    Py_ssize_t length;
    int is_translation;
    if (!PyArg_ParseTuple(arguments, "O!O!p", &PyBytes_Type, &data, &PyDict_Type, &formats, &is_translation) ||
        PyBytes_AsStringAndSize(data, &start, &length) < 0)
        return NULL;
    if (length && start[length - 1] != '\n') {
        PyErr_SetString(PyExc_ValueError, "the last line has no end");
        return NULL;
    }
    Names names = {.count = is_translation ? NAMES : TRANSLATION};
    for (int i = 0; i < names.count; i++)
        names.names[i] = (Span){(Place)names_of_keys[i], strlen(names_of_keys[i])};
    Chunk chunk = {.formats = formats, .used = PySet_New(NULL)};
    PyObject *left = PyList_New(0);
    if (!chunk.used || !left)
        goto done;
    Outline outline;
    for (Place at = (Place)start, end = at + length, next; at < end; at = next) {
        memset(&outline, 0, sizeof(Span) * names.count);
        int added = 0;
        if (!(next = read_line(at, end, &names, &outline, 1)))
            next = after_line(at, end);
        else if ((added = add_pair(&chunk, &outline, is_translation)) < 0)
            goto done;
        if (!added && append_number(left, at - (Place)start) < 0)
            goto done;
    }
    result = Py_BuildValue(
        "(y#y#OO)", chunk.entries.bytes ? (char *)chunk.entries.bytes : "", (Py_ssize_t)chunk.entries.length,
        chunk.lines.bytes ? (char *)chunk.lines.bytes : "", (Py_ssize_t)(chunk.lines.length ? chunk.lines.length - 1 : 0),
        chunk.used, left);
done:
    PyMem_Free(chunk.entries.bytes);
    PyMem_Free(chunk.lines.bytes);
    PyMem_Free(chunk.content.bytes);
    Py_XDECREF(chunk.used);
    Py_XDECREF(left);
    return result;
}

/* -- lines in another order --------------------------------------------------------------------------------------- */

typedef struct {
    const int64_t *items;
    Py_ssize_t count;
} Numbers;

static Numbers numbers_of(const Py_buffer *buffer) {
    return (Numbers){buffer->buf, buffer->len / (Py_ssize_t)sizeof(int64_t)};
}

/* Return the lines of some texts, which are at least as many as the texts; NULL, with an error, if that fails. */
static Span *lines_of(PyObject *texts, Py_ssize_t *count) {
    Span *lines = NULL;
    Py_ssize_t room = 0;
    *count = 0;
    for (Py_ssize_t i = 0; i < PyList_Size(texts); i++) {
        char *start;
        Py_ssize_t length;
        if (PyBytes_AsStringAndSize(PyList_GetItem(texts, i), &start, &length) < 0)
            goto failed;
        for (Place at = (Place)start, end = at + length, next = at; next; at = next + 1) {
            if (*count == room) {
                Span *more = PyMem_Realloc(lines, (room = 2 * room + 1024) * sizeof(Span));
                if (!more) {
                    PyErr_NoMemory();
                    goto failed;
                }
                lines = more;
            }
            next = memchr(at, '\n', end - at);
            lines[(*count)++] = (Span){at, (next ? next : end) - at};
        }
    }
    if (lines)
        return lines;
    PyErr_SetString(PyExc_ValueError, "no texts");
failed:
    PyMem_Free(lines);
    return NULL;
}

/* Return some lines, joined. */
static PyObject *joined_lines(const Span *lines, Numbers rows) {
    Py_ssize_t length = 0;
    for (Py_ssize_t i = 0; i < rows.count; i++)
        length += lines[rows.items[i]].length + 1;
    PyObject *joined = PyBytes_FromStringAndSize(NULL, length ? length - 1 : 0);
    if (!joined)
        return NULL;
    unsigned char *at = (unsigned char *)PyBytes_AsString(joined);
    for (Py_ssize_t i = 0; i < rows.count; i++) {
        if (i)
            *at++ = '\n';
        at = put(at, lines[rows.items[i]]);
    }
    return joined;
}

static PyObject *arranged(PyObject *texts, Numbers rows, Numbers bounds) {
    Py_ssize_t count;
    Span *lines = lines_of(texts, &count);
    if (!lines)
        return NULL;
    PyObject *pieces = PyList_New(0);
    for (Py_ssize_t i = 0; pieces && i < rows.count; i++)
        if (rows.items[i] < 0 || rows.items[i] >= count) {
            PyErr_SetString(PyExc_IndexError, "there is no such line");
            Py_CLEAR(pieces);
        }
    for (Py_ssize_t i = 0; pieces && i + 1 < bounds.count; i++) {
        int64_t from = bounds.items[i], to = bounds.items[i + 1];
        PyObject *piece = NULL;
        if (from < 0 || from > to || to > rows.count)
            PyErr_SetString(PyExc_IndexError, "the bounds are not in order, or beyond the rows");
        else
            piece = joined_lines(lines, (Numbers){rows.items + from, to - from});
        if (!piece || PyList_Append(pieces, piece) < 0)
            Py_CLEAR(pieces);
        Py_XDECREF(piece);
    }
    PyMem_Free(lines);
    return pieces;
}

static PyObject *arrange_lines(PyObject *module, PyObject *arguments) {
    PyObject *texts, *rows, *bounds, *pieces = NULL;
    Py_buffer row_buffer, bound_buffer;
    if (!PyArg_ParseTuple(arguments, "O!OO", &PyList_Type, &texts, &rows, &bounds) ||
        PyObject_GetBuffer(rows, &row_buffer, PyBUF_SIMPLE) < 0)
        return NULL;
    if (!PyObject_GetBuffer(bounds, &bound_buffer, PyBUF_SIMPLE)) {
        pieces = arranged(texts, numbers_of(&row_buffer), numbers_of(&bound_buffer));
        PyBuffer_Release(&bound_buffer);
    }
    PyBuffer_Release(&row_buffer);
    return pieces;
}

/* -- the module --------------------------------------------------------------------------------------------------- */

static PyMethodDef methods[] = {
    {"pair_rows", pair_rows, METH_VARARGS, "Return entries, lines, formats used, and where lines left to Python begin."},
    {"arrange_lines", arrange_lines, METH_VARARGS, "Return pieces of some lines in a given order."},
    {0},
};

static PyModuleDef_Slot slots[] = {{0}};

static PyModuleDef module = {
    PyModuleDef_HEAD_INIT,
    .m_name = "rows",
    .m_doc = "Rows of samples from plain lines of pairs, and lines in another order.",
    .m_methods = methods,
    .m_slots = slots,
};

PyMODINIT_FUNC PyInit_rows(void) { return PyModuleDef_Init(&module); }
