/* The prediction of a quantised fastText classifier, compiled; quantised.pyi describes the interface.

   It computes what fastText computes (Joulin et al., 2016, "FastText.zip"), with the same operations on floats in the
   same order, so that its probabilities are the same to the last bit. It is faster for three reasons: a bucket that
   pruning has removed is seen in a bitmap that stays in the cache, the rows are unpacked once, and a hash is carried on
   from one n-gram to the next longer one.

   The file is in memory as a whole. Every size in it is checked before it is used, since it may be damaged. */

#define PY_SSIZE_T_CLEAN
#define Py_LIMITED_API 0x030B0000
#include <Python.h>
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* of the format */
enum { MAGIC = 793712314, VERSION = 12, SUPERVISED = 3, HIERARCHICAL_SOFTMAX = 1, LABEL = 1, CENTROIDS = 256 };
/* of what is taken here; other models are left to fastText */
enum { MOST_DIMENSIONS = 64, MOST_LABELS = 4096, MOST_WORDS = 1 << 20, MOST_BUCKETS = 1 << 24, LONGEST_GRAM = 8 };
static const int64_t MOST_COUNTS = 1000000000000000; /* what fastText counts for a node that is not there yet */

static const char END_OF_LINE[] = "</s>", LABEL_PREFIX[] = "__label__";

typedef struct {
    int32_t left, right; /* nodes of the Huffman tree of labels; -1 in a leaf, whose number is that of its label */
    int64_t count;
} Node;

typedef struct {
    const char *start;
    uint32_t length, hash;
} Word;

typedef struct {
    PyObject_HEAD
    PyObject *labels; /* a tuple of str */
    PyObject *file;   /* bytes, in which the words are */
    int32_t dimension, shortest, longest, word_count, label_count;
    uint32_t buckets, mask; /* mask: slots of words, less one */
    Word *words;
    int32_t *slots;   /* words by hash, -1 where there is none */
    float *rows;      /* of words, then of the buckets that are kept, by their numbers */
    uint64_t *kept;   /* a bit for each bucket */
    uint32_t *before; /* how many are kept before each 64 of them */
    float *output;    /* a row for each inner node of the tree */
    Node *tree;       /* leaves first, the root last */
} Classifier;

/* -- reading the file ---------------------------------------------------------------------------------------------- */

typedef struct {
    const char *at, *end;
} Cursor;

static int take(Cursor *cursor, void *to, size_t size) {
    if ((size_t)(cursor->end - cursor->at) < size)
        return 0;
    memcpy(to, cursor->at, size);
    cursor->at += size;
    return 1;
}

/* Pass over some bytes and return where they are, NULL where the file ends before. */
static const char *skip(Cursor *cursor, size_t size) {
    const char *start = cursor->at;
    if ((size_t)(cursor->end - start) < size)
        return NULL;
    cursor->at += size;
    return start;
}

/* fastText hashes bytes as signed: FNV-1a, but for that. */
static inline uint32_t hashed(uint32_t hash, char byte) { return (hash ^ (uint32_t)(int8_t)byte) * 16777619u; }

static uint32_t hash_of(const char *start, size_t length) {
    uint32_t hash = 2166136261u;
    for (size_t i = 0; i < length; i++)
        hash = hashed(hash, start[i]);
    return hash;
}

static int32_t find_word(const Classifier *self, const char *start, size_t length, uint32_t hash) {
    uint32_t slot = hash & self->mask;
    for (; self->slots[slot] >= 0; slot = (slot + 1) & self->mask) {
        const Word *word = &self->words[self->slots[slot]];
        if (word->hash == hash && word->length == length && !memcmp(word->start, start, length))
            break;
    }
    return self->slots[slot];
}

static int is(const char *start, size_t length, const char *name) {
    return length == strlen(name) && !memcmp(start, name, length);
}

static int begins_with(const char *start, size_t length, const char *name) {
    return length >= strlen(name) && !memcmp(start, name, strlen(name));
}

static void *allocated(size_t count, size_t size) {
    void *memory = PyMem_Calloc(count ? count : 1, size);
    if (!memory)
        PyErr_NoMemory();
    return memory;
}

static int read_header(Classifier *self, Cursor *cursor) {
    int32_t head[2], arguments[12];
    double threshold;
    if (!take(cursor, head, sizeof head) || !take(cursor, arguments, sizeof arguments) ||
        !take(cursor, &threshold, sizeof threshold) || head[0] != MAGIC || head[1] != VERSION)
        return 0;
    self->dimension = arguments[0];
    self->shortest = arguments[9];
    self->longest = arguments[10];
    self->buckets = (uint32_t)arguments[8];
    return self->dimension > 0 && self->dimension <= MOST_DIMENSIONS && arguments[5] == 1 /* words in an n-gram */ &&
           arguments[6] == HIERARCHICAL_SOFTMAX && arguments[7] == SUPERVISED && arguments[8] > 0 &&
           arguments[8] <= MOST_BUCKETS && self->shortest > 0 && self->longest >= self->shortest &&
           self->longest <= LONGEST_GRAM;
}

/* Read the words, the labels and which buckets are kept; `*rows` gets the rows of the buckets in the file, by bucket.
   Return 0 where the file is none of ours, -1 with an exception. */
static int read_dictionary(Classifier *self, Cursor *cursor, int32_t **rows, int64_t *pruned) {
    int32_t sizes[3];
    int64_t counts[2];
    if (!take(cursor, sizes, sizeof sizes) || !take(cursor, counts, sizeof counts))
        return 0;
    self->word_count = sizes[1];
    self->label_count = sizes[2];
    *pruned = counts[1];
    if (sizes[1] < 0 || sizes[1] > MOST_WORDS || sizes[2] < 2 || sizes[2] > MOST_LABELS ||
        sizes[0] != sizes[1] + sizes[2] || *pruned <= 0 || *pruned > self->buckets)
        return 0;
    size_t slots = 1024;
    while (slots < 2 * (size_t)self->word_count)
        slots *= 2;
    self->mask = (uint32_t)slots - 1;
    if (!(self->words = allocated(self->word_count, sizeof(Word))) ||
        !(self->slots = allocated(slots, sizeof(int32_t))) ||
        !(self->tree = allocated(2 * self->label_count - 1, sizeof(Node))) ||
        !(self->labels = PyTuple_New(self->label_count)))
        return -1;
    memset(self->slots, -1, slots * sizeof(int32_t));
    for (int32_t i = 0; i < sizes[0]; i++) {
        const char *name = cursor->at, *end = memchr(name, 0, cursor->end - name);
        int64_t count;
        int8_t kind;
        if (!end)
            return 0;
        cursor->at = end + 1;
        size_t length = end - name;
        if (!take(cursor, &count, sizeof count) || !take(cursor, &kind, sizeof kind) || count < 0 ||
            count >= MOST_COUNTS / MOST_LABELS || length > UINT32_MAX || (kind == LABEL) != (i >= self->word_count))
            return 0;
        if (kind != LABEL) {
            Word word = {name, (uint32_t)length, hash_of(name, length)};
            self->words[i] = word;
            uint32_t slot = word.hash & self->mask;
            while (self->slots[slot] >= 0)
                slot = (slot + 1) & self->mask;
            self->slots[slot] = i;
            continue;
        }
        int32_t number = i - self->word_count;
        size_t prefix = begins_with(name, length, LABEL_PREFIX) ? strlen(LABEL_PREFIX) : 0;
        PyObject *label = PyUnicode_DecodeUTF8(name + prefix, length - prefix, "strict");
        if (!label || PyTuple_SetItem(self->labels, number, label) < 0)
            return -1;
        self->tree[number] = (Node){-1, -1, count};
    }
    if (!(*rows = allocated(self->buckets, sizeof(int32_t))))
        return -1;
    memset(*rows, -1, self->buckets * sizeof(int32_t));
    for (int64_t i = 0; i < *pruned; i++) {
        int32_t pair[2]; /* a bucket and its row behind those of words */
        if (!take(cursor, pair, sizeof pair) || pair[0] < 0 || (uint32_t)pair[0] >= self->buckets || pair[1] < 0 ||
            pair[1] >= *pruned || (*rows)[pair[0]] >= 0)
            return 0;
        (*rows)[pair[0]] = pair[1];
    }
    return 1;
}

/* The centroids of a product quantiser: for each of its parts, 256 vectors of `width` numbers, fewer in the last. */
typedef struct {
    int32_t size, parts, width, last;
    const char *centroids;
} Quantiser;

static int read_quantiser(Cursor *cursor, Quantiser *quantiser, int32_t size) {
    if (!take(cursor, quantiser, 4 * sizeof(int32_t)) || quantiser->size != size || quantiser->width <= 0 ||
        quantiser->parts != (size + quantiser->width - 1) / quantiser->width ||
        quantiser->last != size - (quantiser->parts - 1) * quantiser->width)
        return 0;
    return (quantiser->centroids = skip(cursor, sizeof(float) * size * CENTROIDS)) != NULL;
}

static void unpack_row(const Quantiser *quantiser, const unsigned char *codes, float norm, float *row) {
    for (int32_t part = 0; part < quantiser->parts; part++) {
        int32_t width = part == quantiser->parts - 1 ? quantiser->last : quantiser->width;
        float centroid[MOST_DIMENSIONS];
        size_t place = (size_t)part * CENTROIDS * quantiser->width + (size_t)codes[part] * width;
        memcpy(centroid, quantiser->centroids + place * sizeof(float), width * sizeof(float));
        for (int32_t i = 0; i < width; i++)
            row[part * quantiser->width + i] = norm * centroid[i];
    }
}

/* Unpack the rows of words as they are, those of buckets by the number of the bucket. */
static int read_rows(Classifier *self, Cursor *cursor, const int32_t *rows, int64_t pruned) {
    uint8_t is_quantised, has_norms;
    int64_t shape[2], count = self->word_count + pruned;
    int32_t code_count;
    Quantiser quantiser, norms = {0};
    const char *codes, *norm_codes = NULL;
    if (!take(cursor, &is_quantised, 1) || is_quantised != 1 || !take(cursor, &has_norms, 1) || has_norms > 1 ||
        !take(cursor, shape, sizeof shape) || shape[0] != count || shape[1] != self->dimension ||
        !take(cursor, &code_count, sizeof code_count) || code_count < 0 || !(codes = skip(cursor, code_count)) ||
        !read_quantiser(cursor, &quantiser, self->dimension) || code_count != count * quantiser.parts)
        return 0;
    if (has_norms && (!(norm_codes = skip(cursor, count)) || !read_quantiser(cursor, &norms, 1)))
        return 0;
    size_t blocks = self->buckets / 64 + 1;
    if (!(self->rows = allocated(count * self->dimension, sizeof(float))) ||
        !(self->kept = allocated(blocks, sizeof(uint64_t))) || !(self->before = allocated(blocks, sizeof(uint32_t))))
        return -1;
    int64_t next = self->word_count;
    for (int64_t i = 0; i < self->word_count + (int64_t)self->buckets; i++) {
        int64_t bucket = i - self->word_count, row = bucket < 0 ? i : rows[bucket] + self->word_count;
        if (bucket >= 0 && bucket % 64 == 0)
            self->before[bucket / 64] = (uint32_t)(next - self->word_count);
        if (bucket >= 0 && rows[bucket] < 0)
            continue;
        if (bucket >= 0)
            self->kept[bucket / 64] |= (uint64_t)1 << bucket % 64;
        float norm = 1;
        if (has_norms)
            memcpy(&norm, norms.centroids + (unsigned char)norm_codes[row] * sizeof(float), sizeof norm);
        float *to = self->rows + (bucket < 0 ? i : next++) * self->dimension;
        unpack_row(&quantiser, (const unsigned char *)codes + row * quantiser.parts, norm, to);
    }
    return 1;
}

static int read_output(Classifier *self, Cursor *cursor) {
    uint8_t is_quantised;
    int64_t shape[2];
    size_t count = (size_t)self->label_count * self->dimension;
    if (!take(cursor, &is_quantised, 1) || is_quantised || !take(cursor, shape, sizeof shape) ||
        shape[0] != self->label_count || shape[1] != self->dimension)
        return 0;
    if (!(self->output = allocated(count, sizeof(float))))
        return -1;
    return take(cursor, self->output, count * sizeof(float)) && cursor->at == cursor->end;
}

/* Build the Huffman tree over the labels, which the file has in the order of their counts, as fastText builds it. */
static void build_tree(Classifier *self) {
    int32_t leaf = self->label_count - 1, inner = self->label_count;
    for (int32_t i = inner; i < 2 * self->label_count - 1; i++)
        self->tree[i].count = MOST_COUNTS;
    for (int32_t i = self->label_count; i < 2 * self->label_count - 1; i++) {
        int32_t chosen[2];
        for (int32_t j = 0; j < 2; j++)
            chosen[j] = leaf >= 0 && self->tree[leaf].count < self->tree[inner].count ? leaf-- : inner++;
        self->tree[i] = (Node){chosen[0], chosen[1], self->tree[chosen[0]].count + self->tree[chosen[1]].count};
    }
}

/* -- predicting ---------------------------------------------------------------------------------------------------- */

typedef struct {
    float sum[MOST_DIMENSIONS];
    int64_t count; /* of rows in the sum */
} Hidden;

static inline void add_row(const Classifier *self, Hidden *hidden, size_t number) {
    const float *row = self->rows + number * self->dimension;
    hidden->count++;
    if (self->dimension == 16) /* as in lid.176: the compiler adds several at once */
        for (int i = 0; i < 16; i++)
            hidden->sum[i] += row[i];
    else
        for (int32_t i = 0; i < self->dimension; i++)
            hidden->sum[i] += row[i];
}

static inline uint32_t ones(uint64_t bits) {
    bits -= bits >> 1 & 0x5555555555555555u;
    bits = (bits & 0x3333333333333333u) + (bits >> 2 & 0x3333333333333333u);
    return (uint32_t)(((bits + (bits >> 4)) & 0x0f0f0f0f0f0f0f0fu) * 0x0101010101010101u >> 56);
}

static inline void add_bucket(const Classifier *self, Hidden *hidden, uint32_t hash) {
    uint32_t bucket = hash % self->buckets, block = bucket / 64;
    uint64_t bit = (uint64_t)1 << bucket % 64, bits = self->kept[block];
    if (bits & bit)
        add_row(self, hidden, (size_t)self->word_count + self->before[block] + ones(bits & (bit - 1)));
}

static inline int continues(char byte) { return (byte & 0xc0) == 0x80; }

/* Add the rows of the n-grams of characters in "<word>"; one character alone counts only where it is no end of it. */
static void add_ngrams(const Classifier *self, Hidden *hidden, const char *word, size_t length) {
    for (size_t i = 0; i < length; i++) {
        if (continues(word[i]))
            continue;
        uint32_t hash = 2166136261u;
        size_t j = i;
        for (int32_t n = 1; j < length && n <= self->longest; n++) {
            do
                hash = hashed(hash, word[j++]);
            while (j < length && continues(word[j]));
            if (n >= self->shortest && !(n == 1 && (i == 0 || j == length)))
                add_bucket(self, hidden, hash);
        }
    }
}

/* Add the rows of a word; `word` has "<" before it and ">" behind it. Return whether it ends the line. */
static int add_word(const Classifier *self, Hidden *hidden, const char *word, size_t length) {
    const char *inside = word + 1;
    size_t inner = length - 2;
    int32_t number = find_word(self, inside, inner, hash_of(inside, inner));
    if (number < 0 && begins_with(inside, inner, LABEL_PREFIX))
        return 0;
    int ends = is(inside, inner, END_OF_LINE);
    if (number >= 0)
        add_row(self, hidden, number);
    if (!ends)
        add_ngrams(self, hidden, word, length);
    return ends;
}

static inline int is_white(char byte) {
    return byte == ' ' || (byte >= '\t' && byte <= '\r') || byte == 0;
}

/* Add the rows of a text, as if it were a line with its end; `line` has room for the text and two bytes. */
static void add_text(const Classifier *self, Hidden *hidden, const char *text, size_t length, char *line) {
    for (size_t i = 0; i < length;) {
        if (is_white(text[i])) {
            i++;
            continue;
        }
        size_t size = 1;
        line[0] = '<';
        while (i < length && !is_white(text[i]))
            line[size++] = text[i++];
        line[size++] = '>';
        if (add_word(self, hidden, line, size))
            return;
    }
    add_word(self, hidden, "<</s>>", 6);
}

typedef struct {
    int32_t label; /* -1 where there is none */
    float score;   /* logarithm of the probability */
} Best;

static inline float logarithm(float number) { return (float)log(number + 1e-5); }

/* Look for the most probable leaf below a node; a probability of nearly 0 is none. */
static void search(const Classifier *self, const float *hidden, int32_t number, float score, Best *best) {
    if (score < logarithm(0) || (best->label >= 0 && score < best->score))
        return;
    const Node *node = &self->tree[number];
    if (node->left < 0) {
        *best = (Best){number, score};
        return;
    }
    const float *row = self->output + (size_t)(number - self->label_count) * self->dimension;
    float right = 0;
    for (int32_t i = 0; i < self->dimension; i++)
        right += row[i] * hidden[i];
    right = (float)(1. / (1 + expf(-right)));
    search(self, hidden, node->left, score + logarithm((float)(1. - right)), best);
    search(self, hidden, node->right, score + logarithm(right), best);
}

static PyObject *classifier_predict(Classifier *self, PyObject *text) {
    Py_ssize_t length;
    const char *start = PyUnicode_AsUTF8AndSize(text, &length);
    if (!start)
        return NULL;
    char few[4096], *line = few;
    if ((size_t)length + 2 > sizeof few && !(line = PyMem_Malloc((size_t)length + 2)))
        return PyErr_NoMemory();
    Hidden hidden = {.count = 0};
    add_text(self, &hidden, start, length, line);
    if (line != few)
        PyMem_Free(line);
    if (!hidden.count)
        Py_RETURN_NONE;
    float share = (float)(1. / hidden.count);
    for (int32_t i = 0; i < self->dimension; i++)
        hidden.sum[i] *= share;
    Best best = {-1, 0};
    search(self, hidden.sum, 2 * self->label_count - 2, 0, &best);
    if (best.label < 0)
        Py_RETURN_NONE;
    return Py_BuildValue("Od", PyTuple_GetItem(self->labels, best.label), (double)expf(best.score));
}

/* -- the type ------------------------------------------------------------------------------------------------------ */

static PyObject *classifier_new(PyTypeObject *type, PyObject *args, PyObject *kwargs) {
    PyObject *file;
    char *start;
    Py_ssize_t length;
    if (!PyArg_ParseTuple(args, "O!", &PyBytes_Type, &file) || PyBytes_AsStringAndSize(file, &start, &length) < 0)
        return NULL;
    Classifier *self = (Classifier *)((allocfunc)PyType_GetSlot(type, Py_tp_alloc))(type, 0);
    if (!self)
        return NULL;
    self->file = Py_NewRef(file);
    Cursor cursor = {start, start + length};
    int32_t *rows = NULL;
    int64_t pruned = 0;
    int found = read_header(self, &cursor);
    if (found == 1)
        found = read_dictionary(self, &cursor, &rows, &pruned);
    if (found == 1)
        found = read_rows(self, &cursor, rows, pruned);
    if (found == 1)
        found = read_output(self, &cursor);
    PyMem_Free(rows);
    if (found == 1) {
        build_tree(self);
        return (PyObject *)self;
    }
    if (!found)
        PyErr_SetString(PyExc_ValueError, "not a whole, quantised, pruned classifier with a hierarchical softmax");
    Py_DECREF(self);
    return NULL;
}

static void classifier_dealloc(Classifier *self) {
    PyTypeObject *type = Py_TYPE((PyObject *)self);
    void *memory[] = {self->words, self->slots, self->rows, self->kept, self->before, self->output, self->tree};
    for (size_t i = 0; i < sizeof memory / sizeof *memory; i++)
        PyMem_Free(memory[i]);
    Py_XDECREF(self->labels);
    Py_XDECREF(self->file);
    ((freefunc)PyType_GetSlot(type, Py_tp_free))(self);
    Py_DECREF(type);
}

static PyObject *classifier_labels(Classifier *self, void *unused) { return Py_NewRef(self->labels); }

static PyMethodDef methods[] = {
    {"predict", (PyCFunction)classifier_predict, METH_O, "Return the most probable label and its probability, or None."},
    {0},
};

static PyGetSetDef attributes[] = {{"labels", (getter)classifier_labels, NULL, "All labels.", NULL}, {0}};

static PyType_Slot slots[] = {
    {Py_tp_doc, "A quantised fastText classifier."},
    {Py_tp_new, classifier_new},
    {Py_tp_methods, methods},
    {Py_tp_getset, attributes},
    {Py_tp_dealloc, classifier_dealloc},
    {0},
};

static PyType_Spec spec = {
    .name = "llamax_cli.identification.quantised.Classifier",
    .basicsize = sizeof(Classifier),
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
    .m_name = "quantised",
    .m_doc = "The prediction of a quantised fastText classifier, compiled.",
    .m_slots = module_slots,
};

PyMODINIT_FUNC PyInit_quantised(void) { return PyModuleDef_Init(&module); }
