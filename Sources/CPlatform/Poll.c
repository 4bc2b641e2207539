// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0

#ifdef __linux__

#define _GNU_SOURCE
#include "Poll.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdbool.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

enum { most_events = 256 };

static long answer(long result) { return result < 0 ? -errno : result; }

int gatecrash_poll_create(void) { return (int)answer(epoll_create1(EPOLL_CLOEXEC)); }

int gatecrash_poll_set(int poll, int descriptor, int how, uint32_t events, uint64_t token) {
    static const int operations[] = {EPOLL_CTL_ADD, EPOLL_CTL_MOD, EPOLL_CTL_DEL};
    struct epoll_event event = {.events = events, .data.u64 = token};
    return (int)answer(epoll_ctl(poll, operations[how], descriptor, &event));
}

static int wait_for(int poll, struct epoll_event *events, int count, int64_t nanoseconds) {
#ifdef SYS_epoll_pwait2
    // Older kernels do not have it, and some sandboxes do not allow it.
    static _Atomic bool is_missing = false;
    if (nanoseconds > 0 && !is_missing) {
        struct timespec time = {.tv_sec = nanoseconds / 1000000000, .tv_nsec = nanoseconds % 1000000000};
        long found = syscall(SYS_epoll_pwait2, poll, events, count, &time, NULL, (size_t)0);
        if (found >= 0 || (errno != ENOSYS && errno != EPERM)) return (int)answer(found);
        is_missing = true;
    }
#endif
    // Rounded up, so that nobody wakes before it is time.
    int64_t milliseconds = nanoseconds < 0 ? -1 : (nanoseconds + 999999) / 1000000;
    if (milliseconds > 3600000) milliseconds = 3600000;
    return (int)answer(epoll_wait(poll, events, count, (int)milliseconds));
}

int gatecrash_poll_wait(int poll, struct gatecrash_event *events, int count, int64_t nanoseconds) {
    struct epoll_event found[most_events];
    int number = wait_for(poll, found, count < most_events ? count : most_events, nanoseconds);
    if (number == -EINTR) return 0;
    for (int i = 0; i < number; i++) {
        events[i].token = found[i].data.u64;
        events[i].events = found[i].events;
    }
    return number;
}

void gatecrash_name_thread(const char *name) { pthread_setname_np(pthread_self(), name); }

int gatecrash_wake_create(void) { return (int)answer(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)); }

void gatecrash_wake(int descriptor) {
    uint64_t one = 1;
    // It cannot fail but for a counter that is full, and then it is readable already.
    ssize_t ignored = write(descriptor, &one, sizeof one);
    (void)ignored;
}

void gatecrash_wake_clear(int descriptor) {
    uint64_t count;
    ssize_t ignored = read(descriptor, &count, sizeof count);
    (void)ignored;
}

int gatecrash_socket(int family) {
    return (int)answer(socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
}

int gatecrash_listen(
    int descriptor, const struct sockaddr *address, socklen_t length, int backlog, int shares_port) {
    int on = 1;
    if (setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) < 0) return -errno;
    if (shares_port && setsockopt(descriptor, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on) < 0) return -errno;
    if (bind(descriptor, address, length) < 0) return -errno;
    return (int)answer(listen(descriptor, backlog));
}

void gatecrash_send_at_once(int descriptor) {
    int on = 1;
    // On a connection that is gone already it fails, which its first read will tell.
    setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

void gatecrash_shut_output(int descriptor) { shutdown(descriptor, SHUT_WR); }

void gatecrash_shut_input(int descriptor) { shutdown(descriptor, SHUT_RD); }

void gatecrash_close(int descriptor) { close(descriptor); }

int gatecrash_accept(int listener) {
    for (;;) {
        int descriptor = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (descriptor >= 0 || errno != EINTR) return (int)answer(descriptor);
    }
}

int gatecrash_connect(int descriptor, const struct sockaddr *address, socklen_t length) {
    int result = connect(descriptor, address, length);
    // An interrupted connect goes on by itself.
    return result < 0 && errno == EINTR ? -EINPROGRESS : (int)answer(result);
}

int gatecrash_socket_error(int descriptor) {
    int error = 0;
    socklen_t length = sizeof error;
    return getsockopt(descriptor, SOL_SOCKET, SO_ERROR, &error, &length) < 0 ? errno : error;
}

int gatecrash_datagram_socket(int family) {
    return (int)answer(socket(family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
}

int gatecrash_bind(int descriptor, const struct sockaddr *address, socklen_t length) {
    return (int)answer(bind(descriptor, address, length));
}

ssize_t gatecrash_receive_from(int descriptor, void *bytes, size_t count, struct sockaddr_storage *sender) {
    for (;;) {
        socklen_t length = sizeof *sender;
        ssize_t result = recvfrom(descriptor, bytes, count, 0, (struct sockaddr *)sender, &length);
        if (result >= 0 || errno != EINTR) return answer(result);
    }
}

ssize_t gatecrash_send_to(
    int descriptor, const void *bytes, size_t count, const struct sockaddr *receiver, socklen_t length) {
    for (;;) {
        ssize_t result = sendto(descriptor, bytes, count, MSG_NOSIGNAL, receiver, length);
        if (result >= 0 || errno != EINTR) return answer(result);
    }
}

// Straight to the kernel: the C library's own functions are points where a thread can be cancelled, which costs two
// atomic operations a call in a program of several threads.

ssize_t gatecrash_read(int descriptor, void *bytes, size_t count) {
    for (;;) {
        ssize_t result = syscall(SYS_recvfrom, descriptor, bytes, count, 0, NULL, NULL);
        if (result >= 0 || errno != EINTR) return answer(result);
    }
}

ssize_t gatecrash_write(int descriptor, const void *bytes, size_t count) {
    for (;;) {
        ssize_t result = syscall(SYS_sendto, descriptor, bytes, count, MSG_NOSIGNAL, NULL, 0);
        if (result >= 0 || errno != EINTR) return answer(result);
    }
}

ssize_t gatecrash_writev(int descriptor, const struct iovec *parts, int count) {
    struct msghdr message = {.msg_iov = (struct iovec *)parts, .msg_iovlen = (size_t)count};
    for (;;) {
        ssize_t result = syscall(SYS_sendmsg, descriptor, &message, MSG_NOSIGNAL);
        if (result >= 0 || errno != EINTR) return answer(result);
    }
}

#endif
