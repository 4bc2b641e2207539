// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0
//
// System calls that Swift cannot name: the C library declares them with a variable number of arguments, or only to
// programs that ask for extensions (_GNU_SOURCE).

#ifndef GATECRASH_CPLATFORM_H
#define GATECRASH_CPLATFORM_H

#include "Poll.h"

#include <spawn.h>

/// Asks the kernel to send `signal` to this process when the thread that started it ends (Linux, prctl(2)).
/// Returns 0, or -1 where the kernel has no such service.
int gatecrash_set_parent_death_signal(int signal);

/// pipe(2) with both ends closed on exec; atomically so where the system can.
int gatecrash_pipe(int ends[2]);

/// The started program shall have no descriptor from `first` on. Does nothing where the system cannot.
void gatecrash_spawn_close_from(posix_spawn_file_actions_t *actions, int first);

#endif
