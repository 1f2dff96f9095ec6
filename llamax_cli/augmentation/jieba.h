/* Splitting Chinese texts into the words that jieba finds: `jieba.Tokenizer().lcut`, compiled.

   A text is cut into blocks of the characters that words may have; every other character is a word, and so is CR LF. A
   block is split into the words of the dictionary whose probabilities have the greatest product. Characters that stay
   alone beside each other are joined to words by a hidden Markov model of the places in a word, of which there are four:
   begin, middle, end, and a word by itself.

   Logarithms are added in the same order as in Python, and of equal sums the same one is taken, so that the words are
   the same. The dictionary is one hash table of words and what words begin with. */

#include <Python.h>
#include <math.h>
#include <stdint.h>
#include <string.h>

#include "code_points.h"

enum { NUMBER_BITS = 21, MOST_NUMBERS = 1 << NUMBER_BITS, FILTER_BITS = 22, LINE_BYTES = 10, MOST_DIGITS = 15 };
enum { FIRST_HAN = 0x4e00, LAST_HAN = 0x9fd5, HAN = LAST_HAN - FIRST_HAN + 1, CHARACTERS = LAST_HAN + 1 };

/* The places in the order of their letters, which decides between equal sums. */
enum { BEGIN, END, MIDDLE, SINGLE, PLACES };
static const char PLACE_LETTERS[] = "BEMS";
/* The two places that may come before each. */
static const uint8_t PLACES_BEFORE[PLACES][2] = {{END, SINGLE}, {BEGIN, MIDDLE}, {BEGIN, MIDDLE}, {END, SINGLE}};
#define IMPROBABLE -3.14e100 /* the logarithm of the probability of what the model does not have */
#define NO_WORD HUGE_VAL

/* Two or more characters that words begin with, or a word: the number of all but the last character, that character, and
   its own number, in as many bits as they need; 0 where there is nothing. The number of one character is its code point.
   The score is beside them to be in the same cache line, since fetching memory is what takes the time. */
typedef struct {
    uint64_t branch;
    double score;               /* the logarithm of the probability of the word, or NO_WORD */
} Beginning;

typedef struct {
    PyObject_HEAD
    Beginning *beginnings;      /* hash table, with linear probing */
    size_t count, room;         /* of beginnings; at least half of the room is free */
    uint8_t *filter;            /* a bit for each hash of a beginning: most lookups find nothing and end here */
    double *characters;         /* scores of those that blocks may have */
    double unknown;             /* the logarithm of the probability of a character that is no word */
    double first[PLACES], next[PLACES][PLACES]; /* of a place at the beginning, and of one after another */
    double (*in_places)[PLACES]; /* of each character in each place, from FIRST_HAN on */
} JiebaSegmenter;

/* A text, and memory to split it, in one block that begins with `scores`. */
typedef struct {
    double *scores;             /* of what begins at a place of a block */
    uint32_t *codes, *offsets;  /* code points, and where they begin in UTF-8; offsets have one more */
    uint32_t *ends;             /* of the best words that begin at the places of a block */
    uint32_t *words;            /* where each word begins, and the end of the last one */
    uint8_t (*before)[PLACES];  /* the best place of the character before, for each place of a character */
    size_t count, word_count;
} Cut;

static void free_cut(Cut *cut) { PyMem_Free(cut->scores); }

/* -- the dictionary ------------------------------------------------------------------------------------------------ */

static inline uint64_t key_of(const Beginning *beginning) { return beginning->branch >> NUMBER_BITS; }
static inline uint32_t number_of(const Beginning *beginning) { return beginning->branch & (MOST_NUMBERS - 1); }
static inline uint64_t longer_key(uint32_t number, uint32_t code) { return (uint64_t)number << CODE_BITS | code; }

/* The highest bits are for the filter, the lowest ones for the table. */
static inline uint64_t key_hash(uint64_t key) {
    key *= 0x9e3779b97f4a7c15u;
    return key ^ key >> 32;
}

static inline Beginning *first_place(const JiebaSegmenter *self, uint64_t hash) {
    return self->beginnings + (hash & (self->room - 1));
}

/* Return where a beginning is, or where it belongs. */
static inline Beginning *find_place(const JiebaSegmenter *self, uint64_t key, uint64_t hash) {
    Beginning *at = first_place(self, hash), *end = self->beginnings + self->room;
    while (at->branch && key_of(at) != key)
        at = at + 1 == end ? self->beginnings : at + 1;
    return at;
}

static inline uint32_t filter_bit(uint64_t hash) { return hash >> (64 - FILTER_BITS); }
static inline int passes(const JiebaSegmenter *self, uint64_t hash) {
    return self->filter[filter_bit(hash) / 8] >> filter_bit(hash) % 8 & 1;
}

/* Return what has one character more than the beginning of a number, or NULL if no word begins so. */
static inline const Beginning *find_longer(const JiebaSegmenter *self, uint32_t number, uint32_t code) {
    uint64_t key = longer_key(number, code), hash = key_hash(key);
    if (!passes(self, hash))
        return NULL;
    const Beginning *found = find_place(self, key, hash);
    return found->branch ? found : NULL;
}

/* Make the room larger; -1 with an exception set. */
static int grow_beginnings(JiebaSegmenter *self, size_t room) {
    Beginning *old = self->beginnings, *end = old + self->room, *beginnings = PyMem_Calloc(room, sizeof *beginnings);
    if (!beginnings) {
        PyErr_NoMemory();
        return -1;
    }
    self->beginnings = beginnings;
    self->room = room;
    for (const Beginning *each = old; each < end; each++)
        if (each->branch)
            *find_place(self, key_of(each), key_hash(key_of(each))) = *each;
    PyMem_Free(old);
    return 0;
}

/* Return what has one character more than the beginning of a number, a new one if need be; NULL with an exception set. */
static Beginning *add_longer(JiebaSegmenter *self, uint32_t number, uint32_t code) {
    if (2 * self->count >= self->room && grow_beginnings(self, 2 * self->room) < 0)
        return NULL;
    uint64_t key = longer_key(number, code), hash = key_hash(key);
    Beginning *place = find_place(self, key, hash);
    if (place->branch)
        return place;
    if (self->count == MOST_NUMBERS - CHARACTERS) {
        PyErr_SetString(PyExc_ValueError, "the dictionary has too many words");
        return NULL;
    }
    *place = (Beginning){key << NUMBER_BITS | (CHARACTERS + self->count++), 0};
    self->filter[filter_bit(hash) / 8] |= 1 << filter_bit(hash) % 8;
    return place;
}

static inline int is_han(uint32_t code) { return code - FIRST_HAN < HAN; }
static inline int is_ascii_digit(uint32_t code) { return code - '0' < 10; }
static inline int is_alphanumeric(uint32_t code) { return is_ascii_digit(code) || (code | 0x20) - 'a' < 26; }

/* Return whether words of several characters may have a character. */
static inline int is_in_block(uint32_t code) {
    return is_han(code) || is_alphanumeric(code) || (code && code < 0x80 && strchr("+#&._%-", (int)code));
}

/* Set the frequency of a word; one that has other characters than blocks have is left out. -1 with an exception set. */
static int set_frequency(JiebaSegmenter *self, const char *word, const char *end, uint64_t frequency) {
    uint32_t number = 0, code;
    double *score = NULL;
    for (const char *at = word; at < end;) {
        at = read_code(at, &code);
        if (!is_in_block(code))
            return 0;
        if (!score) {
            number = code;
            score = self->characters + code;
            continue;
        }
        Beginning *longer = add_longer(self, number, code);
        if (!longer)
            return -1;
        number = number_of(longer);
        score = &longer->score;
    }
    *score = frequency;
    return 0;
}

/* Read a line, `word frequency` and perhaps more, and add the frequency to `total`; return 0 if it is no such line, -1
   with an exception set. A word that comes twice has its last frequency. */
static int read_word(JiebaSegmenter *self, const char *line, const char *end, uint64_t *total) {
    const char *word_end = memchr(line, ' ', end - line), *at = word_end ? word_end + 1 : end, *digits = at;
    uint64_t frequency = 0;
    while (at < end && *at >= '0' && *at <= '9' && at - digits < MOST_DIGITS)
        frequency = 10 * frequency + (*at++ - '0');
    if (at == digits || (at < end && *at != ' ' && *at != '\r') || word_end == line)
        return 0;
    if (set_frequency(self, line, word_end, frequency) < 0)
        return -1;
    *total += frequency;
    return 1;
}

/* Make the logarithm of a probability of a frequency; 0 is that of what is no word. */
static inline void set_score(double *frequency, double all) {
    *frequency = *frequency > 0 ? log(*frequency) - all : NO_WORD;
}

/* Read the dictionary, valid UTF-8; -1 with an exception set. */
static int read_words(JiebaSegmenter *self, const char *text, size_t length) {
    size_t room = 1024;
    while (room < 2 * length / LINE_BYTES)
        room *= 2;
    if (grow_beginnings(self, room) < 0)
        return -1;
    uint64_t total = 0;
    Py_ssize_t number = 1;
    for (const char *end = text + length, *line = text, *next; line < end; line = next + 1, number++) {
        if (!(next = memchr(line, '\n', end - line)))
            next = end;
        int is_read = read_word(self, line, next, &total);
        if (!is_read)
            PyErr_Format(PyExc_ValueError, "line %zd of the dictionary is not a word with its frequency", number);
        if (is_read < 1)
            return -1;
    }
    if (!total) {
        PyErr_SetString(PyExc_ValueError, "the dictionary has no words");
        return -1;
    }
    double all = log((double)total);
    self->unknown = 0.0 - all;
    for (Beginning *each = self->beginnings, *end = each + self->room; each < end; each++)
        set_score(&each->score, all);
    for (size_t i = 0; i < CHARACTERS; i++)
        set_score(self->characters + i, all);
    return 0;
}

/* -- the model ------------------------------------------------------------------------------------------------------ */

/* Return the item of a dictionary of dictionaries, borrowed; NULL with an exception set if it is absent. */
static PyObject *item(PyObject *dictionary, int place) {
    const char letter[2] = {PLACE_LETTERS[place]};
    PyObject *found = PyDict_Check(dictionary) ? PyDict_GetItemString(dictionary, letter) : NULL;
    if (!found)
        PyErr_Format(PyExc_ValueError, "the model has no %s", letter);
    return found;
}

/* Read the probabilities of the model, as `jieba.finalseg` has them; -1 with an exception set. */
static int read_model(JiebaSegmenter *self, PyObject *first, PyObject *next, PyObject *characters) {
    for (size_t i = 0; i < HAN; i++)
        for (int place = 0; place < PLACES; place++)
            self->in_places[i][place] = IMPROBABLE;
    for (int place = 0; place < PLACES; place++) {
        PyObject *of_first = item(first, place), *of_next, *of_characters, *key, *value;
        if (!of_first || !(of_next = item(next, place)) || !(of_characters = item(characters, place)))
            return -1;
        if (!PyDict_Check(of_next) || !PyDict_Check(of_characters)) {
            PyErr_SetString(PyExc_TypeError, "the model has no probabilities");
            return -1;
        }
        self->first[place] = PyFloat_AsDouble(of_first);
        for (int after = 0; after < PLACES; after++) {
            const char letter[2] = {PLACE_LETTERS[after]};
            PyObject *found = PyDict_GetItemString(of_next, letter);
            self->next[place][after] = found ? PyFloat_AsDouble(found) : IMPROBABLE;
        }
        for (Py_ssize_t at = 0; !PyErr_Occurred() && PyDict_Next(of_characters, &at, &key, &value);) {
            uint32_t code = PyUnicode_ReadChar(key, 0);
            if (is_han(code))
                self->in_places[code - FIRST_HAN][place] = PyFloat_AsDouble(value);
        }
        if (PyErr_Occurred())
            return -1;
    }
    return 0;
}

/* -- one text ------------------------------------------------------------------------------------------------------- */

static inline void end_word(Cut *cut, size_t end) { cut->words[++cut->word_count] = end; }

/* Join the characters of a run of Han to words, by the most probable places (the Viterbi algorithm). */
static void join_characters(const JiebaSegmenter *self, Cut *cut, size_t start, size_t end) {
    double sums[2][PLACES], *now = sums[0], *last = sums[1];
    const double *character = self->in_places[cut->codes[start] - FIRST_HAN];
    for (int place = 0; place < PLACES; place++)
        now[place] = self->first[place] + character[place];
    for (size_t at = start + 1; at < end; at++) {
        double *swapped = now;
        now = last;
        last = swapped;
        character = self->in_places[cut->codes[at] - FIRST_HAN];
        for (int place = 0; place < PLACES; place++) {
            int one = PLACES_BEFORE[place][0], other = PLACES_BEFORE[place][1];
            double sum = last[one] + self->next[one][place] + character[place];
            double other_sum = last[other] + self->next[other][place] + character[place];
            now[place] = other_sum >= sum ? other_sum : sum;
            cut->before[at][place] = other_sum >= sum ? other : one;
        }
    }
    int place = now[SINGLE] >= now[END] ? SINGLE : END;
    size_t count = 0; /* of words, whose ends are found from the last one on */
    for (size_t at = end; at-- > start; place = cut->before[at][place])
        if (place == END || place == SINGLE)
            cut->words[cut->word_count + 1 + count++] = at + 1;
    uint32_t *words = cut->words + cut->word_count + 1;
    for (size_t i = 0; i < count / 2; i++) {
        uint32_t other = words[count - 1 - i];
        words[count - 1 - i] = words[i];
        words[i] = other;
    }
    cut->word_count += count;
}

/* Split a run of characters without Han: numbers, also `3.5%`, and letters; and what is between them. */
static void split_letters(Cut *cut, size_t start, size_t end) {
    const uint32_t *codes = cut->codes;
    for (size_t at = start; at < end; end_word(cut, at)) {
        if (!is_alphanumeric(codes[at])) {
            while (at < end && !is_alphanumeric(codes[at]))
                at++;
            continue;
        }
        while (at < end && is_alphanumeric(codes[at]))
            at++;
        if (at + 1 < end && codes[at] == '.' && is_ascii_digit(codes[at + 1]))
            for (at++; at < end && is_ascii_digit(codes[at]);)
                at++;
        at += at < end && codes[at] == '%';
    }
}

/* Return whether several characters are a word. */
static int is_word(const JiebaSegmenter *self, const Cut *cut, size_t start, size_t end) {
    const Beginning *beginning = NULL;
    for (size_t at = start + 1; at < end; at++)
        if (!(beginning = find_longer(self, beginning ? number_of(beginning) : cut->codes[start], cut->codes[at])))
            return 0;
    return beginning && beginning->score != NO_WORD;
}

/* Split a run of characters each of which is alone. */
static void split_run(const JiebaSegmenter *self, Cut *cut, size_t start, size_t end) {
    if (end - start < 2 || is_word(self, cut, start, end)) {
        while (start < end)
            end_word(cut, ++start);
        return;
    }
    for (size_t at = start; at < end; start = at) {
        int are_han = is_han(cut->codes[start]);
        while (at < end && is_han(cut->codes[at]) == are_han)
            at++;
        if (are_han)
            join_characters(self, cut, start, at);
        else
            split_letters(cut, start, at);
    }
}

/* Use a word from one place to another if it is the best one from there on. */
static inline void try_word(Cut *cut, size_t at, size_t end, double score) {
    double sum = score + cut->scores[end];
    if (score != NO_WORD && sum >= cut->scores[at]) {
        cut->scores[at] = sum;
        cut->ends[at] = end;
    }
}

static void split_block(const JiebaSegmenter *self, Cut *cut, size_t start, size_t end) {
    const uint32_t *codes = cut->codes;
    for (size_t at = start; at + 1 < end; at++) { /* fetch the memory of all pairs of characters at once */
        uint64_t hash = key_hash(longer_key(codes[at], codes[at + 1]));
        if (passes(self, hash))
            __builtin_prefetch(first_place(self, hash));
    }
    cut->scores[end] = 0;
    for (size_t at = end; at-- > start;) {
        cut->scores[at] = -HUGE_VAL;
        try_word(cut, at, at + 1, self->characters[codes[at]]);
        uint32_t number = codes[at];
        const Beginning *longer;
        for (size_t place = at + 1; place < end && (longer = find_longer(self, number, codes[place])); place++) {
            try_word(cut, at, place + 1, longer->score);
            number = number_of(longer);
        }
        if (cut->scores[at] == -HUGE_VAL)
            try_word(cut, at, at + 1, self->unknown);
    }
    size_t run = start; /* where the characters that are alone begin */
    for (size_t at = start; at < end; at = cut->ends[at])
        if (cut->ends[at] > at + 1) {
            split_run(self, cut, run, at);
            end_word(cut, run = cut->ends[at]);
        }
    split_run(self, cut, run, end);
}

/* Split UTF-8 into words; -1 with an exception set. `free_cut` is for the caller. */
static int cut_text(const JiebaSegmenter *self, Cut *cut, const char *text, size_t length) {
    size_t count = count_codes(text, length), room = count + 1;
    double *scores = PyMem_Malloc(room * (sizeof *scores + 4 * sizeof(uint32_t) + PLACES));
    if (!scores) {
        PyErr_NoMemory();
        return -1;
    }
    uint32_t *numbers = (uint32_t *)(scores + room);
    *cut = (Cut){scores, numbers, numbers + room, numbers + 2 * room, numbers + 3 * room,
                 (uint8_t (*)[PLACES])(numbers + 4 * room), count, 0};
    decode(text, length, cut->codes, cut->offsets);
    cut->words[0] = 0;
    for (size_t start = 0, end; start < count; start = end) {
        end = start + 1;
        if (!is_in_block(cut->codes[start])) {
            end += cut->codes[start] == '\r' && end < count && cut->codes[end] == '\n';
            end_word(cut, end);
            continue;
        }
        while (end < count && is_in_block(cut->codes[end]))
            end++;
        split_block(self, cut, start, end);
    }
    return 0;
}
