/* Splitting texts without spaces into words with nothing but a lexicon: segmentation.py, compiled.

   Texts are arrays of code points here. The entries that were looked up are kept as a tree by code points, in one hash
   table; Python is asked only for texts that end where a syllable ends. No entry begins with most of the texts that are
   tried. Few of these are asked for, since Python says once for each text which characters may come next. Fetching
   memory takes most of the time, so the table is small. */

#include <Python.h>
#include <stdint.h>
#include <string.h>

#include "code_points.h"

enum { LONGEST_SEGMENTED = 50000, PADDING = 8 };

/* What a node and a character are; segmentation.py has the same numbers. */
enum { NODE_ENTRY = 1, NODE_LONGER = 2, NODE_KNOWN = 4, NODE_NARROWED = 8 };
enum { CHARACTER_SCRIPT = 1, CHARACTER_SPACE = 2, CHARACTER_STABLE = 4, CHARACTER_KNOWN = 8 };

/* The scripts whose spelling is known here; that of others is left to Python. */
enum { SCRIPT_OTHER, SCRIPT_CHINESE, SCRIPT_JAPANESE, SCRIPT_THAI, SCRIPTS };

enum { SHORTEST_NAME = 3 };
#define IMPOSSIBLE (INT64_C(1) << 62)

/* Two nodes and a code point, CODE_BITS, are one number of 64 bits. */
enum { NODE_BITS = 21, MOST_NODES = 1 << NODE_BITS };

typedef struct {
    PyObject_HEAD
    PyObject *look_up, *next_characters, *classify, *split_syllables, *is_seam;
    int script;
    uint8_t *characters;        /* what each character is, as far as it was asked */
    uint8_t *nodes;             /* what each node is; the first one is the root */
    uint64_t *next;             /* of a node that is narrowed: bits of the characters that may come next */
    uint64_t *branches;         /* hash table, with linear probing: the parent, the code point and the node, or 0 */
    size_t node_count, node_room, branch_room;
    uint64_t generation;        /* number of times that all nodes were freed */
} Segmentation;

/* A part of a run, from `start` to `end`, in code points; an entry, or unknown. */
typedef struct {
    uint32_t start, end;
    int32_t is_entry, is_piece;
} Segment;

/* A text, and memory for the search, in one block that begins with `after_entry`. */
typedef struct {
    uint32_t *codes, *offsets;  /* code points, and where they begin in UTF-8; offsets have one more */
    uint32_t *syllables;        /* where those of a run begin, and the end of the run */
    uint32_t *ends;
    int64_t *after_entry, *after_unknown, *entry_costs, *unknown_costs;
    Segment *segments;
    size_t count;
} Codes;

static void free_codes(Codes *codes) { PyMem_Free(codes->after_entry); }

/* Read UTF-8 into code points; -1 with an exception set. */
static int read_codes(Codes *codes, const char *text, size_t length) {
    size_t count = count_codes(text, length), room = count + PADDING;
    int64_t *block = PyMem_Malloc(room * (4 * sizeof(int64_t) + sizeof(Segment) + 4 * sizeof(uint32_t)));
    if (!block) {
        PyErr_NoMemory();
        return -1;
    }
    Segment *segments = (Segment *)(block + 4 * room);
    uint32_t *numbers = (uint32_t *)(segments + room);
    *codes = (Codes){numbers, numbers + room, numbers + 2 * room, numbers + 3 * room, block, block + room,
                     block + 2 * room, block + 3 * room, segments, count};
    decode(text, length, codes->codes, codes->offsets);
    memset(codes->codes + count, 0, PADDING * sizeof(uint32_t)); /* what looks ahead finds no letter there */
    return 0;
}

/* Return what a character is, or -1 with an exception set. */
static int character(Segmentation *self, uint32_t code) {
    if (self->characters[code])
        return self->characters[code];
    PyObject *kind = PyObject_CallFunction(self->classify, "I", (unsigned int)code);
    long number = kind ? PyLong_AsLong(kind) : -1;
    Py_XDECREF(kind);
    if (PyErr_Occurred())
        return -1;
    return self->characters[code] = CHARACTER_KNOWN | (number & (CHARACTER_KNOWN - 1));
}

/* -- spelling, as in unspaced_scripts.py ---------------------------------------------------------------------------- */

static inline int is_within(uint32_t code, uint32_t first, uint32_t last) { return code - first <= last - first; }

static inline int is_consonant(uint32_t code) { return is_within(code, 0xe01, 0xe2e); }
static inline int is_tone(uint32_t code) { return is_within(code, 0xe48, 0xe4b); }
static inline int is_vowel(uint32_t code) {
    return is_within(code, 0xe30, 0xe3a) || code == 0xe45 || is_within(code, 0xe47, 0xe4e);
}

/* Consonants before which a silent U+0E2B stands. */
static inline int has_silent_lead(uint32_t code) {
    return code == 0xe07 || code == 0xe0d || code == 0xe19 || code == 0xe21 || code == 0xe22 || code == 0xe23 ||
           code == 0xe25 || code == 0xe27;
}

/* Return the length of consonants, U+0E40 before them, a vowel, perhaps a tone, and a letter after them, which is any
   consonant for 0; 0 if it is something else. */
static size_t around(const uint32_t *at, int most, uint32_t vowel, uint32_t letter) {
    for (int count = most; count; count--) {
        if (!is_consonant(at[1]) || !is_consonant(at[count]) || at[count + 1] != vowel)
            continue;
        size_t end = count + 2;
        end += is_tone(at[end]);
        if (letter ? at[end] == letter : is_consonant(at[end]))
            return end + 1;
    }
    return 0;
}

/* Return the length of a Thai syllable without silent letters at its end, or 0. */
static size_t thai_sounds(const uint32_t *at) {
    size_t length = 0;
    if (*at == 0xe40) {
        if ((length = around(at, 2, 0xe35, 0xe22)) || (length = around(at, 2, 0xe37, 0)) ||
            (length = around(at, 1, 0xe34, 0)))
            return length;
        if (is_consonant(at[1]) && is_consonant(at[2]) && is_tone(at[3]) && at[4] == 0xe32)
            return 5;
    }
    if (*at == 0xe40 || *at == 0xe41)
        for (int count = 2; count; count--)
            if (is_consonant(at[1]) && is_consonant(at[count]) && at[count + 1] == 0xe47 && is_consonant(at[count + 2]))
                return count + 3;
    if (is_consonant(*at) && *at != 0xe01 && at[1] == 0xe47 && is_consonant(at[2]))
        return 3;
    length = is_within(*at, 0xe40, 0xe44);
    length += at[length] == 0xe2b && has_silent_lead(at[length + 1]) && is_vowel(at[length + 2]);
    if (!is_consonant(at[length++]))
        return 0;
    if (at[length] == 0xe31 || at[length] == 0xe37) {
        size_t end = length + 1;
        end += is_tone(at[end]);
        if (is_consonant(at[end++]))
            return end + (at[end] == 0xe34 || at[end] == 0xe38 || at[end] == 0xe30);
    }
    while (is_vowel(at[length]))
        length++;
    return length;
}

static size_t thai_syllable(const uint32_t *at) {
    size_t length = thai_sounds(at), silent;
    if (!length)
        return 1;
    do {
        silent = 0;
        for (int count = 2; count && !silent; count--) {
            size_t end = length + count;
            if (!is_consonant(at[length]) || !is_consonant(at[end - 1]))
                continue;
            end += at[end] == 0xe34 || at[end] == 0xe38;
            silent = at[end] == 0xe4c ? end + 1 : 0;
        }
        length = silent ? silent : length;
    } while (silent);
    return length;
}

static inline int is_kanji(uint32_t code) {
    return is_within(code, 0x4e00, 0x9fff) || is_within(code, 0x3005, 0x3007) || is_within(code, 0x3400, 0x4dbf) ||
           is_within(code, 0xf900, 0xfaff) || is_within(code, 0x20000, 0x2ffff);
}
static inline int is_hiragana(uint32_t code) { return is_within(code, 0x3041, 0x309f); }
static inline int is_katakana(uint32_t code) {
    return is_within(code, 0x30a1, 0x30fa) || is_within(code, 0x31f0, 0x31ff);
}

static inline int is_one_of(uint32_t code, const uint32_t *codes) {
    while (*codes && *codes != code)
        codes++;
    return *codes != 0;
}

/* Return whether a character stays with the kana before it. */
static inline int is_small(uint32_t code) {
    enum { FIRST = 0x3041, LAST = 0x30f6 };
#define SMALL(code) [(code) - FIRST] = 1
    static const uint8_t small[LAST - FIRST + 1] = {
        SMALL(0x3041), SMALL(0x3043), SMALL(0x3045), SMALL(0x3047), SMALL(0x3049), SMALL(0x3063), SMALL(0x3083),
        SMALL(0x3085), SMALL(0x3087), SMALL(0x308e), SMALL(0x3095), SMALL(0x3096), SMALL(0x3099), SMALL(0x309a),
        SMALL(0x309d), SMALL(0x309e), SMALL(0x30a1), SMALL(0x30a3), SMALL(0x30a5), SMALL(0x30a7), SMALL(0x30a9),
        SMALL(0x30c3), SMALL(0x30e3), SMALL(0x30e5), SMALL(0x30e7), SMALL(0x30ee), SMALL(0x30f5), SMALL(0x30f6),
    };
#undef SMALL
    if (is_within(code, FIRST, LAST))
        return small[code - FIRST];
    return code == 0x3005 || is_within(code, 0x30fc, 0x30ff) || is_within(code, 0x31f0, 0x31ff);
}

static size_t japanese_syllable(const uint32_t *at) {
    size_t length = 1;
    while (is_small(at[length]))
        length++;
    return length;
}

/* Return whether a particle begins at a place after a kanji. */
static int is_particle(uint32_t before, uint32_t code, uint32_t after) {
    static const uint32_t ga[] = {0x3089, 0x308a, 0x308b, 0x308c, 0x308d, 0x3063, 0};
    static const uint32_t to[] = {0x3055, 0x3057, 0x3059, 0x305b, 0x305d, 0x3063, 0};
    static const uint32_t de[] = {0x308b, 0x308a, 0x308c, 0x3066, 0x305f, 0x3063, 0};
    static const uint32_t adverbs[] = {0x7279, 0x5358, 0x4e3b, 0x66f4, 0x5171, 0x5e38, 0};
    switch (code) {
    case 0x3092: case 0x306e: case 0x306f: case 0x3078:
        return 1;
    case 0x304c:
        return !is_one_of(after, ga);
    case 0x3068:
        return !is_one_of(after, to);
    case 0x3067:
        return !is_one_of(after, de);
    case 0x306b:
        return !is_one_of(before, adverbs);
    default:
        return 0;
    }
}

/* Return whether Japanese shows that a word ends before `at`; `first`: the start of the run. */
static int is_japanese_seam(const uint32_t *first, const uint32_t *at) {
    uint32_t before = at[-1], code = *at;
    if (before == 0x30fb || before == 0x30a0 || code == 0x30fb || code == 0x30a0)
        return 1;
    int is_before_kanji = is_kanji(before), is_before_hiragana = is_hiragana(before);
    if ((is_katakana(before) || before == 0x30fc) && (is_kanji(code) || is_hiragana(code)))
        return 1;
    if ((is_before_kanji || is_before_hiragana) && is_katakana(code))
        return 1;
    if (is_before_hiragana && is_kanji(code))
        return 1;
    return is_before_kanji && ((at - first > 1 && is_kanji(at[-2]) && is_hiragana(code)) ||
                               is_particle(before, code, at[1]));
}

/* -- Python's part ------------------------------------------------------------------------------------------------ */

static PyObject *part(const char *text, const Codes *codes, size_t start, size_t end) {
    return PyUnicode_FromStringAndSize(text + codes->offsets[start], codes->offsets[end] - codes->offsets[start]);
}

/* Return whether a word ends at a place of a run, or -1 with an exception set. */
static int is_seam(Segmentation *self, const char *text, const Codes *codes, size_t start, size_t end, size_t place) {
    const uint32_t *at = codes->codes + place;
    if (self->script == SCRIPT_CHINESE)
        return 0;
    if (self->script == SCRIPT_JAPANESE)
        return is_japanese_seam(codes->codes + start, at);
    if (self->script == SCRIPT_THAI)
        return at[-1] == 0xe46 || at[-1] == 0xe2f || *at == 0xe46 || *at == 0xe2f;
    PyObject *run = part(text, codes, start, end);
    PyObject *answer = run ? PyObject_CallFunction(self->is_seam, "On", run, (Py_ssize_t)(place - start)) : NULL;
    int found = answer ? PyObject_IsTrue(answer) : -1;
    Py_XDECREF(run);
    Py_XDECREF(answer);
    return found;
}

/* Find where the syllables of a run begin; return their number, or -1 with an exception set. */
static Py_ssize_t find_syllables(Segmentation *self, const char *text, Codes *codes, size_t start, size_t end) {
    Py_ssize_t count = 0;
    if (self->script != SCRIPT_OTHER) {
        for (size_t at = start; at < end; count++) {
            codes->syllables[count] = at;
            at += self->script == SCRIPT_THAI       ? thai_syllable(codes->codes + at)
                  : self->script == SCRIPT_JAPANESE ? japanese_syllable(codes->codes + at)
                                                    : 1;
        }
    } else {
        PyObject *run = part(text, codes, start, end);
        PyObject *list = run ? PyObject_CallFunctionObjArgs(self->split_syllables, run, NULL) : NULL;
        Py_XDECREF(run);
        size_t at = start;
        for (count = 0; list && count < PyList_Size(list); count++) {
            Py_ssize_t length = PyUnicode_GetLength(PyList_GetItem(list, count));
            if (length <= 0 || (size_t)length > end - at)
                break;
            codes->syllables[count] = at;
            at += length;
        }
        Py_XDECREF(list);
        if (at != end) {
            if (!PyErr_Occurred())
                PyErr_SetString(PyExc_ValueError, "syllables are not those of the text");
            return -1;
        }
    }
    codes->syllables[count] = end;
    return count;
}

/* -- entries ------------------------------------------------------------------------------------------------------ */

static void free_nodes(Segmentation *self) {
    PyMem_Free(self->nodes);
    PyMem_Free(self->next);
    PyMem_Free(self->branches);
    self->nodes = NULL;
    self->next = self->branches = NULL;
    self->node_count = self->node_room = self->branch_room = 0;
    self->generation++;
}

/* Return where a branch is, or where it belongs. */
static inline uint64_t *find_branch(uint64_t *branches, size_t room, uint64_t key) {
    uint64_t hash = key * 0x9e3779b97f4a7c15u;
    for (size_t at = (hash ^ hash >> 32) & (room - 1);; at = (at + 1) & (room - 1))
        if (!branches[at] || branches[at] >> NODE_BITS == key)
            return branches + at;
}

/* Make room for more nodes, and for the root; or free all nodes if there are as many as can be. Return 1 if all nodes
   were freed, -1 with an exception set. */
static int grow_nodes(Segmentation *self) {
    if (self->node_count == MOST_NODES) {
        free_nodes(self);
        return 1;
    }
    size_t branch_room = self->branch_room ? 2 * self->branch_room : 1024, room = branch_room / 4 * 3;
    if (room > MOST_NODES)
        room = MOST_NODES;
    uint8_t *nodes = PyMem_Realloc(self->nodes, room);
    if (nodes)
        self->nodes = nodes;
    uint64_t *next = PyMem_Realloc(self->next, room * sizeof *next);
    if (next)
        self->next = next;
    uint64_t *branches = nodes && next ? PyMem_Calloc(branch_room, sizeof *branches) : NULL;
    if (!branches) {
        PyErr_NoMemory();
        return -1;
    }
    for (size_t i = 0; i < self->branch_room; i++)
        if (self->branches[i])
            *find_branch(branches, branch_room, self->branches[i] >> NODE_BITS) = self->branches[i];
    PyMem_Free(self->branches);
    self->branches = branches;
    self->branch_room = branch_room;
    self->node_room = room;
    if (!self->node_count) {
        self->nodes[self->node_count] = NODE_KNOWN | NODE_LONGER | NODE_NARROWED;
        self->next[self->node_count++] = UINT64_MAX; /* any character may begin an entry */
    }
    return 0;
}

/* Go from a node to that of a text with one character more; as `grow_nodes`. */
static int follow(Segmentation *self, uint32_t *node, uint32_t code) {
    uint64_t key = (uint64_t)*node << CODE_BITS | code;
    uint64_t *branch = find_branch(self->branches, self->branch_room, key);
    if (!*branch) {
        if (self->node_count == self->node_room) {
            int failed = grow_nodes(self);
            if (failed)
                return failed;
            branch = find_branch(self->branches, self->branch_room, key);
        }
        *branch = key << NODE_BITS | self->node_count;
        self->nodes[self->node_count++] = 0;
    }
    *node = *branch & (MOST_NODES - 1);
    return 0;
}

/* Ask a function of Python for the number of a part of a text; as `grow_nodes`. */
static int ask(Segmentation *self, PyObject *function, const char *text, const Codes *codes, size_t start, size_t end,
               uint64_t *number) {
    uint64_t generation = self->generation;
    PyObject *string = part(text, codes, start, end);
    PyObject *answer = string ? PyObject_CallFunctionObjArgs(function, string, NULL) : NULL;
    *number = answer ? PyLong_AsUnsignedLongLongMask(answer) : 0;
    Py_XDECREF(string);
    Py_XDECREF(answer);
    if (PyErr_Occurred())
        return -1;
    return self->generation != generation;
}

/* Find out what the node of a part of a text is; as `grow_nodes`. */
static int look_up(Segmentation *self, uint32_t node, const char *text, const Codes *codes, size_t start, size_t end) {
    uint64_t number;
    int failed = ask(self, self->look_up, text, codes, start, end, &number);
    if (!failed)
        self->nodes[node] = NODE_KNOWN | (number & (NODE_ENTRY | NODE_LONGER));
    return failed;
}

/* Find out which characters may come after a part of a text; as `grow_nodes`. */
static int narrow(Segmentation *self, uint32_t node, const char *text, const Codes *codes, size_t start, size_t end) {
    uint64_t bits;
    int failed = ask(self, self->next_characters, text, codes, start, end, &bits);
    if (!failed) {
        self->next[node] = bits;
        self->nodes[node] |= NODE_NARROWED;
    }
    return failed;
}

/* Return whether a character may come after the text of a node in a longer entry. The bits are of entries in
   Unicode's form NFD, in which stable characters of the text stand as they are. They say nothing of others. */
static inline int may_come_next(const Segmentation *self, uint32_t node, uint32_t code) {
    return !(self->characters[code] & CHARACTER_STABLE) || (self->next[node] >> (code % 64) & 1);
}

/* Go from the node of some syllables of a text to that of one syllable more, from `at` to `end`; as `grow_nodes`. */
static int follow_syllable(Segmentation *self, uint32_t *node, const char *text, const Codes *codes, size_t start,
                           size_t at, size_t end) {
    int failed = 0;
    while (!failed && at < end)
        failed = follow(self, node, codes->codes[at++]);
    if (!failed && !(self->nodes[*node] & NODE_KNOWN))
        failed = look_up(self, *node, text, codes, start, end);
    return failed;
}

/* Find the best entry that begins with a syllable; as `grow_nodes`. */
static int best_entry(Segmentation *self, const char *text, Codes *codes, size_t start, size_t size) {
    int64_t cost = IMPOSSIBLE;
    size_t place = start, end = start + 1;
    uint32_t node = 0;
    int failed;
    while (place < size && self->nodes[node] & NODE_LONGER) {
        size_t first = codes->syllables[start], at = codes->syllables[place];
        if (!(self->nodes[node] & NODE_NARROWED) && (failed = narrow(self, node, text, codes, first, at)))
            return failed;
        if (!may_come_next(self, node, codes->codes[at]))
            break;
        if ((failed = follow_syllable(self, &node, text, codes, first, at, codes->syllables[++place])))
            return failed;
        if (self->nodes[node] & NODE_ENTRY && codes->after_entry[place] < cost) {
            cost = codes->after_entry[place] + 1;
            end = place;
        }
    }
    codes->entry_costs[start] = cost;
    codes->ends[start] = end;
    return 0;
}

static inline Segment *add_segment(Segment *at, const Codes *codes, size_t start, size_t end, int is_entry) {
    *at = (Segment){codes->syllables[start], codes->syllables[end], is_entry, 0};
    return at + 1;
}

/* Find the segments of syllables, as segmentation.search does; return their number, -1 with an exception set, or -2 if
   all nodes were freed. */
static Py_ssize_t search(Segmentation *self, const char *text, Codes *codes, size_t size) {
    int64_t unknown_character = size + 1;
    codes->after_entry[size] = codes->after_unknown[size] = 0;
    for (size_t start = size; start--;) {
        int failed = best_entry(self, text, codes, start, size);
        if (failed)
            return failed < 0 ? -1 : -2;
        int64_t length = codes->syllables[start + 1] - codes->syllables[start];
        int64_t cost = codes->entry_costs[start], unknown = codes->after_unknown[start + 1] + unknown_character * length;
        codes->unknown_costs[start] = unknown;
        codes->after_entry[start] = cost <= unknown ? cost : unknown + 1;
        codes->after_unknown[start] = cost <= unknown ? cost : unknown;
    }
    Segment *at = codes->segments;
    size_t start = 0, unknown_start = 0;
    while (start < size) {
        if (codes->entry_costs[start] > codes->unknown_costs[start]) {
            start++;
            continue;
        }
        if (unknown_start < start)
            at = add_segment(at, codes, unknown_start, start, 0);
        at = add_segment(at, codes, start, codes->ends[start], 1);
        start = unknown_start = codes->ends[start];
    }
    if (unknown_start < size)
        at = add_segment(at, codes, unknown_start, size, 0);
    return at - codes->segments;
}

/* -- pieces of unknown words -------------------------------------------------------------------------------------- */

/* Mark the segments that cut a name in katakana which does not consist of long entries. */
static void mark_names(Codes *codes, size_t count, size_t start, size_t end) {
    Segment *segments = codes->segments;
    const uint32_t *code = codes->codes;
    for (size_t from = start, to; from < end; from = to) {
        to = from + 1;
        if (!is_katakana(code[from]))
            continue;
        while (to < end && (is_katakana(code[to]) || is_within(code[to], 0x30fc, 0x30ff)))
            to++;
        size_t first = 0;
        while (segments[first].end <= from)
            first++;
        size_t last = first;
        int are_parts = 1;
        for (size_t i = first; i < count && segments[i].start < to; last = i++) {
            size_t inside_start = segments[i].start > from ? segments[i].start : from;
            size_t inside_end = segments[i].end < to ? segments[i].end : to;
            are_parts &= segments[i].is_entry && inside_end - inside_start >= SHORTEST_NAME;
        }
        if (first == last || are_parts)
            continue;
        for (size_t i = first; i <= last; i++)
            segments[i].is_piece |= (segments[i].start > from && segments[i].start < to) ||
                                    (segments[i].end > from && segments[i].end < to);
    }
}

/* Make entries that may be pieces of an unknown word part of it, as segmentation.segment does; return the number of
   segments that are left, or -1 with an exception set. */
static Py_ssize_t join_pieces(Segmentation *self, const char *text, Codes *codes, size_t count, size_t start,
                              size_t end) {
    Segment *segments = codes->segments;
    for (size_t i = 0; i < count; i++) {
        if (segments[i].is_entry)
            continue;
        int seam = segments[i].start > start ? is_seam(self, text, codes, start, end, segments[i].start) : 1;
        if (!seam)
            segments[i - 1].is_piece = 1;
        if (seam >= 0 && segments[i].end < end && !(seam = is_seam(self, text, codes, start, end, segments[i].end)))
            segments[i + 1].is_piece = 1;
        if (seam < 0)
            return -1;
    }
    if (self->script == SCRIPT_JAPANESE)
        mark_names(codes, count, start, end);
    size_t left = 0;
    for (size_t i = 0; i < count; i++) {
        Segment segment = segments[i];
        segment.is_entry = segment.is_entry && !segment.is_piece;
        if (left && !segment.is_entry && !segments[left - 1].is_entry)
            segment.start = segments[--left].start;
        segments[left++] = segment;
    }
    return left;
}

/* Segment a run; return the number of segments, -1 with an exception set, or -2 if all nodes were freed. */
static Py_ssize_t segment_run(Segmentation *self, const char *text, Codes *codes, size_t start, size_t end) {
    if (!self->node_count && grow_nodes(self) < 0)
        return -1;
    Py_ssize_t size = find_syllables(self, text, codes, start, end);
    Py_ssize_t count = size < 0 ? -1 : search(self, text, codes, size);
    return count > 1 ? join_pieces(self, text, codes, count, start, end) : count;
}

/* Return the end of a run of characters of one kind, or -1 with an exception set; `kind` is set. */
static Py_ssize_t run_end(Segmentation *self, const Codes *codes, size_t start, int *kind) {
    const int kinds = CHARACTER_SCRIPT | CHARACTER_SPACE;
    int found = *kind = character(self, codes->codes[start]);
    size_t end = start;
    while (found >= 0 && (found & kinds) == (*kind & kinds) && ++end < codes->count)
        found = character(self, codes->codes[end]);
    return found < 0 ? -1 : (Py_ssize_t)end;
}
