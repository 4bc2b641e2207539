// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0
//
// What an event loop needs of Linux: epoll, and system calls that say what went wrong in their answer (the negative
// errno), so that nothing has to be asked for afterwards. Interrupted calls are made again.

#ifndef GATECRASH_POLL_H
#define GATECRASH_POLL_H

#ifdef __linux__

#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <sys/uio.h>

struct gatecrash_event {
    uint64_t token;
    uint32_t events;
};

enum {
    gatecrash_readable = 0x1,
    gatecrash_writable = 0x4,
    gatecrash_failed = 0x8,
    gatecrash_hung_up = 0x10,
    /// The other side has closed its sending half.
    gatecrash_input_closed = 0x2000,
    /// Told when something has changed, not as long as it lasts.
    gatecrash_changes_only = 1u << 31,
};

/// How a descriptor's entry is changed.
enum { gatecrash_add, gatecrash_change, gatecrash_remove };

int gatecrash_poll_create(void);
int gatecrash_poll_set(int poll, int descriptor, int how, uint32_t events, uint64_t token);

/// For debuggers and `top -H`; of the thread that calls.
void gatecrash_name_thread(const char *name);

/// Waits for events, at most `nanoseconds`, or for ever when that is negative. Returns how many there are; 0 when
/// interrupted.
int gatecrash_poll_wait(int poll, struct gatecrash_event *events, int count, int64_t nanoseconds);

/// A descriptor that becomes readable when somebody calls `gatecrash_wake`, until `gatecrash_wake_clear`.
int gatecrash_wake_create(void);
void gatecrash_wake(int descriptor);
void gatecrash_wake_clear(int descriptor);

/// A TCP socket that does not block and is closed on exec.
int gatecrash_socket(int family);
/// Binds and listens, with SO_REUSEADDR, and with SO_REUSEPORT when the port is shared. Returns 0 or a negative errno.
int gatecrash_listen(
    int descriptor, const struct sockaddr *address, socklen_t length, int backlog, int shares_port);
int gatecrash_accept(int listener);
/// TCP_NODELAY: small answers go out at once.
void gatecrash_send_at_once(int descriptor);
/// shutdown(2) of the sending half.
void gatecrash_shut_output(int descriptor);
void gatecrash_shut_input(int descriptor);
void gatecrash_close(int descriptor);
/// Returns 0, or -EINPROGRESS as a rule.
int gatecrash_connect(int descriptor, const struct sockaddr *address, socklen_t length);
/// The error that is pending on a socket, 0 when there is none.
int gatecrash_socket_error(int descriptor);

/// A UDP socket that does not block and is closed on exec.
int gatecrash_datagram_socket(int family);
int gatecrash_bind(int descriptor, const struct sockaddr *address, socklen_t length);
ssize_t gatecrash_receive_from(int descriptor, void *bytes, size_t count, struct sockaddr_storage *sender);
ssize_t gatecrash_send_to(
    int descriptor, const void *bytes, size_t count, const struct sockaddr *receiver, socklen_t length);

ssize_t gatecrash_read(int descriptor, void *bytes, size_t count);
ssize_t gatecrash_write(int descriptor, const void *bytes, size_t count);
ssize_t gatecrash_writev(int descriptor, const struct iovec *parts, int count);

#endif

#endif
