// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

#define _GNU_SOURCE
#include "GivingWay.h"

#ifdef __linux__
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

// As the Go runtime does for the same reason: programs take no notice of it unless they ask to.
static const int turn_over = SIGURG;

static __thread timer_t timer;
static __thread enum { unknown, ready, unavailable } state = unknown;
static __thread struct itimerspec turn;
static __thread volatile sig_atomic_t is_giving_way = 0;

// The timer is set anew only when the processor has come back, so that a turn is never over before it began.
static void give_way(int signal) {
    (void)signal;
    if (!is_giving_way) return;
    int error = errno;
    sched_yield();
    timer_settime(timer, 0, &turn, NULL);
    errno = error;
}

// sched_setattr(2) with sched_runtime, which is the slice of a thread of SCHED_OTHER since Linux 6.12.
static void shorten_slice(int niceness, long nanoseconds) {
    struct {
        uint32_t size, policy;
        uint64_t flags;
        int32_t niceness;
        uint32_t priority;
        uint64_t runtime, deadline, period;
    } attributes = {.size = sizeof attributes, .niceness = niceness, .runtime = (uint64_t)nanoseconds};
    syscall(SYS_sched_setattr, 0, &attributes, 0);
}

static void prepare(int niceness, long nanoseconds) {
    state = unavailable;
    setpriority(PRIO_PROCESS, 0, niceness);
    shorten_slice(getpriority(PRIO_PROCESS, 0), nanoseconds);

    struct sigaction now;
    if (sigaction(turn_over, NULL, &now) != 0) return;
    if (now.sa_handler != give_way) {
        if (now.sa_handler != SIG_DFL && now.sa_handler != SIG_IGN) return;
        struct sigaction action = {.sa_handler = give_way, .sa_flags = SA_RESTART};
        sigfillset(&action.sa_mask);
        if (sigaction(turn_over, &action, NULL) != 0) return;
    }
    struct sigevent event = {.sigev_notify = SIGEV_THREAD_ID, .sigev_signo = turn_over};
#ifdef sigev_notify_thread_id
    event.sigev_notify_thread_id = (pid_t)syscall(SYS_gettid);
#else
    event._sigev_un._tid = (pid_t)syscall(SYS_gettid);
#endif
    if (timer_create(CLOCK_MONOTONIC, &event, &timer) != 0) return;
    turn.it_value.tv_nsec = nanoseconds;
    state = ready;
}
#endif

void gatecrash_begin_giving_way(int niceness, long nanoseconds) {
#ifdef __linux__
    if (state == unknown) prepare(niceness, nanoseconds);
    if (state != ready) return;
    is_giving_way = 1;
    timer_settime(timer, 0, &turn, NULL);
#else
    (void)niceness;
    (void)nanoseconds;
#endif
}

void gatecrash_end_giving_way(void) {
#ifdef __linux__
    static const struct itimerspec never;
    if (state != ready) return;
    is_giving_way = 0;
    timer_settime(timer, 0, &never, NULL);
#endif
}
