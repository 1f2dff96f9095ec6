/* Plain lines of records: which they are, and where the values of some of their keys stand.

   A plain line is an object as this project writes it: no white space outside strings, no key twice, no escape in a
   key, no value that is an array or an object, at most MOST_KEYS keys, UTF-8 throughout. What is not plain may still be
   a record; Python decides that. So it is enough that whatever is accepted here is a record.

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

/* What matters in a line: for each name the value of that key, or only its first byte; {0} where the key is absent. */
typedef struct {
    Span values[MOST_NAMES];
} Outline;

typedef struct {
    Span names[MOST_NAMES];
    int count, kinds; /* the first `kinds` of `count` names are those of which the first byte matters */
} Names;

/* Read a line into an outline of zeros; return the start of the next line, or NULL if the line is not plain. */
static Place read_line(Place at, Place end, const Names *names, Outline *outline) {
    Span keys[MOST_KEYS];
    int count = 0;
    if (*at++ != '{')
        return NULL;
    if (*at == '}')
        return at[1] == '\n' ? at + 2 : NULL;
    for (;; at++) {
        int escapes = 0;
        if (*at != '"' || count == MOST_KEYS)
            return NULL;
        Place start = at + 1;
        at = string_end(start, end, &escapes);
        if (!at || escapes || at[1] != ':')
            return NULL;
        Span key = {start, at - start}, value = {at + 2, 0};
        for (int i = 0; i < count; i++)
            if (equal(keys[i], key))
                return NULL;
        keys[count++] = key;
        if (!(at = after_value(value.start, end)))
            return NULL;
        value.length = at - value.start;
        for (int i = 0; i < names->count; i++)
            if (equal(names->names[i], key)) {
                if (i < names->kinds)
                    value.length = 1;
                outline->values[i] = value;
            }
        if (*at == '}')
            return at[1] == '\n' ? at + 2 : NULL;
        if (*at != ',')
            return NULL;
    }
}
