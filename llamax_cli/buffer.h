/* Bytes that grow. */

#include <Python.h>
#include <string.h>

typedef struct {
    unsigned char *bytes;
    size_t length, room;
} Buffer;

/* Return where `length` bytes may be added, or NULL, with a MemoryError, where there is no memory for them. */
static unsigned char *make_room(Buffer *buffer, size_t length) {
    if (buffer->room - buffer->length < length) {
        size_t room = 2 * buffer->room + length;
        unsigned char *bytes = PyMem_Realloc(buffer->bytes, room);
        if (!bytes) {
            PyErr_NoMemory();
            return NULL;
        }
        buffer->bytes = bytes;
        buffer->room = room;
    }
    return buffer->bytes + buffer->length;
}

#define PUT(at, text) (memcpy(at, text, sizeof(text) - 1), (at) + sizeof(text) - 1)
