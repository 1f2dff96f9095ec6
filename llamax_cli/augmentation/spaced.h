/* Code-switching of a text: splitting it at white space, or with a segmenter, and replacing words.

   An entry is one block of memory, so that a word costs one or two cache misses instead of a dozen:

       struct Entry | the word as written in a text | numbers of the languages | translations NUL translations NUL ...

   A phrase is stored like a word, from the first byte of its first word to the last byte of its last word, with one
   space between its words, or none where a segmenter split the text. All text is UTF-8. Python decides, once for each
   word, whether it has a letter; this file does not know what a letter is. */

#include <Python.h>
#include <stdint.h>
#include <string.h>

#include "../xxh3.h"
#include "jieba.h"
#include "segmentation.h"

/* lexicon/store/layout.py has the same separators. */
enum { FIELD_SEPARATOR = 0, ITEM_SEPARATOR = 1, LIST_SEPARATOR = ',' };

/* capitals.Capitals */
enum { CAPITALS_NONE = 0, CAPITALS_FIRST = 1, CAPITALS_ALL = 2, CAPITALS_ANYWHERE = 3 };

/* code_switching.py has the same constants, and explains which random bits make which choice. */
#define ROUNDING_SHIFT 32
#define ROUNDING_RANGE 4294967296.0
#define LANGUAGE_SHIFT 20
#define SYNONYM_SHIFT 40
#define LONG_TEXT 10000  /* words; a longer text is left to Python */

enum { SHORT_TEXT = 96 };           /* words for which there is room at first */
enum { MANY_LANGUAGES = INT32_MAX / 4 };  /* far more than there are codes of languages */

typedef struct {
    uint32_t length;            /* bytes of the word with its punctuation */
    uint32_t prefix, suffix;    /* bytes of punctuation before and after the word */
    uint32_t translations_size; /* bytes */
    uint32_t choices;           /* languages; 0 where no lexicon has the word */
    uint8_t capitals;           /* one of CAPITALS_... */
    uint8_t has_letter;
    uint8_t continues;          /* whether phrases begin with the word, in a text that a segmenter split */
    union {
        PyObject *second_words; /* of phrases that begin with the word: a set, True (any word) or NULL (none) */
        uint64_t next_characters; /* instead, where it continues: bits of the characters that may follow */
    };
    PyObject *forms;            /* tuple of texts to find among second words, or NULL: the word as it is written */
} Entry;

typedef struct {
    uint64_t hash;
    Entry *entry;
} Slot;

/* What splits texts without spaces: a Segmentation, a JiebaSegmenter, or a function that returns a list of words. */
enum { LEXICON_SEGMENTER, JIEBA_SEGMENTER, PYTHON_SEGMENTER };

/* What is known of a character. */
enum { NOT_ASKED, NO_WORD_CHARACTER, WORD_CHARACTER };

/* A word of a text, and what is written in its place; the gap before it is what stands between it and the last one. */
typedef struct {
    const char *start;
    size_t length;              /* bytes */
    uint64_t hash;
    const char *replacement;    /* of the word or phrase without its punctuation; NULL if it is not replaced */
    size_t replacement_length;
    Entry *entry;               /* of the word, or of the longest phrase that begins with it */
    uint32_t words;             /* in the phrase that begins here, else 1 */
    uint8_t is_capitalized;     /* whether the first letter of the replacement, an ASCII letter, is capitalized */
    uint8_t is_spaced;          /* whether the replacement is of a language with spaces between words */
    uint8_t has_space;          /* whether a space is written before the word that is not in the text */
} Word;

typedef struct {
    PyObject_HEAD
    PyObject *pack, *apply_capitals, *opens_sentence;
    PyObject *charge;           /* NULL: all words are packed by Python */
    PyObject *segmenter;        /* NULL: words are separated by white space */
    int segmenter_kind;
    PyObject *is_spaced, *is_word_character; /* of a language, and of a character; asked only with a segmenter */
    uint8_t *characters;        /* what is known of each */
    double rate;
    Slot *slots;                /* hash table of the entries, with linear probing */
    size_t capacity, used;
    uint64_t generation;        /* number of times that all entries were freed */
    PyObject **codes;           /* of the languages, by their numbers */
    uint32_t *numbers;          /* hash table of 1 + the number of a language, with linear probing */
    uint64_t *counts;           /* of replacements by words of each language, for who counts them */
    uint8_t *spaced;            /* whether each language has spaces */
    size_t languages, language_capacity; /* of the arrays above; `numbers` is twice as large */
} SpacedSwitcher;

/* A text and what was chosen in it; zeros at first, and `free_text` after the last text. */
typedef struct {
    Word *words;
    uint32_t *places;           /* of the words that may still be replaced */
    uint32_t *languages;        /* numbers of those of the replacements, in the order in which they were drawn */
    size_t room, count;         /* of words */
    size_t with_letter, covered, replaced, replacements;
    PyObject *held;             /* list of strings that Python returned and replacements point into, or NULL */
} Text;

/* -- fields of texts ----------------------------------------------------------------------------------------------- */

/* Return field `number`, from 0, of a text of `*length` bytes, and set `*length` to the length of the field. */
static const char *field(const char *text, size_t *length, char separator, size_t number) {
    const char *end = text + *length, *cut = memchr(text, separator, *length);
    while (number-- && cut) {
        text = cut + 1;
        cut = memchr(text, separator, end - text);
    }
    *length = (cut ? cut : end) - text;
    return text;
}

static size_t count_fields(const char *text, size_t length, char separator) {
    size_t count = 1;
    for (size_t i = 0; i < length; i++)
        count += text[i] == separator;
    return count;
}

/* Return how many bytes a character of white space has, or 0 for any other character: what `\s` is for Python. */
static inline size_t space_size(const unsigned char *at) {
    if (*at > ' ' && *at < 0xc2)
        return 0;
    switch (*at) {
    case '\t': case '\n': case '\v': case '\f': case '\r': case 0x1c: case 0x1d: case 0x1e: case 0x1f: case ' ':
        return 1;
    case 0xc2:
        return at[1] == 0x85 || at[1] == 0xa0 ? 2 : 0;
    case 0xe1:
        return at[1] == 0x9a && at[2] == 0x80 ? 3 : 0;
    case 0xe2:
        return (at[1] == 0x80 && (at[2] <= 0x8a || at[2] == 0xa8 || at[2] == 0xa9 || at[2] == 0xaf)) ||
               (at[1] == 0x81 && at[2] == 0x9f) ? 3 : 0;
    case 0xe3:
        return at[1] == 0x80 && at[2] == 0x80 ? 3 : 0;
    default:
        return 0;
    }
}

/* Split a text at runs of white space, as words.split_words does; return the number of words, or `limit` + 1 if there
   are more. A text that begins or ends with white space begins or ends with an empty word. */
static size_t split_words(const char *text, size_t length, Word *words, size_t limit) {
    const unsigned char *at = (const unsigned char *)text, *end = at + length, *start = at;
    size_t count = 0, size;
    for (;;) {
        while (at < end && !space_size(at))
            at++;
        if (count == limit)
            return limit + 1;
        words[count++] = (Word){.start = (const char *)start, .length = at - start};
        if (at == end)
            return count;
        while (at < end && (size = space_size(at)))
            at += size;
        start = at;
    }
}

/* Return the start of the gap before a word. */
static const char *gap_before(const Word *word) { return word[-1].start + word[-1].length; }

/* -- entries of the words seen so far ------------------------------------------------------------------------------ */

/* The word comes first: it shares a cache line with the entry, and both are read of every word of a text. */
static char *word_of(const Entry *entry) { return (char *)(entry + 1); }
static size_t aligned(size_t length) { return (length + sizeof(uint32_t) - 1) & ~(sizeof(uint32_t) - 1); }
static uint32_t *languages_of(const Entry *entry) { return (uint32_t *)(word_of(entry) + aligned(entry->length)); }
static char *translations_of(const Entry *entry) { return (char *)(languages_of(entry) + entry->choices); }

static uint64_t hash_of(const char *text, size_t length) {
    uint64_t hash = 0xcbf29ce484222325u ^ length, part = 0;
    for (; length > 8; text += 8, length -= 8) {
        memcpy(&part, text, 8);
        hash = (hash ^ part) * 0x9e3779b97f4a7c15u;
        hash ^= hash >> 32;
    }
    part = 0;
    for (size_t i = 0; i < length; i++)
        part = part << 8 | (unsigned char)text[i];
    hash = (hash ^ part) * 0x9e3779b97f4a7c15u;
    return hash ^ hash >> 32;
}

static Slot *find_slot(SpacedSwitcher *self, uint64_t hash, const char *text, size_t length) {
    for (size_t at = hash & (self->capacity - 1);; at = (at + 1) & (self->capacity - 1)) {
        Slot *slot = self->slots + at;
        if (!slot->entry || (slot->hash == hash && slot->entry->length == length &&
                             !memcmp(word_of(slot->entry), text, length)))
            return slot;
    }
}

static int grow(SpacedSwitcher *self) {
    size_t capacity = self->capacity ? self->capacity * 2 : 1024;
    Slot *old = self->slots, *slots = PyMem_Calloc(capacity, sizeof(Slot));
    if (!slots) {
        PyErr_NoMemory();
        return -1;
    }
    for (size_t i = 0; i < self->capacity; i++)
        if (old[i].entry) {
            size_t at = old[i].hash & (capacity - 1);
            while (slots[at].entry)
                at = (at + 1) & (capacity - 1);
            slots[at] = old[i];
        }
    PyMem_Free(old);
    self->slots = slots;
    self->capacity = capacity;
    return 0;
}

static void free_entry(Entry *entry) {
    if (!entry->continues)
        Py_XDECREF(entry->second_words);
    Py_XDECREF(entry->forms);
    PyMem_Free(entry);
}

static void free_entries(SpacedSwitcher *self) {
    Slot *slots = self->slots;
    size_t capacity = self->capacity;
    self->slots = NULL;
    self->capacity = self->used = 0;
    self->generation++;
    for (size_t i = 0; i < capacity; i++)
        if (slots[i].entry)
            free_entry(slots[i].entry);
    PyMem_Free(slots);
}

/* Return the place of a language in `numbers`: where it is, or where it belongs. */
static uint32_t *find_number(const SpacedSwitcher *self, const char *code, size_t length) {
    size_t mask = 2 * self->language_capacity - 1;
    for (size_t at = hash_of(code, length) & mask;; at = (at + 1) & mask) {
        if (!self->numbers[at])
            return self->numbers + at;
        Py_ssize_t size;
        const char *known = PyUnicode_AsUTF8AndSize(self->codes[self->numbers[at] - 1], &size);
        if (!known)
            PyErr_Clear();  /* cannot happen: it is the text of UTF-8 */
        else if ((size_t)size == length && !memcmp(known, code, length))
            return self->numbers + at;
    }
}

/* Make room for twice as many languages; -1 with an exception set. */
static int grow_languages(SpacedSwitcher *self) {
    size_t capacity = self->language_capacity ? self->language_capacity * 2 : 64;
    PyObject **codes = PyMem_Realloc(self->codes, capacity * sizeof *codes);
    if (codes)
        self->codes = codes;
    uint64_t *counts = PyMem_Realloc(self->counts, capacity * sizeof *counts);
    if (counts)
        self->counts = counts;
    uint8_t *spaced = PyMem_Realloc(self->spaced, capacity);
    if (spaced)
        self->spaced = spaced;
    uint32_t *numbers = NULL;
    if (codes && counts && spaced && capacity <= MANY_LANGUAGES)
        numbers = PyMem_Calloc(2 * capacity, sizeof *numbers);
    if (!numbers) {
        PyErr_NoMemory();
        return -1;
    }
    PyMem_Free(self->numbers);
    self->numbers = numbers;
    self->language_capacity = capacity;
    for (size_t i = 0; i < self->languages; i++) {
        Py_ssize_t size;
        const char *code = PyUnicode_AsUTF8AndSize(codes[i], &size);
        if (!code)
            return -1;
        *find_number(self, code, size) = i + 1;
    }
    return 0;
}

/* Return the number of a language, or -1 with an exception set. */
static int32_t language_number(SpacedSwitcher *self, const char *code, size_t length) {
    if (self->languages == self->language_capacity && grow_languages(self) < 0)
        return -1;
    uint32_t *number = find_number(self, code, length);
    if (!*number) {
        PyObject *text = PyUnicode_FromStringAndSize(code, length);
        if (!text)
            return -1;
        int is_spaced = 1;
        if (self->segmenter) {
            PyObject *answer = PyObject_CallFunctionObjArgs(self->is_spaced, text, NULL);
            is_spaced = answer ? PyObject_IsTrue(answer) : -1;
            Py_XDECREF(answer);
            if (is_spaced < 0) {
                Py_DECREF(text);
                return -1;
            }
        }
        self->spaced[self->languages] = is_spaced;
        self->counts[self->languages] = 0;
        self->codes[self->languages++] = text;
        *number = self->languages;
    }
    return *number - 1;
}

/* Return a new entry for a word; `packed` is the result of `pack`, a vocabulary.PackedWord or None. */
static Entry *new_entry(SpacedSwitcher *self, const char *text, size_t length, PyObject *packed) {
    const char *value = "";
    Py_ssize_t size = 0;
    unsigned int prefix_size = 0, suffix_size = 0;
    unsigned char capitals = 0;
    PyObject *second_words = Py_None, *forms = Py_None;
    if (packed != Py_None && !PyTuple_Check(packed)) {
        PyErr_SetString(PyExc_TypeError, "not a packed word");
        return NULL;
    }
    if (packed != Py_None && !PyArg_ParseTuple(packed, "y#IIbOO", &value, &size, &prefix_size, &suffix_size, &capitals,
                                               &second_words, &forms))
        return NULL;
    if (forms != Py_None && !PyTuple_Check(forms)) {
        PyErr_SetString(PyExc_TypeError, "not a packed word");
        return NULL;
    }
    size_t translations_size = size, choices = 0;
    while (translations_size && value[translations_size - 1] != FIELD_SEPARATOR)
        translations_size--;
    for (size_t i = 0; i < translations_size; i++)
        choices += value[i] == FIELD_SEPARATOR;
    const char *codes = value + translations_size;
    size_t codes_size = size - translations_size;
    if ((size_t)prefix_size + suffix_size > length || size > UINT32_MAX || length > UINT32_MAX ||
        (translations_size && choices != count_fields(codes, codes_size, LIST_SEPARATOR))) {
        PyErr_SetString(PyExc_ValueError, "not a packed word");
        return NULL;
    }
    Entry *entry = PyMem_Malloc(sizeof(Entry) + aligned(length) + choices * sizeof(uint32_t) + translations_size);
    if (!entry) {
        PyErr_NoMemory();
        return NULL;
    }
    *entry = (Entry){.length = length, .prefix = prefix_size, .suffix = suffix_size,
                     .translations_size = translations_size, .choices = choices, .capitals = capitals,
                     .has_letter = packed != Py_None};
    memcpy(word_of(entry), text, length);
    memcpy(translations_of(entry), value, translations_size);
    for (size_t i = 0; i < choices; i++) {
        size_t code_length = codes_size;
        field(codes, &code_length, LIST_SEPARATOR, 0);
        int32_t number = language_number(self, codes, code_length);
        if (number < 0) {
            free_entry(entry);
            return NULL;
        }
        languages_of(entry)[i] = number;
        codes += code_length + 1;
        codes_size -= code_length + (i + 1 < choices);
    }
    if (PyLong_Check(second_words) && second_words != Py_True) {
        entry->continues = 1;
        entry->next_characters = PyLong_AsUnsignedLongLongMask(second_words);
    } else {
        entry->second_words = second_words == Py_None ? NULL : Py_NewRef(second_words);
    }
    entry->forms = forms == Py_None ? NULL : Py_NewRef(forms);
    return entry;
}

static Entry *get_entry(SpacedSwitcher *self, uint64_t hash, const char *text, size_t length);

static inline int is_letter(char byte) { return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z'); }

/* Return whether a byte is one of those around a word that words.trim removes: ASCII, but no letter and no digit. */
static inline int is_around(char byte) { return !(byte & 0x80) && !is_letter(byte) && !(byte >= '0' && byte <= '9'); }

/* Return whether a word may be an address, as words.is_address says; if there is nothing before its letters, it is not
   asked. */
static int may_be_address(const char *text, size_t length, size_t prefix, size_t core) {
    return prefix && (memchr(text, '@', length) || memchr(text, '/', length) ||
                      (core == 3 && !memcmp(text + prefix, "www", 3)));
}

/* Set `made` to a new entry for a word of ASCII letters with punctuation around it, made of the entry of the word alone;
   leave it NULL for any other word, and if entries were freed in the meantime. Return -1 with an exception set. */
static int derive_entry(SpacedSwitcher *self, const char *text, size_t length, Entry **made) {
    size_t prefix = 0, end = length, letters;
    while (prefix < length && is_around(text[prefix]))
        prefix++;
    while (end > prefix && is_around(text[end - 1]))
        end--;
    for (letters = prefix; letters < end && is_letter(text[letters]); letters++);
    if (!self->charge || letters < end || prefix == end || end - prefix == length || length > UINT32_MAX ||
        may_be_address(text, length, prefix, end - prefix))
        return 0;
    uint64_t generation = self->generation;
    const Entry *core = get_entry(self, hash_of(text + prefix, end - prefix), text + prefix, end - prefix);
    if (!core)
        return -1;
    size_t languages_size = core->choices * sizeof(uint32_t);
    size_t size = sizeof(Entry) + aligned(length) + languages_size + core->translations_size;
    PyObject *charged = PyObject_CallFunction(self->charge, "n", (Py_ssize_t)size);
    Py_XDECREF(charged);
    if (!charged || self->generation != generation)
        return charged ? 0 : -1;
    Entry *entry = PyMem_Malloc(size);
    if (!entry) {
        PyErr_NoMemory();
        return -1;
    }
    *entry = *core;
    entry->length = length;
    entry->prefix = prefix;
    entry->suffix = length - end;
    memcpy(word_of(entry), text, length);
    memcpy(languages_of(entry), languages_of(core), languages_size);
    memcpy(translations_of(entry), translations_of(core), core->translations_size);
    if (!entry->continues)
        Py_XINCREF(entry->second_words);
    if (prefix)
        entry->forms = NULL;  /* such a word continues no phrase */
    Py_XINCREF(entry->forms);
    *made = entry;
    return 0;
}

/* Return a new entry for a word, as Python packs it; NULL with an exception set. */
static Entry *pack_entry(SpacedSwitcher *self, const char *text, size_t length) {
    PyObject *word = PyUnicode_FromStringAndSize(text, length);
    PyObject *packed = word ? PyObject_CallFunctionObjArgs(self->pack, word, NULL) : NULL;
    Py_XDECREF(word);
    Entry *entry = packed ? new_entry(self, text, length, packed) : NULL;
    Py_XDECREF(packed);
    return entry;
}

/* Return the entry of a word with a hash, or NULL with an exception set. */
static Entry *get_entry(SpacedSwitcher *self, uint64_t hash, const char *text, size_t length) {
    if (self->capacity) {
        Slot *slot = find_slot(self, hash, text, length);
        if (slot->entry)
            return slot->entry;
    }
    Entry *entry = NULL;
    if (derive_entry(self, text, length, &entry) < 0 || (!entry && !(entry = pack_entry(self, text, length))))
        return NULL;
    if (2 * self->used >= self->capacity && grow(self) < 0) {
        free_entry(entry);
        return NULL;
    }
    Slot *slot = find_slot(self, hash, text, length);
    *slot = (Slot){hash, entry};
    self->used++;
    return entry;
}

/* -- one text ------------------------------------------------------------------------------------------------------ */

/* Return the same 64 random bits as randomness.draws. */
static uint64_t draw(uint64_t key, uint64_t number) {
    unsigned char bytes[8];
    write_64(bytes, turned_64(key));
    return xxh3_64(bytes, 8, number);
}

/* Return whether the replacement of a word differs from the word; spaces between words are not compared. */
static int is_changed(const Word *word) {
    const Entry *entry = word->entry;
    const char *core = word_of(entry) + entry->prefix;
    if (!word->replacement_length || word->replacement_length != entry->length - entry->prefix - entry->suffix)
        return 1;
    int first = word->is_capitalized ? *word->replacement + 'A' - 'a' : *word->replacement;
    return first != *core || memcmp(word->replacement + 1, core + 1, word->replacement_length - 1);
}

/* Return whether a word begins a sentence, or -1 with an exception set: except in simple cases Python is asked, with the
   text from the last word with a letter before it. */
static int opens_sentence(SpacedSwitcher *self, const Word *words, const Word *word) {
    if (!word->entry->prefix && word == words)
        return 1;
    if (!word->entry->prefix && word[-1].length && word->start - gap_before(word) == 1 && word->start[-1] == ' ') {
        char last = word->start[-2];
        if ((last >= 'a' && last <= 'z') || last == ',')
            return 0;
        if (last == '.')
            return 1;
    }
    const Word *start = word;
    while (start > words && (start == word || !start->entry->has_letter))
        start--;
    const char *before = start->start;
    PyObject *answer = PyObject_CallFunction(self->opens_sentence, "s#", before,
                                             (Py_ssize_t)(word->start + word->entry->prefix - before));
    int opens = answer ? PyObject_IsTrue(answer) : -1;
    Py_XDECREF(answer);
    return opens;
}

/* Return whether a text begins with a letter of a script without capitals: one from U+0590 to U+109F, U+3000 to U+A63F, or
   U+AC00 to U+D7FF. There are others. */
static int begins_without_capital(const char *text, size_t length) {
    const unsigned char *at = (const unsigned char *)text;
    if (length < 2)
        return 0;
    return (*at >= 0xd7 && *at <= 0xdf) || *at == 0xe0 || (*at == 0xe1 && at[1] < 0x82) ||
           (*at >= 0xe3 && *at < 0xea) || (*at == 0xea && (at[1] < 0x99 || at[1] >= 0xb0)) || *at == 0xeb ||
           *at == 0xec || (*at == 0xed && at[1] < 0xa0);
}

/* Set the replacement of a word to a translation chosen by random bits. Return the number of its language, or -1 with an
   exception set. */
static int32_t translate(SpacedSwitcher *self, Text *text, Word *word, uint64_t bits) {
    const Entry *entry = word->entry;
    size_t choice = (bits >> LANGUAGE_SHIFT) % entry->choices;
    int32_t language = languages_of(entry)[choice];
    size_t length = entry->translations_size - 1;
    const char *translation = field(translations_of(entry), &length, FIELD_SEPARATOR, choice);
    if (memchr(translation, ITEM_SEPARATOR, length)) {
        size_t synonym = (bits >> SYNONYM_SHIFT) % count_fields(translation, length, ITEM_SEPARATOR);
        translation = field(translation, &length, ITEM_SEPARATOR, synonym);
    }
    unsigned char capitals = entry->capitals;
    if (capitals == CAPITALS_ANYWHERE) {
        int opens = opens_sentence(self, text->words, word);
        if (opens < 0)
            return -1;
        capitals = opens ? CAPITALS_FIRST : CAPITALS_NONE;
    }
    word->is_capitalized = 0;
    word->is_spaced = self->spaced[language];
    /* The first letter i is left to Python: its capital depends on the language. */
    if (capitals == CAPITALS_FIRST && length && !(*translation & 0x80) && *translation != 'i') {
        word->is_capitalized = *translation >= 'a' && *translation <= 'z';
    } else if (capitals != CAPITALS_NONE && !(capitals == CAPITALS_FIRST && begins_without_capital(translation, length))) {
        if (!text->held && !(text->held = PyList_New(0)))
            return -1;
        PyObject *written = PyObject_CallFunction(self->apply_capitals, "s#bO", translation, (Py_ssize_t)length,
                                                  capitals, self->codes[language]);
        Py_ssize_t size = 0;
        const char *kept = written ? PyUnicode_AsUTF8AndSize(written, &size) : NULL;
        int failed = !kept || PyList_Append(text->held, written);
        Py_XDECREF(written);
        if (failed)
            return -1;
        translation = kept;
        length = size;
    }
    word->replacement = translation;
    word->replacement_length = length;
    return language;
}

/* Write a text to `at` as part of a JSON string, and return the end of the written bytes. */
static char *escape(char *at, const char *text, size_t length) {
    static const char hex[] = "0123456789abcdef", names[] = "btn fr";  /* escapes of U+0008 to U+000D */
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

static inline int begins_phrases(const Entry *entry) { return entry->continues || entry->second_words; }

/* Return whether a word may follow where some characters may. Only Chinese ones are sure to be in a lexicon as they are in
   a text. */
static int may_follow(uint64_t next_characters, const Entry *word) {
    uint32_t code;
    read_code(word_of(word), &code);
    return !is_han(code) || next_characters >> code % 64 & 1;
}

/* Return whether a phrase that begins with `first` may continue with `second`, or -1 with an exception set. */
static int may_continue(const Entry *first, const Entry *second) {
    if (first->continues)
        return !first->suffix && !second->prefix && second->has_letter && may_follow(first->next_characters, second);
    if (!first->second_words || first->suffix || second->prefix || !second->has_letter)
        return 0;
    if (first->second_words == Py_True)
        return 1;
    if (second->forms) {
        int found = 0;
        for (Py_ssize_t i = 0; !found && i < PyTuple_Size(second->forms); i++)
            found = PySet_Contains(first->second_words, PyTuple_GetItem(second->forms, i));
        return found;
    }
    PyObject *core = PyUnicode_FromStringAndSize(word_of(second), second->length - second->suffix);
    int found = core ? PySet_Contains(first->second_words, core) : -1;
    Py_XDECREF(core);
    return found;
}

/* Return the entry of a phrase of several words, or NULL with an exception set. */
static Entry *get_phrase(SpacedSwitcher *self, const Word *words, size_t count) {
    const Word *last = words + count - 1;
    size_t length = words->length, in_text = last->start + last->length - words->start;
    for (const Word *word = words + 1; word <= last; word++)
        length += 1 + word->length;
    int is_in_text = length == in_text;
    for (const Word *word = words + 1; is_in_text && word <= last; word++)
        is_in_text = *gap_before(word) == ' ';
    if (is_in_text || self->segmenter)
        return get_entry(self, hash_of(words->start, in_text), words->start, in_text);
    char *phrase = PyMem_Malloc(length), *at = phrase;
    if (!phrase) {
        PyErr_NoMemory();
        return NULL;
    }
    for (const Word *word = words; word <= last; word++) {
        if (word > words)
            *at++ = ' ';
        memcpy(at, word->start, word->length);
        at += word->length;
    }
    Entry *entry = get_entry(self, hash_of(phrase, length), phrase, length);
    PyMem_Free(phrase);
    return entry;
}

/* Replace the entry of a word with that of the longest phrase that begins with it; -1 with an exception set. */
static int extend_phrase(SpacedSwitcher *self, Word *words, size_t count) {
    Entry *entry = words->entry;
    uint64_t generation = self->generation;
    for (size_t end = 1; end < count; end++) {
        const char *gap = gap_before(words + end);
        while (gap < words[end].start && *gap != '\n')
            gap++;
        if (gap < words[end].start)
            return 0;
        int more = may_continue(entry, words[end].entry);
        if (more <= 0)
            return more;
        if (!(entry = get_phrase(self, words, end + 1)))
            return -1;
        if (self->generation != generation)
            return 0;  /* the entries that were looked up before are freed */
        if (entry->choices) {
            words->entry = entry;
            words->words = end + 1;
        }
    }
    return 0;
}

/* Look up all words and phrases; return whether entries were freed in the meantime, or -1 with an exception set. */
static int look_up_words(SpacedSwitcher *self, Word *words, size_t count) {
    uint64_t generation = self->generation;
    /* In three steps, so that the memory of many words is fetched at once. */
    for (size_t i = 0; i < count; i++) {
        words[i].hash = hash_of(words[i].start, words[i].length);
        if (self->capacity)
            __builtin_prefetch(self->slots + (words[i].hash & (self->capacity - 1)));
    }
    for (size_t i = 0; self->capacity && i < count; i++)
        __builtin_prefetch(self->slots[words[i].hash & (self->capacity - 1)].entry);
    for (size_t i = 0; i < count; i++) {
        words[i].words = 1;
        if (!(words[i].entry = get_entry(self, words[i].hash, words[i].start, words[i].length)))
            return -1;
    }
    for (size_t i = 0; self->generation == generation && i < count; i += words[i].words)
        if (begins_phrases(words[i].entry) && extend_phrase(self, words + i, count - i) < 0)
            return -1;
    return self->generation != generation;
}

static void free_text(Text *text) {
    PyMem_Free(text->words);
    PyMem_Free(text->places);
    PyMem_Free(text->languages);
    Py_CLEAR(text->held);
}

/* Make room for some words; -1 with an exception set. */
static int grow_text(Text *text, size_t room) {
    PyMem_Free(text->words);
    PyMem_Free(text->places);
    PyMem_Free(text->languages);
    text->words = PyMem_Malloc(room * sizeof *text->words);
    text->places = PyMem_Malloc(room * sizeof *text->places);
    text->languages = PyMem_Malloc(room * sizeof *text->languages);
    text->room = room;
    if (text->words && text->places && text->languages)
        return 0;
    text->room = 0;
    PyErr_NoMemory();
    return -1;
}

/* Return whether a text may have an address in it, as words.is_address says. */
static int may_have_address(const char *text, size_t length) {
    for (const char *at = text, *end = text + length; (at = memchr(at, '/', end - at)); at++)
        if (at > text && at[-1] == ':' && at + 1 < end && at[1] == '/')
            return 1;
    for (const char *at = text, *end = text + length; (at = memchr(at, 'w', end - at)); at++)
        if (end - at >= 4 && !memcmp(at, "www.", 4))
            return 1;
    return memchr(text, '@', length) != NULL;
}

static Word *add_word(Word *at, const char *text, const Codes *codes, size_t start, size_t end) {
    *at = (Word){.start = text + codes->offsets[start], .length = codes->offsets[end] - codes->offsets[start]};
    return at + 1;
}

/* Split a text without spaces with the entries of a lexicon. Return 1 if the text is left to Python, because it is long,
   or if all nodes were freed; -1 with an exception set. */
static int segment_text(Segmentation *self, Text *text, const char *start, size_t length) {
    Codes codes;
    if (read_codes(&codes, start, length) < 0)
        return -1;
    int failed = codes.count > LONGEST_SEGMENTED;
    if (!failed && codes.count >= text->room)
        failed = grow_text(text, codes.count + 1);
    Word *at = text->words;
    Py_ssize_t count = 0;
    int kind;
    for (Py_ssize_t place = 0, end; !failed && (size_t)place < codes.count; place = end) {
        if ((end = run_end(self, &codes, place, &kind)) < 0) {
            failed = -1;
        } else if (!(kind & CHARACTER_SCRIPT)) {
            at = add_word(at, start, &codes, place, end);
        } else if ((count = segment_run(self, start, &codes, place, end)) < 0) {
            failed = count == -1 ? -1 : 1;
        } else {
            for (Py_ssize_t i = 0; i < count; i++)
                at = add_word(at, start, &codes, codes.segments[i].start, codes.segments[i].end);
        }
    }
    text->count = at - text->words;
    free_codes(&codes);
    return failed;
}

/* Split a text into the words that jieba finds. Return 1 if it is left to Python, because it is long; -1 with an
   exception set. */
static int split_as_jieba(JiebaSegmenter *jieba, Text *text, const char *start, size_t length) {
    Cut cut;
    if (cut_text(jieba, &cut, start, length) < 0)
        return -1;
    int failed = cut.word_count >= LONG_TEXT;
    if (!failed && cut.word_count >= text->room)
        failed = grow_text(text, cut.word_count + 1);
    for (size_t i = 0; !failed && i < cut.word_count; i++) {
        uint32_t word = cut.offsets[cut.words[i]], end = cut.offsets[cut.words[i + 1]];
        text->words[i] = (Word){.start = start + word, .length = end - word};
    }
    text->count = failed ? 0 : cut.word_count;
    free_cut(&cut);
    return failed;
}

/* Split a text into the words that a function of Python finds. Return 1 if it is left to Python, because it is long; -1
   with an exception set. */
static int split_by_function(PyObject *split, Text *text, const char *start, size_t length) {
    PyObject *string = PyUnicode_FromStringAndSize(start, length);
    PyObject *words = string ? PyObject_CallFunctionObjArgs(split, string, NULL) : NULL;
    Py_XDECREF(string);
    if (!words)
        return -1;
    int failed = 0, are_those = PyList_Check(words);
    size_t count = are_those ? PyList_Size(words) : 0, at = 0;
    if (count >= LONG_TEXT)
        failed = 1;
    else if (count >= text->room)
        failed = grow_text(text, count + 1);
    for (size_t i = 0; !failed && are_those && i < count; i++) {
        Py_ssize_t size;
        const char *word = PyUnicode_AsUTF8AndSize(PyList_GetItem(words, i), &size);
        if (!word) {
            failed = -1;
        } else if ((are_those = (size_t)size <= length - at && !memcmp(start + at, word, size))) {
            text->words[i] = (Word){.start = start + at, .length = size};
            at += size;
        }
    }
    Py_DECREF(words);
    if (!failed && (!are_those || at != length)) {
        PyErr_SetString(PyExc_ValueError, "words are not those of the text");
        failed = -1;
    }
    text->count = count;
    return failed;
}

/* Split a text without spaces into words, one of which is empty if the text is. Return 1 if it is left to Python, because
   it is long or may have an address in it; -1 with an exception set. */
static int split_unspaced(SpacedSwitcher *self, Text *text, const char *start, size_t length) {
    int failed;
    if (may_have_address(start, length))
        return 1;
    if (self->segmenter_kind == JIEBA_SEGMENTER) {
        failed = split_as_jieba((JiebaSegmenter *)self->segmenter, text, start, length);
    } else if (self->segmenter_kind == PYTHON_SEGMENTER) {
        failed = split_by_function(self->segmenter, text, start, length);
    } else {
        Segmentation *segmentation = (Segmentation *)self->segmenter;
        uint64_t generation = segmentation->generation;
        failed = segment_text(segmentation, text, start, length);
        if (failed > 0 && segmentation->generation != generation)
            failed = segment_text(segmentation, text, start, length);
    }
    if (!failed && !text->count)
        text->words[text->count++] = (Word){.start = start};
    return failed ? failed : text->count >= LONG_TEXT;
}

/* Split a text, which must stay where it is. Return 1 if it is left to Python; -1 with an exception set. */
static int split_text(SpacedSwitcher *self, Text *text, const char *start, size_t size) {
    if (!text->room && grow_text(text, SHORT_TEXT) < 0)
        return -1;
    if (self->segmenter)
        return split_unspaced(self, text, start, size);
    size_t limit = size / 2 + 2 < LONG_TEXT ? size / 2 + 2 : LONG_TEXT;  /* words with gaps take two bytes or more */
    text->count = split_words(start, size, text->words, text->room < LONG_TEXT ? text->room : LONG_TEXT);
    if (text->count > text->room) {
        if (text->room >= limit)
            return 1;
        if (grow_text(text, limit) < 0)
            return -1;
        text->count = split_words(start, size, text->words, limit);
    }
    return text->count > LONG_TEXT;
}

/* Split a text, which must stay where it is, and look its words up. Return 1 if it is left to Python, because it is too
   long or its words do not fit into the memory budget; -1 with an exception set. */
static int read_text(SpacedSwitcher *self, Text *text, const char *start, size_t size) {
    int is_left = split_text(self, text, start, size);
    if (is_left)
        return is_left;
    int is_stale = look_up_words(self, text->words, text->count);
    return is_stale > 0 ? look_up_words(self, text->words, text->count) : is_stale;
}

/* Return whether a text begins or ends with a letter, a combining mark or a digit; -1 with an exception set. */
static int has_word_character(SpacedSwitcher *self, const char *text, size_t length, int at_end) {
    if (!length)
        return 0;
    const char *at = text + (at_end ? length - 1 : 0);
    while (((unsigned char)*at & 0xc0) == 0x80)
        at--;
    uint32_t code;
    read_code(at, &code);
    if (self->characters[code] == NOT_ASKED) {
        PyObject *answer = PyObject_CallFunction(self->is_word_character, "C", (int)code);
        int is_word_character = answer ? PyObject_IsTrue(answer) : -1;
        Py_XDECREF(answer);
        if (is_word_character < 0)
            return -1;
        self->characters[code] = is_word_character ? WORD_CHARACTER : NO_WORD_CHARACTER;
    }
    return self->characters[code] == WORD_CHARACTER;
}

/* Return whether a word or a phrase that is replaced, with what is written in its place, begins or ends with a letter, a
   mark or a digit; -1 with an exception set. */
static int is_word_at(SpacedSwitcher *self, const Word *word, int at_end) {
    const Entry *entry = word->entry;
    if (!word->replacement)
        return has_word_character(self, word->start, word->length, at_end);
    if (at_end ? entry->suffix : entry->prefix)
        return has_word_character(self, word->start, entry->length, at_end);
    if (word->replacement_length)
        return has_word_character(self, word->replacement, word->replacement_length, at_end);
    return at_end ? has_word_character(self, word->start, entry->prefix, 1)
                  : has_word_character(self, word->start + entry->length - entry->suffix, entry->suffix, 0);
}

/* Note before which words a space is written where there are none in the text; -1 with an exception set. */
static int find_spaces(SpacedSwitcher *self, Text *text) {
    const Word *before = NULL;
    for (Word *word = text->words; word < text->words + text->count; word += word->replacement ? word->words : 1) {
        if (before && ((word->replacement && word->is_spaced) || (before->replacement && before->is_spaced))) {
            int found = is_word_at(self, before, 1);
            if (found > 0)
                found = is_word_at(self, word, 0);
            if (found < 0)
                return -1;
            word->has_space = found;
        }
        before = word;
    }
    return 0;
}

/* Choose the words of a text that was read, and their translations; -1 with an exception set. */
static int replace_words(SpacedSwitcher *self, Text *text, uint64_t key) {
    Word *words = text->words;
    uint32_t *places = text->places;
    size_t with_letter = 0, covered = 0, left = 0, replaced = 0;
    Py_CLEAR(text->held);
    for (size_t i = 0; i < text->count; i++) {
        with_letter += words[i].entry->has_letter;
        words[i].replacement = NULL;
        words[i].has_space = 0;
    }
    for (size_t i = 0; i < text->count; i += words[i].words)
        if (words[i].entry->choices) {
            places[left++] = i;
            covered += words[i].words;
        }
    /* volatile: Python rounds the product before it adds, so no fused multiply-add here */
    volatile double exact = with_letter * self->rate;
    size_t target = exact + (double)(key >> ROUNDING_SHIFT) / ROUNDING_RANGE;
    target = target < covered ? target : covered;
    text->replacements = 0;
    for (uint64_t step = 0; left && replaced < target; step++, left--) {
        uint64_t bits = draw(key, step);
        size_t number = bits % left;
        Word *word = words + places[number];
        memmove(places + number, places + number + 1, (left - number - 1) * sizeof *places);
        int32_t language = translate(self, text, word, bits);
        if (language < 0)
            return -1;
        if (!is_changed(word)) {
            word->replacement = NULL;
            continue;
        }
        size_t wanted = target - replaced;
        if (word->words > wanted && draw(key, step + 1) % word->words >= wanted) {
            word->replacement = NULL;
            break;
        }
        text->languages[text->replacements++] = language;
        replaced += word->words;
    }
    text->with_letter = with_letter;
    text->covered = covered;
    text->replaced = replaced;
    return self->segmenter ? find_spaces(self, text) : 0;
}

/* Return how many bytes a text with its replacements takes at most as a JSON string. */
static size_t joined_room(const Text *text) {
    const Word *last = text->words + text->count - 1;
    size_t size = last->start + last->length - text->words->start;
    for (const Word *word = text->words; word <= last; word++)
        size += word->replacement ? word->replacement_length + 2 : 0;
    return 6 * size + 2;
}

/* Write the words, with the gaps between them, as a JSON string, and return its end. */
static char *join(const Text *text, char *at) {
    const Word *last = text->words + text->count - 1;
    *at++ = '"';
    const char *written = text->words->start;  /* the text up to here is written */
    for (const Word *word = text->words; word <= last; word++) {
        if (word->has_space) {
            at = escape(at, written, word->start - written);
            *at++ = ' ';
            written = word->start;
        }
        if (!word->replacement)
            continue;
        const char *core = word->start + word->entry->prefix;
        char *start = at = escape(at, written, core - written);
        at = escape(at, word->replacement, word->replacement_length);
        if (word->is_capitalized)
            *start += 'A' - 'a';
        const Word *end = word + word->words - 1;
        written = end->start + end->length - word->entry->suffix;
    }
    at = escape(at, written, last->start + last->length - written);
    *at++ = '"';
    return at;
}
