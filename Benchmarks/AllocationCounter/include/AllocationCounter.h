// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0
//
// Counts the calls that ask the heap for memory. Linking this target puts it in front of the C library's own functions
// for the whole process; only tests and benchmarks do that.

#pragma once

#include <stdbool.h>
#include <stdint.h>

/// Whether this build can count: only with glibc, and not under AddressSanitizer and the like, which bring a heap of
/// their own.
bool allocation_counter_works(void);

/// From now on the calls of this thread are counted, from 0.
void allocation_counter_start(void);

/// How many calls there were since the start; counting ends.
uint64_t allocation_counter_stop(void);
