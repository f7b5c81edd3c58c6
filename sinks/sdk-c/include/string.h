// What the bindings and a small sink need of <string.h>; see libc.c.
#pragma once
#include <stddef.h>

void *memcpy(void *restrict to, const void *restrict from, size_t size);
void *memmove(void *to, const void *from, size_t size);
void *memset(void *at, int octet, size_t size);
int memcmp(const void *a, const void *b, size_t size);
size_t strlen(const char *text);
