/* What a newer compiler calls in place of memcpy, memmove and memset, and gcc's ThreadSanitizer does not have: it watches these themselves. */

#include <string.h>

void *__tsan_memcpy(void *to, const void *from, size_t size) { return memcpy(to, from, size); }

void *__tsan_memmove(void *to, const void *from, size_t size) { return memmove(to, from, size); }

void *__tsan_memset(void *to, int byte, size_t size) { return memset(to, byte, size); }
