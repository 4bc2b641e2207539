// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0
//
// libFuzzer's own entry (compiler-rt/lib/fuzzer/FuzzerInterface.h), for programs that have a main of their own.
#include <stddef.h>
#include <stdint.h>

int LLVMFuzzerRunDriver(int *argc, char ***argv, int (*callback)(const uint8_t *bytes, size_t count));
