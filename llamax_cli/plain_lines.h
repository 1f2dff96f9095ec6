/* Plain lines of records: which they are, and where the values of some of their keys stand.

   A plain line is an object as this project writes it: no white space outside strings, no key twice, no escape in a
   key, no value that is an array or an object, at most MOST_KEYS keys, UTF-8 throughout. What is not plain may still be
   a record; Python decides that. So it is enough that whatever is accepted here is a record. Where it does not matter
   how a record is written, spaces outside strings are accepted too, as most other programs write them.

   All data ends with "\n", which ends every string, number and sequence of bytes below; so nothing is read beyond it
   and few places ask for the end. */

#include <Python.h>
#include <stdint.h>
#include <string.h>

enum { MOST_KEYS = 48, MOST_NAMES = 16 };

typedef const unsigned char *Place;

typedef struct {
    Place start;
    Py_ssize_t length;
} Span;

static inline int is_string(Span value) { return value.length && *value.start == '"'; }

/* Return a string without its quotes. */
static inline Span content_of(Span string) { return (Span){string.start + 1, string.length - 2}; }

static inline unsigned char *put(unsigned char *at, Span span) {
    memcpy(at, span.start, span.length);
    return at + span.length;
}

static inline int equal(Span one, Span other) {
    return one.length == other.length && !memcmp(one.start, other.start, one.length);
}

/* Return whether the next eight bytes are ASCII that stands for itself in a string. */
static inline int eight_are_plain(Place at) {
    const uint64_t each = 0x0101010101010101u;
    uint64_t bytes;
    memcpy(&bytes, at, 8);
    return !((bytes | (bytes - each * ' ') | ((bytes ^ each * '"') - each) | ((bytes ^ each * '\\') - each)) & each << 7);
}

static inline int continues(unsigned char byte) { return (byte & 0xc0) == 0x80; }

/* Return the end of a character that is not ASCII, or NULL where it is not UTF-8 (table 3-7 of the Unicode standard). */
static inline Place after_character(Place at) {
    unsigned char lead = at[0], second;
    if (lead < 0xc2 || lead > 0xf4 || !continues(second = at[1]))
        return NULL;
    if (lead < 0xe0)
        return at + 2;
    if (!continues(at[2]) || (lead == 0xe0 && second < 0xa0) || (lead == 0xed && second > 0x9f))
        return NULL;
    if (lead < 0xf0)
        return at + 3;
    if (!continues(at[3]) || (lead == 0xf0 && second < 0x90) || (lead == 0xf4 && second > 0x8f))
        return NULL;
    return at + 4;
}

static inline int is_hexadecimal(unsigned char byte) {
    return (byte >= '0' && byte <= '9') || ((byte | 0x20) >= 'a' && (byte | 0x20) <= 'f');
}

/* Return the end of an escape, or NULL where it is none, or half of a surrogate pair. */
static Place after_escape(Place at) {
    switch (at[1]) {
    case '"': case '\\': case '/': case 'b': case 'f': case 'n': case 'r': case 't':
        return at + 2;
    case 'u':
        for (int i = 2; i < 6; i++)
            if (!is_hexadecimal(at[i]))
                return NULL;
        return (at[2] | 0x20) == 'd' && (at[3] >= '8') ? NULL : at + 6;
    default:
        return NULL;
    }
}

/* Return the quote that ends a string, or NULL; `at` is behind the first quote. `*escapes` is set if it has any. */
static Place string_end(Place at, Place end, int *escapes) {
    for (;;) {
        if (*at >= 0x80) {
            if (!(at = after_character(at)))
                return NULL;
        } else if (*at == '"') {
            return at;
        } else if (*at == '\\') {
            *escapes = 1;
            if (!(at = after_escape(at)))
                return NULL;
        } else if (*at < ' ') {
            return NULL;
        } else {
            at++;
            while (end - at >= 8 && eight_are_plain(at))
                at += 8;
        }
    }
}

static inline int is_digit(unsigned char byte) { return byte >= '0' && byte <= '9'; }

static Place after_digits(Place at) {
    if (!is_digit(*at))
        return NULL;
    while (is_digit(*at))
        at++;
    return at;
}

/* Return the end of a number, or NULL. */
static Place after_number(Place at) {
    if (*at == '-')
        at++;
    at = *at == '0' ? at + 1 : after_digits(at);
    if (at && *at == '.')
        at = after_digits(at + 1);
    if (at && (*at | 0x20) == 'e') {
        at++;
        at = after_digits(*at == '+' || *at == '-' ? at + 1 : at);
    }
    return at;
}

static Place after_word(Place at, Place end, const char *word) {
    Py_ssize_t length = strlen(word);
    return end - at >= length && !memcmp(at, word, length) ? at + length : NULL;
}

/* Return the end of a value that is no array and no object, or NULL. */
static Place after_value(Place at, Place end) {
    int escapes = 0;
    switch (*at) {
    case '"':
        at = string_end(at + 1, end, &escapes);
        return at ? at + 1 : NULL;
    case 't':
        return after_word(at, end, "true");
    case 'f':
        return after_word(at, end, "false");
    case 'n':
        return after_word(at, end, "null");
    default:
        return after_number(at);
    }
}

/* What matters in a line: for each name the value of that key, or only its first byte; {0} where the key is absent. And
   all of its keys, without quotes, and values, in order. */
typedef struct {
    Span values[MOST_NAMES];
    Span all_keys[MOST_KEYS], all_values[MOST_KEYS];
    int count;
} Outline;

typedef struct {
    Span names[MOST_NAMES];
    int count, kinds; /* the first `kinds` of `count` names are those of which the first byte matters */
} Names;

static inline Place after_spaces(Place at, int are_accepted) {
    while (are_accepted && *at == ' ')
        at++;
    return at;
}

/* Read a line into an outline whose values are zeros; return the start of the next line, or NULL if the line is not
   plain. Spaces outside strings are accepted if `is_spaced`. */
static inline Place read_line(Place at, Place end, const Names *names, Outline *outline, int is_spaced) {
    Span *keys = outline->all_keys;
    outline->count = 0;
    at = after_spaces(at, is_spaced);
    if (*at++ != '{')
        return NULL;
    at = after_spaces(at, is_spaced);
    if (*at == '}') {
        at = after_spaces(at + 1, is_spaced);
        return *at == '\n' ? at + 1 : NULL;
    }
    for (;; at = after_spaces(at + 1, is_spaced)) {
        int escapes = 0;
        if (*at != '"' || outline->count == MOST_KEYS)
            return NULL;
        Place start = at + 1;
        at = string_end(start, end, &escapes);
        if (!at || escapes)
            return NULL;
        Span key = {start, at - start};
        for (int i = 0; i < outline->count; i++)
            if (equal(keys[i], key))
                return NULL;
        at = after_spaces(at + 1, is_spaced);
        if (*at != ':')
            return NULL;
        Span value = {after_spaces(at + 1, is_spaced), 0};
        if (!(at = after_value(value.start, end)))
            return NULL;
        value.length = at - value.start;
        outline->all_values[outline->count] = value;
        keys[outline->count++] = key;
        for (int i = 0; i < names->count; i++)
            if (equal(names->names[i], key)) {
                if (i < names->kinds)
                    value.length = 1;
                outline->values[i] = value;
            }
        at = after_spaces(at, is_spaced);
        if (*at == '}') {
            at = after_spaces(at + 1, is_spaced);
            return *at == '\n' ? at + 1 : NULL;
        }
        if (*at != ',')
            return NULL;
    }
}

/* Return the start of the next line, which need not be plain. */
static inline Place after_line(Place at, Place end) { return (Place)memchr(at, '\n', end - at) + 1; }

/* Append a number to a list of Python; -1 with an exception set. */
static inline int append_number(PyObject *list, Py_ssize_t number) {
    PyObject *object = PyLong_FromSsize_t(number);
    int failed = !object || PyList_Append(list, object) < 0;
    Py_XDECREF(object);
    return failed ? -1 : 0;
}
