// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0
//
// The floor under every proxy: for each client connection one connection to the backend, and of each request nothing
// but the system calls that nobody can do without: epoll_wait, read, write, read, write. It looks at no byte, so it is
// no proxy; it says what the kernel takes for the work, and what is above it is the proxy's own.
//
//     floor PORT BACKEND_PORT       both on 127.0.0.1; ends with SIGTERM
//
// One read is taken to be one message, which holds for the short requests and answers it is measured with.

#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { most_descriptors = 65536, buffer_bytes = 65536, most_events = 256 };

/// The other end of each descriptor; 0 is the listener's and never a peer.
static int peers[most_descriptors];
static char buffer[buffer_bytes];

static _Noreturn void fail(const char *what) {
    perror(what);
    exit(1);
}

static struct sockaddr_in loopback(int port) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return address;
}

static int listen_on(int port) {
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    int on = 1;
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    struct sockaddr_in address = loopback(port);
    if (bind(listener, (struct sockaddr *)&address, sizeof address) < 0) fail("bind");
    if (listen(listener, 4096) < 0) fail("listen");
    return listener;
}

static void watch(int poll, int descriptor) {
    struct epoll_event event = {.events = EPOLLIN, .data.fd = descriptor};
    if (epoll_ctl(poll, EPOLL_CTL_ADD, descriptor, &event) < 0) fail("epoll_ctl");
}

static void accept_client(int poll, int listener, int backend_port) {
    int client = accept4(listener, NULL, NULL, SOCK_NONBLOCK);
    if (client < 0) return;
    // Blocking until connected: this happens once a connection, not once a request.
    int backend = socket(AF_INET, SOCK_STREAM, 0);
    struct sockaddr_in address = loopback(backend_port);
    int on = 1;
    if (client >= most_descriptors || backend < 0 || backend >= most_descriptors
        || connect(backend, (struct sockaddr *)&address, sizeof address) < 0) {
        close(client);
        if (backend >= 0) close(backend);
        return;
    }
    setsockopt(client, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    setsockopt(backend, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    peers[client] = backend;
    peers[backend] = client;
    watch(poll, client);
    watch(poll, backend);
}

static void forward(int from) {
    int to = peers[from];
    if (to == 0) return;
    ssize_t count = read(from, buffer, sizeof buffer);
    if (count < 0 && errno == EAGAIN) return;
    if (count > 0 && write(to, buffer, (size_t)count) == count) return;
    peers[from] = peers[to] = 0;
    close(from);
    close(to);
}

int main(int count, char **arguments) {
    if (count != 3) {
        fprintf(stderr, "usage: floor PORT BACKEND_PORT\n");
        return 2;
    }
    int backend_port = atoi(arguments[2]);
    int listener = listen_on(atoi(arguments[1]));
    int poll = epoll_create1(0);
    watch(poll, listener);
    struct epoll_event events[most_events];
    for (;;) {
        int ready = epoll_wait(poll, events, most_events, -1);
        for (int i = 0; i < ready; i++) {
            if (events[i].data.fd == listener) accept_client(poll, listener, backend_port);
            else forward(events[i].data.fd);
        }
    }
}
