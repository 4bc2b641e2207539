// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0
//
// What the sanitizers have to know of Swift's runtime, which is not built with them. ci/sanitize links it into every
// program, so that processes which the tests start know it too.

#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdbool.h>
#include <stdint.h>

// The first report ends a program. Swift's runtime keeps metadata for ever, which is no leak.
const char *__asan_default_options(void) { return "halt_on_error=1:detect_leaks=0"; }
// ThreadSanitizer lets a program sleep for a second at its end; scenarios stop and start programs faster.
const char *__tsan_default_options(void) { return "halt_on_error=1:atexit_sleep_ms=0"; }

const char *__asan_default_suppressions(void) {
    // Foundation copies what readdir(3) gave as if every name in it took its 256 bytes.
    return "interceptor_via_fun:s10Foundation29findMaximumOpenFromProcSelfFD\n";
}

const char *__tsan_default_suppressions(void) {
    // SwiftNIO's allocator of receive buffers takes one again when isKnownUniquelyReferenced says that nobody else has
    // it. The thread that had it let go by swift_release; references are counted in libswiftCore.
    return "race:s7NIOCore10ByteBufferV22_modifyIfUniquelyOwned\n";
}

// A thread that has to wait for a Mutex takes and leaves it in libswiftSynchronization; one that need not does so in
// code of its own, which ThreadSanitizer sees. These stand before the library's, call them, and say what was done.

void __tsan_acquire(void *address) __attribute__((weak));
void __tsan_release(void *address) __attribute__((weak));

#define SWIFT __attribute__((swiftcall))
#define SELF __attribute__((swift_context)) void *
#define HANDLE "$s15Synchronization12_MutexHandleV"
#define LOCK HANDLE "9_lockSlowyys6UInt32VF"
#define TRY_LOCK HANDLE "12_tryLockSlowSbyF"
#define UNLOCK HANDLE "11_unlockSlowyyF"

static SWIFT void (*next_lock)(uint32_t thread, SELF mutex);
static SWIFT bool (*next_try_lock)(SELF mutex);
static SWIFT void (*next_unlock)(SELF mutex);

__attribute__((constructor)) static void find(void) {
    next_lock = dlsym(RTLD_NEXT, LOCK);
    next_try_lock = dlsym(RTLD_NEXT, TRY_LOCK);
    next_unlock = dlsym(RTLD_NEXT, UNLOCK);
}

SWIFT void lock(uint32_t thread, SELF mutex) __asm__(LOCK);
SWIFT void lock(uint32_t thread, SELF mutex) {
    next_lock(thread, mutex);
    if (__tsan_acquire) __tsan_acquire(mutex);
}

SWIFT bool try_lock(SELF mutex) __asm__(TRY_LOCK);
SWIFT bool try_lock(SELF mutex) {
    bool is_locked = next_try_lock(mutex);
    if (is_locked && __tsan_acquire) __tsan_acquire(mutex);
    return is_locked;
}

SWIFT void unlock(SELF mutex) __asm__(UNLOCK);
SWIFT void unlock(SELF mutex) {
    if (__tsan_release) __tsan_release(mutex);
    next_unlock(mutex);
}
