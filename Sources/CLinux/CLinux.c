#define _GNU_SOURCE
#include "CLinux.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <syslog.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

const int clinux_O_TMPFILE = O_TMPFILE;
const int clinux_O_DIRECT = O_DIRECT;
const int clinux_O_PATH = O_PATH;
const int clinux_O_NOATIME = O_NOATIME;
const int clinux_SEEK_DATA = SEEK_DATA;
const int clinux_SEEK_HOLE = SEEK_HOLE;
const uint32_t clinux_S_IFMT = S_IFMT;

int clinux_openat(int directory, const char *path, int flags, unsigned mode) {
    return openat(directory, path, flags, mode);
}

int clinux_link_unnamed(int fd, int directory, const char *name) {
    char source[64];
    snprintf(source, sizeof source, "/proc/self/fd/%d", fd);
    return linkat(AT_FDCWD, source, directory, name, AT_SYMLINK_FOLLOW);
}

int clinux_renameat(int directory, const char *from, const char *to, int no_replace) {
    return renameat2(directory, from, directory, to, no_replace ? RENAME_NOREPLACE : 0);
}

int clinux_sync_file_range(int fd, int64_t offset, int64_t length, int wait) {
    unsigned int flags = SYNC_FILE_RANGE_WRITE;
    if (wait) {
        flags |= SYNC_FILE_RANGE_WAIT_BEFORE | SYNC_FILE_RANGE_WAIT_AFTER;
    }
    return sync_file_range(fd, offset, length, flags);
}

int clinux_lock_file(int fd, int exclusive, int wait) {
    struct flock lock = {
        .l_type = (short)(exclusive ? F_WRLCK : F_RDLCK),
        .l_whence = SEEK_SET,
    };
    return fcntl(fd, wait ? F_OFD_SETLKW : F_OFD_SETLK, &lock);
}

int clinux_forbid_core_dumps(void) {
    const struct rlimit none = {0, 0};
    if (setrlimit(RLIMIT_CORE, &none) != 0) {
        return -1;
    }
    return prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
}

void clinux_raise_open_files(void) {
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
        limit.rlim_cur = limit.rlim_max;
        setrlimit(RLIMIT_NOFILE, &limit);
    }
}

void clinux_log(const char *program, const char *message, int is_error) {
    openlog(program, LOG_PID, LOG_DAEMON);
    syslog(is_error ? LOG_ERR : LOG_INFO, "%s", message);
}

uint32_t clinux_major(uint64_t device) { return major(device); }
uint32_t clinux_minor(uint64_t device) { return minor(device); }
uint64_t clinux_makedev(uint32_t major_number, uint32_t minor_number) {
    return makedev(major_number, minor_number);
}

static volatile sig_atomic_t caught_signal;

static void note_signal(int number) { caught_signal = number; }

long clinux_read_secret_line(int terminal, char *line, size_t size) {
    static const int signals[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGTSTP};
    enum { signal_count = sizeof signals / sizeof signals[0] };
    struct sigaction old[signal_count];
    // Without SA_RESTART: the read below is interrupted.
    const struct sigaction note = {.sa_handler = note_signal};
    struct termios before;
    if (tcgetattr(terminal, &before) != 0) {
        return -1;
    }
    caught_signal = 0;
    for (int i = 0; i < signal_count; i++) {
        sigaction(signals[i], &note, &old[i]);
    }
    struct termios quiet = before;
    quiet.c_lflag &= ~(tcflag_t)ECHO;
    quiet.c_lflag |= ECHONL | ICANON | ISIG;
    tcsetattr(terminal, TCSAFLUSH, &quiet);
    size_t count = 0;
    long result = -1;
    while (count < size) {
        char byte;
        ssize_t got = read(terminal, &byte, 1);
        if (got != 1 || byte == '\n') {
            result = got == 1 || (got == 0 && count > 0) ? (long)count : -1;
            break;
        }
        line[count++] = byte;
    }
    int code = errno;
    tcsetattr(terminal, TCSAFLUSH, &before);
    for (int i = 0; i < signal_count; i++) {
        sigaction(signals[i], &old[i], NULL);
    }
    if (caught_signal != 0) {
        raise(caught_signal);
    }
    errno = code;
    return result;
}

static void fill(sigset_t *set, const int *signals, int count) {
    sigemptyset(set);
    for (int i = 0; i < count; i++) {
        sigaddset(set, signals[i]);
    }
}

int clinux_block_signals(const int *signals, int count) {
    sigset_t set;
    fill(&set, signals, count);
    errno = pthread_sigmask(SIG_BLOCK, &set, NULL);
    return errno == 0 ? 0 : -1;
}

int clinux_wait_signal(const int *signals, int count, int timeout_ms) {
    sigset_t set;
    fill(&set, signals, count);
    if (timeout_ms < 0) {
        return sigwaitinfo(&set, NULL);
    }
    const struct timespec limit = {timeout_ms / 1000, (timeout_ms % 1000) * 1000000L};
    int signal = sigtimedwait(&set, NULL, &limit);
    return signal < 0 && errno == EAGAIN ? 0 : signal;
}

long clinux_listxattr(int fd, char *list, size_t size) { return flistxattr(fd, list, size); }

long clinux_getxattr(int fd, const char *name, void *value, size_t size) {
    return fgetxattr(fd, name, value, size);
}

long clinux_llistxattr(const char *path, char *list, size_t size) {
    return llistxattr(path, list, size);
}

long clinux_lgetxattr(const char *path, const char *name, void *value, size_t size) {
    return lgetxattr(path, name, value, size);
}

int clinux_setxattr(const char *path, const char *name, const void *value, size_t size) {
    return setxattr(path, name, value, size, 0);
}

int clinux_lsetxattr(const char *path, const char *name, const void *value, size_t size) {
    return lsetxattr(path, name, value, size, 0);
}

int64_t clinux_peer_uid(int socket) {
    struct ucred peer;
    socklen_t length = sizeof peer;
    if (getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &peer, &length) != 0) return -1;
    return (int64_t)peer.uid;
}

int clinux_syncfs(int fd) { return syncfs(fd); }

int clinux_punch(int fd, int64_t offset, int64_t length) {
    return fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, offset, length);
}
