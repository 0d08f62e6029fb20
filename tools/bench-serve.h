// How the file systems that `bench` measures a driver against take requests: one thread at a time,
// which looks for the next request for a moment before it sleeps, as to wake a thread costs more
// than to answer it. Only while it answers with many bytes does another thread receive.

#ifndef BENCH_SERVE_H
#define BENCH_SERVE_H

#include <errno.h>
#include <fuse_lowlevel.h>
#include <poll.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define BUSY_NANOSECONDS 50000
#define THREADS_MAX 16

// Where a request's head says what is wanted, and a read or a write how many bytes (fuse.h).
#define OPERATION_OFFSET 4
#define SIZE_OFFSET 56
#define LARGE_REQUEST (64 * 1024)
enum { READ_OPERATION = 15, WRITE_OPERATION = 16 };

struct service {
    struct fuse_session *session;
    pthread_mutex_t turn;
};

static long long nanoseconds(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000000000LL + now.tv_nsec;
}

static void look_busily(int device) {
    struct pollfd wanted = { .fd = device, .events = POLLIN };
    long long end = nanoseconds() + BUSY_NANOSECONDS;
    while (poll(&wanted, 1, 0) == 0 && nanoseconds() < end) { }
}

static int is_large(const struct fuse_buf *request, size_t length) {
    uint32_t operation, size;
    if (length < SIZE_OFFSET + sizeof size) return 0;
    memcpy(&operation, (const char *)request->mem + OPERATION_OFFSET, sizeof operation);
    memcpy(&size, (const char *)request->mem + SIZE_OFFSET, sizeof size);
    return (operation == READ_OPERATION || operation == WRITE_OPERATION) && size >= LARGE_REQUEST;
}

static void *receive(void *argument) {
    struct service *service = argument;
    struct fuse_session *session = service->session;
    struct fuse_buf request = { .mem = NULL };
    int has_turn = 0;
    while (!fuse_session_exited(session)) {
        if (!has_turn) pthread_mutex_lock(&service->turn);
        has_turn = 1;
        look_busily(fuse_session_fd(session));
        int length = fuse_session_receive_buf(session, &request);
        if (length == -EINTR) continue;
        if (length <= 0) break;
        if (is_large(&request, (size_t)length)) {
            has_turn = 0;
            pthread_mutex_unlock(&service->turn);
        }
        fuse_session_process_buf(session, &request);
    }
    fuse_session_exit(session);
    if (has_turn) pthread_mutex_unlock(&service->turn);
    free(request.mem);
    return NULL;
}

// Answers requests until the file system is unmounted, with as many threads as processors.
static int serve(struct fuse_session *session) {
    struct service service = { .session = session, .turn = PTHREAD_MUTEX_INITIALIZER };
    long processors = sysconf(_SC_NPROCESSORS_ONLN);
    long count = processors < 2 ? 2 : processors > THREADS_MAX ? THREADS_MAX : processors;
    pthread_t threads[THREADS_MAX];
    for (long i = 0; i < count; i++) {
        if (pthread_create(&threads[i], NULL, receive, &service) != 0) abort();
    }
    for (long i = 0; i < count; i++) pthread_join(threads[i], NULL);
    return 0;
}

#endif
