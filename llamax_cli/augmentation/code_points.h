/* Code points of valid UTF-8. */

#ifndef CODE_POINTS_H
#define CODE_POINTS_H

#include <stddef.h>
#include <stdint.h>

enum { CODE_POINTS = 0x110000, CODE_BITS = 21 };

/* Read one code point and return its end. */
static inline const char *read_code(const char *text, uint32_t *code) {
    const unsigned char *at = (const unsigned char *)text;
    int size = *at < 0x80 ? 1 : *at < 0xe0 ? 2 : *at < 0xf0 ? 3 : 4;
    *code = size == 1 ? *at : *at & (0x7f >> size);
    for (int place = 1; place < size; place++)
        *code = *code << 6 | (at[place] & 0x3f);
    return text + size;
}

static size_t count_codes(const char *text, size_t length) {
    size_t count = 0;
    for (size_t i = 0; i < length; i++)
        count += ((unsigned char)text[i] & 0xc0) != 0x80;
    return count;
}

/* Read all code points, and where they begin; the last offset is the length. */
static void decode(const char *text, size_t length, uint32_t *codes, uint32_t *offsets) {
    const char *at = text, *end = text + length;
    for (; at < end; codes++) {
        *offsets++ = at - text;
        at = read_code(at, codes);
    }
    *offsets = length;
}

#endif
