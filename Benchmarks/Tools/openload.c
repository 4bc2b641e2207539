// This source file is part of Gatecrash. SPDX-License-Identifier: Apache-2.0
//
// An open-loop load: request i is due at start + i / RATE, whatever became of those before it, and its latency counts
// from that moment, so that a server which stalls cannot hide the requests it kept from being sent. Independent of
// Gatecrash's own load generator, so that neither can hide a fault of the other.
//
//     openload PORT CONNECTIONS RATE SECONDS PATH [WARM_UP_SECONDS]
//
// Prints one JSON object: counts, latency from the planned start in microseconds, and how late the generator itself
// was in sending (microseconds, of requests that had a free connection).

#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { buffer_bytes = 65536, most_events = 256, drain_seconds = 5 };

struct connection {
    int descriptor;
    bool is_busy;
    int64_t due;
    /// Bytes of the body that are still to come, once the head is read; -1 before.
    long rest;
    size_t filled;
    char head[4096];
};

static int port;
static char request[2048];
static size_t request_bytes;
static struct connection *connections;
static int *idle;
static int idle_count;
static int poll_descriptor;
static long sent, completed, not_ok, broken, recorded;
static uint32_t *latencies, *lateness;
static long late_count;
static int64_t measured_from;

static int64_t now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (int64_t)time.tv_sec * 1000000000 + time.tv_nsec;
}

static bool open_connection(int index) {
    struct connection *connection = &connections[index];
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int on = 1;
    connection->descriptor = socket(AF_INET, SOCK_STREAM, 0);
    if (connection->descriptor < 0) return false;
    if (connect(connection->descriptor, (struct sockaddr *)&address, sizeof address) < 0) {
        close(connection->descriptor);
        connection->descriptor = -1;
        return false;
    }
    setsockopt(connection->descriptor, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    struct epoll_event event = {.events = EPOLLIN, .data.u32 = (uint32_t)index};
    epoll_ctl(poll_descriptor, EPOLL_CTL_ADD, connection->descriptor, &event);
    connection->is_busy = false;
    return true;
}

/// The exchange of a connection broke off: it counts, and the connection is made anew.
static void break_off(int index) {
    struct connection *connection = &connections[index];
    bool was_busy = connection->is_busy;
    close(connection->descriptor);
    if (was_busy) broken++;
    bool is_open = open_connection(index);
    if (is_open && was_busy) idle[idle_count++] = index;
}

static void send_request(int index, int64_t due, int64_t moment) {
    struct connection *connection = &connections[index];
    connection->is_busy = true;
    connection->due = due;
    connection->rest = -1;
    connection->filled = 0;
    sent++;
    if (due >= measured_from) lateness[late_count++] = (uint32_t)((moment - due) / 1000);
    if (send(connection->descriptor, request, request_bytes, MSG_NOSIGNAL) != (ssize_t)request_bytes) break_off(index);
}

static void complete(int index, int64_t moment) {
    struct connection *connection = &connections[index];
    connection->is_busy = false;
    completed++;
    idle[idle_count++] = index;
    // The server has had enough of this connection (keepalive_requests); the next request has another one.
    if (strcasestr(connection->head, "\r\nconnection: close")) break_off(index);
    if (strncmp(connection->head, "HTTP/1.1 200", 12) != 0) {
        not_ok++;
        return;
    }
    if (connection->due >= measured_from) latencies[recorded++] = (uint32_t)((moment - connection->due) / 1000);
}

/// Reads the length out of a head that is complete; -1 when it has none.
static long content_length(const char *head) {
    const char *line = strcasestr(head, "\r\ncontent-length:");
    return line ? atol(line + 17) : -1;
}

static void receive(int index, int64_t moment) {
    static char body[buffer_bytes];
    struct connection *connection = &connections[index];
    if (connection->rest >= 0) {
        ssize_t count = recv(connection->descriptor, body, sizeof body, MSG_DONTWAIT);
        if (count < 0 && errno == EAGAIN) return;
        if (count <= 0) return break_off(index);
        connection->rest -= count;
        if (connection->rest <= 0) complete(index, moment);
        return;
    }
    size_t room = sizeof connection->head - 1 - connection->filled;
    ssize_t count = recv(connection->descriptor, connection->head + connection->filled, room, MSG_DONTWAIT);
    if (count < 0 && errno == EAGAIN) return;
    if (count <= 0 || !connection->is_busy) return break_off(index);
    connection->filled += (size_t)count;
    connection->head[connection->filled] = 0;
    char *end = strstr(connection->head, "\r\n\r\n");
    if (!end) return;
    long length = content_length(connection->head);
    if (length < 0) return break_off(index);
    connection->rest = length - (long)(connection->head + connection->filled - (end + 4));
    if (connection->rest <= 0) complete(index, moment);
}

static int ascending(const void *a, const void *b) {
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return x < y ? -1 : x > y;
}

static uint32_t quantile(const uint32_t *sorted, long count, double share) {
    if (count == 0) return 0;
    long place = (long)((double)count * share);
    return sorted[place < count ? place : count - 1];
}

static void report(double rate, double seconds) {
    qsort(latencies, (size_t)recorded, sizeof *latencies, ascending);
    qsort(lateness, (size_t)late_count, sizeof *lateness, ascending);
    printf("{\"rate\":%.0f,\"seconds\":%.1f,\"sent\":%ld,\"completed\":%ld,\"not_ok\":%ld,\"broken\":%ld,"
           "\"p50\":%u,\"p90\":%u,\"p99\":%u,\"p999\":%u,\"max\":%u,\"late_p99\":%u}\n",
           rate, seconds, sent, completed, not_ok, broken, quantile(latencies, recorded, .5),
           quantile(latencies, recorded, .9), quantile(latencies, recorded, .99), quantile(latencies, recorded, .999),
           quantile(latencies, recorded, 1), quantile(lateness, late_count, .99));
}

static void run(double rate, int64_t start, int64_t end) {
    struct epoll_event events[most_events];
    long next = 0;
    double gap = 1e9 / rate;
    for (;;) {
        int64_t moment = now();
        int64_t due = start + (int64_t)((double)next * gap);
        while (due <= moment && due < end && idle_count > 0) {
            send_request(idle[--idle_count], due, moment);
            next++;
            due = start + (int64_t)((double)next * gap);
        }
        bool is_done = due >= end && sent - completed - broken <= 0;
        if (is_done || moment > end + (int64_t)drain_seconds * 1000000000) return;
        // Nothing is due before `due`; without a free connection only an answer can help.
        int64_t wait = due < end && idle_count > 0 ? due - moment : 20000000;
        struct timespec timeout = {.tv_sec = wait / 1000000000, .tv_nsec = wait % 1000000000};
        int ready = epoll_pwait2(poll_descriptor, events, most_events, &timeout, NULL);
        moment = now();
        for (int i = 0; i < ready; i++) receive((int)events[i].data.u32, moment);
    }
}

int main(int count, char **arguments) {
    if (count < 6) {
        fprintf(stderr, "usage: openload PORT CONNECTIONS RATE SECONDS PATH [WARM_UP_SECONDS]\n");
        return 2;
    }
    port = atoi(arguments[1]);
    int connection_count = atoi(arguments[2]);
    double rate = atof(arguments[3]), seconds = atof(arguments[4]);
    double warm_up = count > 6 ? atof(arguments[6]) : 0;
    request_bytes = (size_t)snprintf(
        request, sizeof request, "GET %s HTTP/1.1\r\nHost: 127.0.0.1:%d\r\n\r\n", arguments[5], port);
    long planned = (long)(rate * (seconds + warm_up)) + 1;
    connections = calloc((size_t)connection_count, sizeof *connections);
    idle = calloc((size_t)connection_count * 2, sizeof *idle);
    latencies = calloc((size_t)planned, sizeof *latencies);
    lateness = calloc((size_t)planned, sizeof *lateness);
    poll_descriptor = epoll_create1(0);
    if (!connections || !idle || !latencies || !lateness || poll_descriptor < 0) return 1;
    for (int i = 0; i < connection_count; i++) {
        if (!open_connection(i)) {
            fprintf(stderr, "openload: cannot connect to 127.0.0.1:%d: %s\n", port, strerror(errno));
            return 1;
        }
        idle[idle_count++] = i;
    }
    int64_t start = now();
    measured_from = start + (int64_t)(warm_up * 1e9);
    run(rate, start, measured_from + (int64_t)(seconds * 1e9));
    report(rate, seconds);
    return 0;
}
