// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

#define _GNU_SOURCE
#include "CPlatform.h"

#include <fcntl.h>
#include <unistd.h>
#ifdef __linux__
#include <sched.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#endif

int gatecrash_set_parent_death_signal(int signal) {
#ifdef __linux__
    return prctl(PR_SET_PDEATHSIG, (unsigned long)signal, 0UL, 0UL, 0UL);
#else
    (void)signal;
    return -1;
#endif
}

int gatecrash_pipe(int ends[2]) {
#ifdef __linux__
    return pipe2(ends, O_CLOEXEC);
#else
    if (pipe(ends) != 0) return -1;
    fcntl(ends[0], F_SETFD, FD_CLOEXEC);
    fcntl(ends[1], F_SETFD, FD_CLOEXEC);
    return 0;
#endif
}

void gatecrash_spawn_close_from(posix_spawn_file_actions_t *actions, int first) {
#if defined(__GLIBC__) && defined(__GLIBC_PREREQ)
#if __GLIBC_PREREQ(2, 34)
    posix_spawn_file_actions_addclosefrom_np(actions, first);
#endif
#endif
    (void)actions;
    (void)first;
}

int gatecrash_limit_descriptors(pid_t process, uint64_t limit, uint64_t *former) {
#ifdef __linux__
    struct rlimit now;
    if (prlimit(process, RLIMIT_NOFILE, NULL, &now) != 0) return -1;
    *former = (uint64_t)now.rlim_cur;
    now.rlim_cur = (rlim_t)limit < now.rlim_max ? (rlim_t)limit : now.rlim_max;
    return prlimit(process, RLIMIT_NOFILE, &now, NULL);
#else
    (void)process;
    (void)limit;
    (void)former;
    return -1;
#endif
}

int gatecrash_processors(pid_t process, int *numbers, int room) {
    int count = 0;
#ifdef __linux__
    cpu_set_t set;
    if (sched_getaffinity(process, sizeof set, &set) != 0) return 0;
    for (int number = 0; number < CPU_SETSIZE && count < room; number++)
        if (CPU_ISSET(number, &set)) numbers[count++] = number;
#else
    (void)process;
    (void)numbers;
    (void)room;
#endif
    return count;
}

int gatecrash_pin(int processor) {
#ifdef __linux__
    cpu_set_t set;
    if (processor < 0 || processor >= CPU_SETSIZE) return -1;
    CPU_ZERO(&set);
    CPU_SET(processor, &set);
    return sched_setaffinity(0, sizeof set, &set);
#else
    (void)processor;
    return -1;
#endif
}
