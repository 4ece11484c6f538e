/* Top-k scoring over inverted lists, and look-up in a sorted vocabulary.

   inverted_search.py holds the numpy twin of `top_k` (the same float operations in the same order) and documents
   the arguments. Memory comes in as addresses: the stable ABI has the buffer protocol only since Python 3.11.

   Part by part, rows go through in windows of WINDOW. In a window, lists are added term at a time in the order of
   their weight, until what the remaining lists could give at most (`rest`) stays below the k-th best score known
   so far (`floor`); the remaining lists are then consulted only for rows already found that could still get in.
   (Term-at-a-time max-score: Turtle & Flood, "Query evaluation: strategies and optimizations", 1995.)

   Row numbers are read from files. They are checked against the window before anything is indexed with them. */

#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define WINDOW 16384
#define SEARCH_COST 24 /* one binary search in a window costs about as much as this many steps of a scan */

enum { COUNT16 = 2, COUNT32 = 4, VALUE32 = 0 };

typedef struct {
    int64_t at, stop; /* the part of the list that is not yet read */
    float weight, peak; /* peak: its largest value */
    float rest;         /* most that this list and all after it can add to a row */
} List;

typedef struct {
    const int32_t *rows;
    const void *weights;
    long kind;
    const int32_t *lengths; /* NULL: the score of a posting is weight * value, otherwise BM25's */
    const uint8_t *allowed; /* NULL: every row */
    int32_t row_count;
    float shortest;
    Py_ssize_t first, count; /* its lists */
} Part;

typedef struct {
    float score;
    int32_t part, row;
} Hit;

typedef struct {
    float flat, slope; /* BM25's length norm is flat + slope * length */
    Hit *heap;         /* the worst of the best k on top */
    Py_ssize_t k, size;
    float floor; /* no row below it is among the best k */
    float slack; /* over 1: what rounding may add to a sum of that many terms */
    float *sums; /* per row of the window; 0: not found */
    int32_t *found;
    float *ranked;
} Search;

static inline float posting_value(const Part *part, int64_t at)
{
    switch (part->kind) {
    case COUNT16: return (float)((const uint16_t *)part->weights)[at];
    case COUNT32: return (float)((const uint32_t *)part->weights)[at];
    default: return ((const float *)part->weights)[at];
    }
}

static inline float posting_score(const Search *s, const Part *part, float weight, int64_t at, int32_t row)
{
    float value = posting_value(part, at);
    if (!part->lengths)
        return weight * value;
    return (weight * value) / (value + (s->flat + s->slope * (float)part->lengths[row]));
}

/* ---- the best k ---- */

static inline int worse(const Hit *a, const Hit *b)
{
    if (a->score != b->score)
        return a->score < b->score;
    if (a->part != b->part)
        return a->part > b->part;
    return a->row > b->row;
}

static void sift_down(Hit *heap, Py_ssize_t size, Py_ssize_t at)
{
    Hit hit = heap[at];
    for (;;) {
        Py_ssize_t child = 2 * at + 1;
        if (child >= size)
            break;
        if (child + 1 < size && worse(&heap[child + 1], &heap[child]))
            child++;
        if (!worse(&heap[child], &hit))
            break;
        heap[at] = heap[child];
        at = child;
    }
    heap[at] = hit;
}

static void offer(Search *s, Hit hit)
{
    if (s->size < s->k) {
        Py_ssize_t at = s->size++;
        while (at > 0 && worse(&hit, &s->heap[(at - 1) / 2])) {
            s->heap[at] = s->heap[(at - 1) / 2];
            at = (at - 1) / 2;
        }
        s->heap[at] = hit;
    } else if (worse(&s->heap[0], &hit)) {
        s->heap[0] = hit;
        sift_down(s->heap, s->size, 0);
    }
    if (s->size == s->k && s->heap[0].score > s->floor)
        s->floor = s->heap[0].score;
}

/* The n-th largest (from 0) of count floats, which it reorders. */
static float select_largest(float *values, int32_t count, int32_t n)
{
    int32_t low = 0, high = count - 1;
    while (low < high) {
        float pivot = values[low + (high - low) / 2];
        int32_t i = low, j = high;
        while (i <= j) {
            while (values[i] > pivot)
                i++;
            while (values[j] < pivot)
                j--;
            if (i <= j) {
                float value = values[i];
                values[i++] = values[j];
                values[j--] = value;
            }
        }
        if (n <= j)
            high = j;
        else if (n >= i)
            low = i;
        else
            break;
    }
    return values[n];
}

/* ---- one window ---- */

/* First position from `at` whose row is not below `row`: steps that double, then halve. */
static int64_t advance(const int32_t *rows, int64_t at, int64_t stop, int32_t row)
{
    int64_t step = 1, low = at;
    while (at < stop && rows[at] < row) {
        low = at + 1;
        at += step;
        step *= 2;
    }
    if (at > stop)
        at = stop;
    while (low < at) {
        int64_t middle = low + (at - low) / 2;
        if (rows[middle] < row)
            low = middle + 1;
        else
            at = middle;
    }
    return low;
}

static int32_t add_list(Search *s, const Part *part, List *list, int32_t base, uint32_t span, int32_t count)
{
    const int32_t *rows = part->rows;
    int64_t at = list->at;
    for (; at < list->stop; at++) {
        uint32_t offset = (uint32_t)rows[at] - (uint32_t)base;
        float score;
        if (offset >= span)
            break;
        if (part->allowed && !part->allowed[rows[at]])
            continue;
        score = posting_score(s, part, list->weight, at, rows[at]);
        if (!(score > 0))
            continue;
        s->found[count] = (int32_t)offset;
        count += s->sums[offset] == 0;
        s->sums[offset] += score;
    }
    list->at = at;
    return count;
}

/* Drop the rows that `rest` cannot lift to the floor. */
static int32_t prune(Search *s, int32_t count, float rest)
{
    int32_t kept = 0;
    for (int32_t i = 0; i < count; i++) {
        int32_t offset = s->found[i];
        if ((s->sums[offset] + rest) * s->slack >= s->floor)
            s->found[kept++] = offset;
        else
            s->sums[offset] = 0;
    }
    return kept;
}

/* Add a list to the rows already found, and to no others. */
static void complete(Search *s, const Part *part, List *list, int32_t base, uint32_t span, int32_t count)
{
    const int32_t *rows = part->rows;
    int64_t start = advance(rows, list->at, list->stop, base);
    int64_t stop = advance(rows, start, list->stop, (int32_t)(base + span));
    list->at = stop;
    if ((int64_t)count * SEARCH_COST < stop - start) {
        for (int32_t i = 0; i < count; i++) {
            int32_t row = base + s->found[i];
            int64_t low = start, size = stop - start;
            while (size > 0) {
                int64_t half = size / 2;
                if (rows[low + half] < row) {
                    low += half + 1;
                    size -= half + 1;
                } else
                    size = half;
            }
            if (low < stop && rows[low] == row)
                s->sums[s->found[i]] += posting_score(s, part, list->weight, low, row);
        }
        return;
    }
    for (int64_t at = start; at < stop; at++) {
        uint32_t offset = (uint32_t)rows[at] - (uint32_t)base;
        if (offset < span && s->sums[offset] > 0)
            s->sums[offset] += posting_score(s, part, list->weight, at, rows[at]);
    }
}

/* Raise the floor to the k-th best of the partial sums, where that may save more reading than it costs.
   Once k rows are known, the floor they give is good enough. */
static void raise_floor(Search *s, const Part *part, const List *next, int32_t base, int32_t count)
{
    double ahead = (double)(next->stop - next->at) * WINDOW / (part->row_count - base);
    if (s->size == s->k || count < s->k || ahead < count)
        return;
    for (int32_t i = 0; i < count; i++)
        s->ranked[i] = s->sums[s->found[i]];
    float floor = select_largest(s->ranked, count, (int32_t)s->k - 1);
    if (floor > s->floor)
        s->floor = floor;
}

static void search_window(Search *s, const Part *part, List *lists, int32_t number, int32_t base)
{
    uint32_t span = part->row_count - base < WINDOW ? (uint32_t)(part->row_count - base) : WINDOW;
    int32_t count = 0;
    Py_ssize_t i = 0;
    for (; i < part->count && lists[i].rest >= s->floor; i++) {
        count = add_list(s, part, &lists[i], base, span, count);
        if (i + 1 < part->count)
            raise_floor(s, part, &lists[i + 1], base, count);
    }
    for (; i < part->count && count > 0; i++) {
        count = prune(s, count, lists[i].rest);
        if (count > 0)
            complete(s, part, &lists[i], base, span, count);
    }
    for (int32_t n = 0; n < count; n++) {
        int32_t offset = s->found[n];
        Hit hit = {s->sums[offset], number, base + offset};
        s->sums[offset] = 0;
        if (hit.score >= s->floor)
            offer(s, hit);
    }
}

/* The first row from `from` on that a list still worth starting from holds. */
static int32_t next_row(const Search *s, const Part *part, const List *lists, int32_t from)
{
    int32_t next = part->row_count;
    for (Py_ssize_t i = 0; i < part->count && lists[i].rest >= s->floor; i++)
        if (lists[i].at < lists[i].stop && part->rows[lists[i].at] < next)
            next = part->rows[lists[i].at];
    return next < from ? from : next;
}

/* What the lists can add at most, with those after them. */
static void bound_lists(const Search *s, const Part *part, List *lists)
{
    float rest = 0;
    for (Py_ssize_t i = part->count - 1; i >= 0; i--) {
        float peak = lists[i].peak, most = lists[i].weight * peak;
        if (part->lengths)
            most /= peak + (s->flat + s->slope * (peak > part->shortest ? peak : part->shortest));
        rest += most;
        lists[i].rest = rest * s->slack;
    }
}

static void search_part(Search *s, const Part *part, List *lists, int32_t number)
{
    bound_lists(s, part, lists);
    for (int64_t base = 0; base < part->row_count; base += WINDOW) {
        base = next_row(s, part, lists, (int32_t)base) / WINDOW * WINDOW;
        if (base >= part->row_count)
            break;
        search_window(s, part, lists, number, (int32_t)base);
    }
}

/* ---- from and to Python ---- */

static PyObject *hits_to_bytes(Search *s)
{
    PyObject *result = PyBytes_FromStringAndSize(NULL, s->size * 12);
    char *to;
    if (!result || !(to = PyBytes_AsString(result)))
        return result;
    Py_ssize_t size = s->size;
    while (s->size > 0) { /* worst first, so filled from the back */
        Hit hit = s->heap[0];
        s->heap[0] = s->heap[--s->size];
        sift_down(s->heap, s->size, 0);
        memcpy(to + 4 * s->size, &hit.part, 4);
        memcpy(to + 4 * (size + s->size), &hit.row, 4);
        memcpy(to + 4 * (2 * size + s->size), &hit.score, 4);
    }
    return result;
}

/* entries: per term None or (start, stop, peak, ...) */
static int read_lists(PyObject *entries, const float *weights, Py_ssize_t terms, Part *part, List *lists)
{
    if (PyList_Size(entries) != terms) {
        PyErr_SetString(PyExc_ValueError, "one entry per term expected");
        return -1;
    }
    part->count = 0;
    for (Py_ssize_t i = 0; i < terms; i++) {
        PyObject *entry = PyList_GetItem(entries, i);
        if (entry == Py_None)
            continue;
        List *list = &lists[part->count];
        list->at = PyLong_AsLongLong(PyTuple_GetItem(entry, 0));
        list->stop = PyLong_AsLongLong(PyTuple_GetItem(entry, 1));
        list->peak = (float)PyFloat_AsDouble(PyTuple_GetItem(entry, 2));
        list->weight = weights[i];
        if (PyErr_Occurred())
            return -1;
        part->count += list->at < list->stop;
    }
    return 0;
}

static int read_parts(PyObject *items, const float *weights, Py_ssize_t terms, Part *parts, List *lists)
{
    Py_ssize_t used = 0;
    for (Py_ssize_t i = 0; i < PyList_Size(items); i++) {
        unsigned long long rows, values, lengths, allowed;
        PyObject *entries, *columns;
        Part *part = &parts[i];
        if (!PyArg_ParseTuple(PyList_GetItem(items, i), "OKO", &columns, &allowed, &entries) ||
            !PyArg_ParseTuple(columns, "KKlKif", &rows, &values, &part->kind, &lengths, &part->row_count,
                              &part->shortest))
            return -1;
        part->rows = (const int32_t *)(uintptr_t)rows;
        part->weights = (const void *)(uintptr_t)values;
        part->lengths = (const int32_t *)(uintptr_t)lengths;
        part->allowed = (const uint8_t *)(uintptr_t)allowed;
        part->first = used;
        if (read_lists(entries, weights, terms, part, lists + used) < 0)
            return -1;
        used += part->count;
    }
    return 0;
}

static PyObject *top_k(PyObject *module, PyObject *args)
{
    PyObject *items, *weight_list, *result = NULL;
    Search s = {0};
    Part *parts = NULL;
    List *lists = NULL;
    float *weights = NULL;
    (void)module;
    if (!PyArg_ParseTuple(args, "nffOO", &s.k, &s.flat, &s.slope, &weight_list, &items))
        return NULL;
    Py_ssize_t part_count = PyList_Size(items), terms = PyList_Size(weight_list);
    if (part_count < 0 || terms < 0)
        return NULL;
    s.slack = 1.0f + 2.4e-7f * (float)(terms + 8);
    if (s.k <= 0)
        return PyBytes_FromStringAndSize("", 0);
    parts = calloc(part_count + 1, sizeof(Part));
    lists = calloc(part_count * terms + 1, sizeof(List));
    weights = calloc(terms + 1, sizeof(float));
    s.sums = calloc(WINDOW, sizeof(float));
    s.found = malloc((WINDOW + 1) * sizeof(int32_t));
    s.ranked = malloc(WINDOW * sizeof(float));
    if (!parts || !lists || !weights || !s.sums || !s.found || !s.ranked) {
        PyErr_NoMemory();
        goto done;
    }
    for (Py_ssize_t i = 0; i < terms; i++)
        weights[i] = (float)PyFloat_AsDouble(PyList_GetItem(weight_list, i));
    if (PyErr_Occurred() || read_parts(items, weights, terms, parts, lists) < 0)
        goto done;
    int64_t most = 0;
    for (Py_ssize_t i = 0; i < part_count; i++)
        for (Py_ssize_t j = 0; j < parts[i].count; j++)
            most += lists[parts[i].first + j].stop - lists[parts[i].first + j].at;
    if (s.k > most)
        s.k = (Py_ssize_t)most + 1;
    s.heap = malloc((size_t)s.k * sizeof(Hit));
    if (!s.heap) {
        PyErr_NoMemory();
        goto done;
    }
    Py_BEGIN_ALLOW_THREADS
    for (Py_ssize_t i = 0; i < part_count; i++)
        search_part(&s, &parts[i], lists + parts[i].first, (int32_t)i);
    Py_END_ALLOW_THREADS
    result = hits_to_bytes(&s);
done:
    free(parts);
    free(lists);
    free(weights);
    free(s.sums);
    free(s.found);
    free(s.ranked);
    free(s.heap);
    return result;
}

/* find(data, size, offsets, count, word): the number of a word in a sorted vocabulary, or -1 */
static PyObject *find(PyObject *module, PyObject *args)
{
    unsigned long long data_address, offsets_address;
    Py_ssize_t data_size, count, size;
    const char *word;
    (void)module;
    if (!PyArg_ParseTuple(args, "KnKny#", &data_address, &data_size, &offsets_address, &count, &word, &size))
        return NULL;
    const char *data = (const char *)(uintptr_t)data_address;
    const int64_t *offsets = (const int64_t *)(uintptr_t)offsets_address;
    Py_ssize_t low = 0, high = count;
    while (low < high) {
        Py_ssize_t middle = low + (high - low) / 2;
        int64_t start = offsets[middle], stop = offsets[middle + 1];
        if (start < 0 || stop < start || stop > data_size) {
            PyErr_SetString(PyExc_ValueError, "word offsets are damaged");
            return NULL;
        }
        Py_ssize_t length = (Py_ssize_t)(stop - start);
        int order = memcmp(data + start, word, (size_t)(length < size ? length : size));
        if (order == 0 && length == size)
            return PyLong_FromSsize_t(middle);
        if (order < 0 || (order == 0 && length < size))
            low = middle + 1;
        else
            high = middle;
    }
    return PyLong_FromLong(-1);
}

static PyMethodDef methods[] = {
    {"top_k", top_k, METH_VARARGS, "Best rows over several parts, as bytes of int32 parts, int32 rows, float32 scores."},
    {"find", find, METH_VARARGS, "Number of a word in a sorted vocabulary, or -1."},
    {NULL, NULL, 0, NULL},
};

static PyModuleDef_Slot slots[] = {
#ifdef Py_GIL_DISABLED
    {Py_mod_gil, Py_MOD_GIL_NOT_USED},
#endif
    {0, NULL},
};

static struct PyModuleDef module = {
    PyModuleDef_HEAD_INIT, "_postings", "Compiled scoring over inverted lists.", 0, methods, slots, NULL, NULL, NULL,
};

PyMODINIT_FUNC PyInit__postings(void)
{
    return PyModuleDef_Init(&module);
}
