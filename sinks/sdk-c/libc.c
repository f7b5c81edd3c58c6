// As much of a C library as a sink needs, in a hundred lines, so that nothing has to be installed and nothing is imported.
//
// Memory comes in powers of two from lists of freed pieces, or else from the end. A sink that is kept over many calls (`reuse`) so
// takes no more memory than its largest call.

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define SMALLEST 4 // 16 octets
#define SIZES 28   // 2 GiB at most
#define PAGE 65536

// In front of each piece. Its size keeps what follows aligned to 16.
typedef struct piece {
    uint32_t order;
    struct piece *next;
    uint32_t padding[2];
} piece;

extern unsigned char __heap_base;
static uintptr_t end;
static piece *freed[SIZES];

_Noreturn void abort(void) {
    __builtin_trap();
}

// Octets from the end of memory, or nothing when the server allows no more.
static void *more(size_t size) {
    if (!end) end = ((uintptr_t)&__heap_base + 15) & ~(uintptr_t)15;
    uintptr_t there = (uintptr_t)__builtin_wasm_memory_size(0) * PAGE;
    uintptr_t at = end;
    if (at + size < at) return NULL;
    if (at + size > there) {
        size_t pages = (at + size - there + PAGE - 1) / PAGE;
        if (__builtin_wasm_memory_grow(0, pages) == SIZE_MAX) return NULL;
    }
    end = at + size;
    return (void *)at;
}

void *malloc(size_t size) {
    uint32_t order = 0;
    while (order < SIZES && ((size_t)1 << (order + SMALLEST)) < size) order++;
    if (order == SIZES) return NULL;
    piece *found = freed[order];
    if (found)
        freed[order] = found->next;
    else if (!(found = more(sizeof(piece) + ((size_t)1 << (order + SMALLEST)))))
        return NULL;
    found->order = order;
    return found + 1;
}

void free(void *at) {
    if (!at) return;
    piece *done = (piece *)at - 1;
    done->next = freed[done->order];
    freed[done->order] = done;
}

void *calloc(size_t count, size_t size) {
    size_t all;
    if (__builtin_mul_overflow(count, size, &all)) return NULL;
    void *at = malloc(all);
    return at ? memset(at, 0, all) : NULL;
}

void *realloc(void *at, size_t size) {
    if (!at) return malloc(size);
    size_t had = (size_t)1 << (((piece *)at - 1)->order + SMALLEST);
    if (size <= had) return at;
    void *to = malloc(size);
    if (!to) return NULL;
    memcpy(to, at, had);
    free(at);
    return to;
}

void *memcpy(void *restrict to, const void *restrict from, size_t size) {
    return memmove(to, from, size);
}

void *memmove(void *to, const void *from, size_t size) {
    unsigned char *t = to;
    const unsigned char *f = from;
    if (t < f)
        while (size--) *t++ = *f++;
    else
        while (size--) t[size] = f[size];
    return to;
}

void *memset(void *at, int octet, size_t size) {
    unsigned char *a = at;
    while (size--) *a++ = (unsigned char)octet;
    return at;
}

int memcmp(const void *a, const void *b, size_t size) {
    const unsigned char *x = a, *y = b;
    for (; size--; x++, y++)
        if (*x != *y) return *x < *y ? -1 : 1;
    return 0;
}

size_t strlen(const char *text) {
    size_t length = 0;
    while (text[length]) length++;
    return length;
}
