#pragma once

// Linux calls and constants that Swift's Glibc overlay does not import: variadic functions,
// function-like macros, and constants with casts. Each says why it is here. Nothing in this file
// knows what a capsule is.

// Only plain integer types appear here: including <sys/stat.h> would make this module, and not
// Glibc, the owner of `stat` in Swift's eyes.
#include <stddef.h>
#include <stdint.h>

// Octal, cast or GNU-only constants, which the importer drops.
extern const int clinux_O_TMPFILE;
extern const int clinux_O_DIRECT;
extern const int clinux_O_PATH;
extern const int clinux_O_NOATIME;
extern const int clinux_SEEK_DATA;
extern const int clinux_SEEK_HOLE;

// open(2) and openat(2) are variadic.
int clinux_openat(int directory, const char *_Nonnull path, int flags, unsigned mode);

// Gives an unnamed file (O_TMPFILE) a name: needs the /proc/self/fd path and AT_SYMLINK_FOLLOW.
int clinux_link_unnamed(int fd, int directory, const char *_Nonnull name);

// renameat2(2) with RENAME_NOREPLACE where `no_replace` is not 0.
int clinux_renameat(int directory, const char *_Nonnull from, const char *_Nonnull to,
                    int no_replace);

// sync_file_range(2): starts writing a range; with `wait` not 0 also waits for it.
int clinux_sync_file_range(int fd, int64_t offset, int64_t length, int wait);

// syncfs(2), which needs _GNU_SOURCE.
int clinux_syncfs(int fd);

// fallocate(2) that makes a range a hole and keeps the size.
int clinux_punch(int fd, int64_t offset, int64_t length);

// SO_PEERCRED of a connected local socket: the user id of the other side, or -1; needs _GNU_SOURCE.
int64_t clinux_peer_uid(int socket);

// fcntl(2) is variadic: a whole-file open-file-description lock. 0, or -1 with errno.
int clinux_lock_file(int fd, int exclusive, int wait);

// prctl(2) and setrlimit(2): no core file, not attachable by another process of the same user.
int clinux_forbid_core_dumps(void);

// Raises the soft limit of open files to the hard one: the importer has two types for the resource.
void clinux_raise_open_files(void);

// syslog(3) is variadic. Facility daemon, level error or, with `is_error` 0, info.
void clinux_log(const char *_Nonnull program, const char *_Nonnull message, int is_error);

// major/minor/makedev are function-like macros.
uint32_t clinux_major(uint64_t device);
uint32_t clinux_minor(uint64_t device);
uint64_t clinux_makedev(uint32_t major, uint32_t minor);

// S_IS* are function-like macros; the file type bits of a mode.
extern const uint32_t clinux_S_IFMT;

// Reads a line from a terminal with the echo off, and restores the terminal before a signal such as
// SIGINT takes effect: a handler has to be a C function. The length without the line feed, or -1.
long clinux_read_secret_line(int terminal, char *_Nonnull line, size_t size);

// sigset_t has no initialiser in Swift. Blocks `signals` in this thread and all it starts.
int clinux_block_signals(const int *_Nonnull signals, int count);
// Waits for one of `signals` at most `timeout_ms` (negative: for ever); the signal, 0, or -1.
int clinux_wait_signal(const int *_Nonnull signals, int count, int timeout_ms);

// <sys/xattr.h> is not part of the Glibc overlay.
long clinux_listxattr(int fd, char *_Nullable list, size_t size);
long clinux_getxattr(int fd, const char *_Nonnull name, void *_Nullable value, size_t size);
long clinux_llistxattr(const char *_Nonnull path, char *_Nullable list, size_t size);
long clinux_lgetxattr(const char *_Nonnull path, const char *_Nonnull name,
                         void *_Nullable value, size_t size);
int clinux_setxattr(const char *_Nonnull path, const char *_Nonnull name,
                    const void *_Nullable value, size_t size);
int clinux_lsetxattr(const char *_Nonnull path, const char *_Nonnull name,
                     const void *_Nullable value, size_t size);
