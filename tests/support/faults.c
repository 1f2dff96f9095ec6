/* System calls that fail, or at which the process dies: a library to preload (LD_PRELOAD) into what is tested.

   FAULTS="NUMBER KIND LOG FOLDER" arms it, from the first call after the variable is set. From then on each call that
   concerns a file in FOLDER, standard output or a pipe, and each fork, is a point. A process and its forks count them
   together. The point with the number fails; with number 0, none does. LOG gets a line "NUMBER CALL PATH" for the point
   that fails, or for all of them with number 0.

   KIND: "error" (EIO; EAGAIN for a fork, ENOMEM for a mapping), "full" (ENOSPC, also for all writes after it), "intr"
   (EINTR), "short" (the first half is written), "kill" (the process dies before the call), "torn" (it dies when the
   first half is written). A kind that does not suit a call does nothing there. */

#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

enum { ERROR, FULL, INTR, SHORT, KILL, TORN, KINDS };
static const char *const names[KINDS] = {"error", "full", "intr", "short", "kill", "torn"};

static struct { atomic_long count; atomic_int is_full; } *shared; /* by a process and its forks */
static long number;
static int kind;
static char log_path[PATH_MAX], folder[PATH_MAX];
static size_t folder_length;

static int arm(void) {
    const char *setting;
    char word[16];
    if (shared) return 1;
    if (!(setting = getenv("FAULTS"))) return 0;
    if (sscanf(setting, "%ld %15s %4095s %4095s", &number, word, log_path, folder) != 4) abort();
    for (kind = 0; kind < KINDS && strcmp(word, names[kind]); kind++);
    if (kind == KINDS) abort();
    folder_length = strlen(folder);
    shared = (void *)syscall(SYS_mmap, NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    return 1;
}

static int is_ours(const char *path) {
    return !strncmp(path, folder, folder_length) && (path[folder_length] == '/' || !path[folder_length]);
}

/* The path of a name in a folder that is open, or that is the current one; 0 if it is none of ours. */
static int named(int place, const char *name, char *path) {
    size_t length = 0;
    if (!arm() || !name) return 0;
    if (name[0] != '/') {
        char link[64];
        if (place == AT_FDCWD) {
            if ((long)(length = syscall(SYS_getcwd, path, PATH_MAX)) <= 0) return 0;
            length--;
        } else {
            snprintf(link, sizeof link, "/proc/self/fd/%d", place);
            if ((long)(length = syscall(SYS_readlink, link, path, PATH_MAX - 1)) <= 0) return 0;
        }
        path[length++] = '/';
    }
    if (length + strlen(name) >= PATH_MAX) return 0;
    strcpy(path + length, name);
    return is_ours(path);
}

/* The path of an open file; 0 if it is neither ours, nor standard output, nor a pipe. */
static int opened(int descriptor, char *path) {
    char link[64];
    ssize_t length;
    if (!arm() || descriptor < 0 || descriptor == 2) return 0;
    snprintf(link, sizeof link, "/proc/self/fd/%d", descriptor);
    if ((length = syscall(SYS_readlink, link, path, PATH_MAX - 1)) <= 0) return 0;
    path[length] = 0;
    if (!strncmp(path, "pipe:", 5)) strcpy(path, descriptor == 1 ? "stdout" : "pipe");
    return is_ours(path) || path[0] == 's' || path[0] == 'p';
}

static void note(long count, const char *call, const char *path) {
    char line[PATH_MAX + 64];
    int file = syscall(SYS_openat, AT_FDCWD, log_path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0666);
    int length = snprintf(line, sizeof line, "%ld %s %s\n", count, call, path);
    if (file >= 0) {
        if (syscall(SYS_write, file, line, length) < 0) abort();
        syscall(SYS_close, file);
    }
}

static _Noreturn void die(void) {
    syscall(SYS_kill, syscall(SYS_getpid), SIGKILL);
    for (;;) pause();
}

/* What a point does: 0 lets the call pass, -1 fails it (errno is set), 1 does its first half. */
enum { OTHER = 0, WRITES = 1, CREATES = 2, WAITS = 4 }; /* what a call is: which kinds suit it */
static int at(const char *call, const char *path, int what, int code) {
    int is_pipe = !strcmp(path, "pipe") || !strcmp(path, "stdout");
    long count = atomic_fetch_add(&shared->count, 1) + 1;
    if (number == 0) note(count, call, path);
    if (count != number) {
        if (!atomic_load(&shared->is_full) || is_pipe || !(what & (WRITES | CREATES))) return 0;
        errno = ENOSPC;
        return -1;
    }
    switch (kind) {
    case ERROR: if (!strcmp(path, "pipe")) return 0; errno = is_pipe ? EPIPE : code; break;
    case FULL:
        if (is_pipe || !(what & (WRITES | CREATES))) return 0;
        atomic_store(&shared->is_full, 1);
        errno = ENOSPC;
        break;
    case INTR: if (!(what & WAITS)) return 0; errno = EINTR; break;
    case SHORT: if (!(what & WRITES)) return 0; note(count, call, path); return 1;
    case KILL: note(count, call, path); die();
    case TORN: if (!(what & WRITES)) return 0; note(count, call, path); return 1;
    }
    code = errno;
    note(count, call, path);
    errno = code;
    return -1;
}

#define REAL(name) static __typeof__(name) *real; if (!real) real = (__typeof__(name) *)dlsym(RTLD_NEXT, #name)

/* -- calls with a path ---------------------------------------------------------------------------------------------- */

static int fails_to_open(int place, const char *path, int flags) {
    char whole[PATH_MAX];
    return named(place, path, whole) && at("open", whole, WAITS | (flags & O_CREAT ? CREATES : OTHER), EIO);
}

static mode_t mode_of(int flags, va_list more) { return flags & (O_CREAT | O_TMPFILE) ? va_arg(more, mode_t) : 0; }

#define OPEN(name) \
    int name(const char *path, int flags, ...) { \
        REAL(name); va_list more; va_start(more, flags); mode_t mode = mode_of(flags, more); va_end(more); \
        return fails_to_open(AT_FDCWD, path, flags) ? -1 : real(path, flags, mode); \
    }
OPEN(open)
OPEN(open64)

#define OPENAT(name) \
    int name(int place, const char *path, int flags, ...) { \
        REAL(name); va_list more; va_start(more, flags); mode_t mode = mode_of(flags, more); va_end(more); \
        return fails_to_open(place, path, flags) ? -1 : real(place, path, flags, mode); \
    }
OPENAT(openat)
OPENAT(openat64)

#define FOPEN(name) \
    FILE *name(const char *path, const char *mode) { \
        REAL(name); return fails_to_open(AT_FDCWD, path, *mode == 'r' ? 0 : O_CREAT) ? NULL : real(path, mode); \
    }
FOPEN(fopen)
FOPEN(fopen64)

static int fails_at(const char *call, int place, const char *path, int what) {
    char whole[PATH_MAX];
    return named(place, path, whole) && at(call, whole, what, EIO);
}

int mkdir(const char *path, mode_t mode) {
    REAL(mkdir); return fails_at("mkdir", AT_FDCWD, path, CREATES) ? -1 : real(path, mode);
}
int mkdirat(int place, const char *path, mode_t mode) {
    REAL(mkdirat); return fails_at("mkdir", place, path, CREATES) ? -1 : real(place, path, mode);
}
int rmdir(const char *path) { REAL(rmdir); return fails_at("rmdir", AT_FDCWD, path, OTHER) ? -1 : real(path); }
int unlink(const char *path) { REAL(unlink); return fails_at("unlink", AT_FDCWD, path, OTHER) ? -1 : real(path); }
int unlinkat(int place, const char *path, int flags) {
    REAL(unlinkat); return fails_at("unlink", place, path, OTHER) ? -1 : real(place, path, flags);
}
int rename(const char *from, const char *to) {
    REAL(rename); return fails_at("rename", AT_FDCWD, to, CREATES) ? -1 : real(from, to);
}
int renameat(int place, const char *from, int other, const char *to) {
    REAL(renameat); return fails_at("rename", other, to, CREATES) ? -1 : real(place, from, other, to);
}
int link(const char *from, const char *to) {
    REAL(link); return fails_at("link", AT_FDCWD, to, CREATES) ? -1 : real(from, to);
}
int symlink(const char *from, const char *to) {
    REAL(symlink); return fails_at("link", AT_FDCWD, to, CREATES) ? -1 : real(from, to);
}

/* -- calls with an open file ---------------------------------------------------------------------------------------- */

#define WRITE(name, declared, given, first_half) \
    ssize_t name declared { \
        REAL(name); char path[PATH_MAX]; int here = opened(descriptor, path) ? at("write", path, WRITES | WAITS, EIO) : 0; \
        if (here < 0) return -1; \
        if (!here) return real given; \
        ssize_t written = first_half; \
        if (kind == TORN) die(); \
        return written; \
    }
static size_t half(size_t size) { return size > 1 ? size / 2 : size; }
WRITE(write, (int descriptor, const void *data, size_t size), (descriptor, data, size), real(descriptor, data, half(size)))
WRITE(pwrite, (int descriptor, const void *data, size_t size, off_t place), (descriptor, data, size, place),
      real(descriptor, data, half(size), place))
WRITE(pwrite64, (int descriptor, const void *data, size_t size, off64_t place), (descriptor, data, size, place),
      real(descriptor, data, half(size), place))
WRITE(writev, (int descriptor, const struct iovec *parts, int count), (descriptor, parts, count),
      real(descriptor, parts, count > 1 ? count / 2 : count))
WRITE(sendfile, (int descriptor, int from, off_t *place, size_t size), (descriptor, from, place, size),
      real(descriptor, from, place, half(size)))
WRITE(sendfile64, (int descriptor, int from, off64_t *place, size_t size), (descriptor, from, place, size),
      real(descriptor, from, place, half(size)))
WRITE(copy_file_range, (int from, off64_t *start, int descriptor, off64_t *place, size_t size, unsigned flags),
      (from, start, descriptor, place, size, flags), real(from, start, descriptor, place, half(size), flags))

static int fails_on(const char *call, int descriptor, int what, int code) {
    char path[PATH_MAX];
    return opened(descriptor, path) && at(call, path, what, code);
}

ssize_t read(int descriptor, void *data, size_t size) {
    REAL(read); return fails_on("read", descriptor, WAITS, EIO) ? -1 : real(descriptor, data, size);
}
ssize_t pread(int descriptor, void *data, size_t size, off_t place) {
    REAL(pread); return fails_on("read", descriptor, WAITS, EIO) ? -1 : real(descriptor, data, size, place);
}
ssize_t pread64(int descriptor, void *data, size_t size, off64_t place) {
    REAL(pread64); return fails_on("read", descriptor, WAITS, EIO) ? -1 : real(descriptor, data, size, place);
}
ssize_t readv(int descriptor, const struct iovec *parts, int count) {
    REAL(readv); return fails_on("read", descriptor, WAITS, EIO) ? -1 : real(descriptor, parts, count);
}
int fsync(int descriptor) { REAL(fsync); return fails_on("fsync", descriptor, WAITS, EIO) ? -1 : real(descriptor); }
int fdatasync(int descriptor) {
    REAL(fdatasync); return fails_on("fsync", descriptor, WAITS, EIO) ? -1 : real(descriptor);
}
int ftruncate(int descriptor, off_t size) {
    REAL(ftruncate); return fails_on("truncate", descriptor, WAITS, EIO) ? -1 : real(descriptor, size);
}
int ftruncate64(int descriptor, off64_t size) {
    REAL(ftruncate64); return fails_on("truncate", descriptor, WAITS, EIO) ? -1 : real(descriptor, size);
}

#define MMAP(name, offset) \
    void *name(void *start, size_t size, int protection, int flags, int descriptor, offset place) { \
        REAL(name); \
        if (!(flags & MAP_ANONYMOUS) && fails_on("mmap", descriptor, OTHER, ENOMEM)) return MAP_FAILED; \
        return real(start, size, protection, flags, descriptor, place); \
    }
MMAP(mmap, off_t)
MMAP(mmap64, off64_t)

/* -- processes ------------------------------------------------------------------------------------------------------ */

pid_t fork(void) { REAL(fork); return arm() && at("fork", "process", OTHER, EAGAIN) ? -1 : real(); }
pid_t vfork(void) { return fork(); }
