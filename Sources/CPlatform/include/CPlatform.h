// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0
//
// System calls that Swift cannot name: the C library declares them with a variable number of arguments, or only to
// programs that ask for extensions (_GNU_SOURCE).

#ifndef GATECRASH_CPLATFORM_H
#define GATECRASH_CPLATFORM_H

#include "GivingWay.h"
#include "Poll.h"

#include <spawn.h>
#include <stdint.h>
#include <sys/types.h>

/// Asks the kernel to send `signal` to this process when the thread that started it ends (Linux, prctl(2)).
/// Returns 0, or -1 where the kernel has no such service.
int gatecrash_set_parent_death_signal(int signal);

/// pipe(2) with both ends closed on exec; atomically so where the system can.
int gatecrash_pipe(int ends[2]);

/// The started program shall have no descriptor from `first` on. Does nothing where the system cannot.
void gatecrash_spawn_close_from(posix_spawn_file_actions_t *actions, int first);

/// Sets the soft limit of open descriptors of a running process and gives the one that was (Linux, prlimit(2)).
/// Returns 0, or -1 where that cannot be.
int gatecrash_limit_descriptors(pid_t process, uint64_t limit, uint64_t *former);

/// The numbers of the processors that a process may run on (Linux, sched_getaffinity(2)).
/// Returns how many there are, at most `room`; 0 where the system does not tell.
int gatecrash_processors(pid_t process, int *numbers, int room);

/// Binds this process to one processor. Returns 0, or -1 where that cannot be.
int gatecrash_pin(int processor);

#endif
