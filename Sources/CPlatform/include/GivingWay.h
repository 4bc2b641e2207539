// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0
//
// A thread that gives the processor back at short intervals. The kernel lets a thread finish a turn of some
// milliseconds before another one runs that woke up meanwhile, whatever its priority; an event loop must not wait so
// long for work that nobody is waiting for.

#ifndef GATECRASH_GIVING_WAY_H
#define GATECRASH_GIVING_WAY_H

/// From here on the calling thread lets those run that want its processor (sched_yield(2)), each `nanoseconds` that it
/// had it. It also gets `niceness` (see setpriority(2)), and a slice of that length; both stay. With the processor to
/// itself it loses nothing but a few percent. Always the same values on a thread.
///
/// On Linux, by a timer of the thread's own and SIGURG: unless the program handles that signal otherwise. Elsewhere
/// nothing changes.
void gatecrash_begin_giving_way(int niceness, long nanoseconds);

/// Until here. To be called by the same thread, before it waits for anything.
void gatecrash_end_giving_way(void);

#endif
