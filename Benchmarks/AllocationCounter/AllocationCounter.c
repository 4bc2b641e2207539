// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

#define _GNU_SOURCE
#include "AllocationCounter.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>

static __thread bool is_counting __attribute__((tls_model("initial-exec")));
static __thread uint64_t count __attribute__((tls_model("initial-exec")));

void allocation_counter_start(void) {
    count = 0;
    is_counting = true;
}

uint64_t allocation_counter_stop(void) {
    is_counting = false;
    return count;
}

#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) || __has_feature(memory_sanitizer)
#define HAS_OTHER_HEAP 1
#endif
#endif

#if defined(__GLIBC__) && !defined(HAS_OTHER_HEAP)

// The C library's own functions, which it exports under these names for whoever stands in front of the others.
extern void *__libc_malloc(size_t);
extern void *__libc_calloc(size_t, size_t);
extern void *__libc_realloc(void *, size_t);
extern void *__libc_memalign(size_t, size_t);

bool allocation_counter_works(void) { return true; }

void *malloc(size_t size) {
    if (is_counting) count++;
    return __libc_malloc(size);
}

void *calloc(size_t number, size_t size) {
    if (is_counting) count++;
    return __libc_calloc(number, size);
}

void *realloc(void *memory, size_t size) {
    if (is_counting) count++;
    return __libc_realloc(memory, size);
}

void *aligned_alloc(size_t alignment, size_t size) {
    if (is_counting) count++;
    return __libc_memalign(alignment, size);
}

int posix_memalign(void **memory, size_t alignment, size_t size) {
    if (is_counting) count++;
    void *found = __libc_memalign(alignment, size);
    if (!found) return ENOMEM;
    *memory = found;
    return 0;
}

#else

bool allocation_counter_works(void) { return false; }

#endif
