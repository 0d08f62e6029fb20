// A FUSE file system that does nothing: the ceiling `bench` measures a driver against.
//
// It has the metadata of a tree in memory, answers every read with zeros, and asks the kernel for
// everything that saves a request: readdirplus, no open, no opendir, timeouts that never end. What
// is left is the price of FUSE, which no driver can undercut by decrypting faster.
//
// usage: bench-emptyfs SOURCE MOUNTPOINT
// build: cc -O2 bench-emptyfs.c $(pkg-config --cflags --libs fuse3) -pthread

#define _GNU_SOURCE
#define FUSE_USE_VERSION 312

#include <dirent.h>
#include <errno.h>
#include <fuse_lowlevel.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bench-serve.h"

// Seconds. The kernel adds this to its clock, so it is large rather than the largest double.
#define FOREVER 1e9

// No request for contents or for a directory is larger: libfuse's own limit is 1 MiB as well.
#define LARGEST_REPLY (1024 * 1024)

struct node {
    char *name;
    char *target; // of a symbolic link
    size_t parent;
    size_t first_child; // children are neighbours, ordered by name
    size_t child_count;
    struct stat attributes;
};

static struct node *nodes;
static size_t node_count;
static size_t node_capacity;

// Never written to, so that every page of it is the kernel's one page of zeros.
static const char zeros[LARGEST_REPLY];

static void die(const char *what) {
    perror(what);
    exit(1);
}

static void *checked(void *pointer) {
    if (pointer == NULL) die("memory");
    return pointer;
}

static fuse_ino_t inode_of(size_t index) {
    return (fuse_ino_t)index + FUSE_ROOT_ID;
}

static struct node *node_of(fuse_ino_t inode) {
    return &nodes[inode - FUSE_ROOT_ID];
}

// MARK: Loading

static void add_node(const char *path, const char *name, size_t parent) {
    if (node_count == node_capacity) {
        node_capacity = node_capacity == 0 ? 1024 : node_capacity * 2;
        nodes = checked(realloc(nodes, node_capacity * sizeof *nodes));
    }
    struct node *node = &nodes[node_count];
    memset(node, 0, sizeof *node);
    if (lstat(path, &node->attributes) != 0) die(path);
    node->name = checked(strdup(name));
    node->parent = parent;
    node->attributes.st_ino = inode_of(node_count);
    if (S_ISLNK(node->attributes.st_mode)) {
        size_t length = (size_t)node->attributes.st_size;
        node->target = checked(calloc(1, length + 1));
        if (readlink(path, node->target, length) < 0) die(path);
    }
    node_count++;
}

// The path of a node below `source`, in a buffer the caller frees.
static char *path_of(const char *source, size_t index) {
    if (index == 0) return checked(strdup(source));
    char *above = path_of(source, nodes[index].parent);
    char *path = NULL;
    if (asprintf(&path, "%s/%s", above, nodes[index].name) < 0) die("memory");
    free(above);
    return path;
}

static int is_child(const struct dirent *entry) {
    return strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0;
}

// Not alphasort, which follows the locale: lookups compare bytes.
static int by_name(const struct dirent **left, const struct dirent **right) {
    return strcmp((*left)->d_name, (*right)->d_name);
}

static void add_children(const char *source, size_t directory) {
    char *path = path_of(source, directory);
    struct dirent **entries = NULL;
    int count = scandir(path, &entries, is_child, by_name);
    if (count < 0) die(path);
    nodes[directory].first_child = node_count;
    nodes[directory].child_count = (size_t)count;
    for (int i = 0; i < count; i++) {
        char *child = NULL;
        if (asprintf(&child, "%s/%s", path, entries[i]->d_name) < 0) die("memory");
        add_node(child, entries[i]->d_name, directory);
        free(child);
        free(entries[i]);
    }
    free(entries);
    free(path);
}

// Breadth first, which is what makes the children of a directory neighbours.
static void load(const char *source) {
    add_node(source, "", 0);
    for (size_t i = 0; i < node_count; i++) {
        if (S_ISDIR(nodes[i].attributes.st_mode)) add_children(source, i);
    }
}

// MARK: Serving

static void fill_entry(struct fuse_entry_param *entry, size_t index) {
    memset(entry, 0, sizeof *entry);
    entry->ino = inode_of(index);
    entry->attr = nodes[index].attributes;
    entry->attr_timeout = FOREVER;
    entry->entry_timeout = FOREVER;
}

static void empty_init(void *context, struct fuse_conn_info *connection) {
    (void)context;
    // Without `auto` the kernel never falls back to a lookup for each entry.
    connection->want &= ~(unsigned)FUSE_CAP_READDIRPLUS_AUTO;
    connection->want |= connection->capable
        & (FUSE_CAP_READDIRPLUS | FUSE_CAP_ASYNC_READ | FUSE_CAP_PARALLEL_DIROPS
           | FUSE_CAP_NO_OPENDIR_SUPPORT | FUSE_CAP_CACHE_SYMLINKS);
}

static void empty_lookup(fuse_req_t request, fuse_ino_t parent, const char *name) {
    size_t low = node_of(parent)->first_child;
    size_t high = low + node_of(parent)->child_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = strcmp(nodes[middle].name, name);
        if (order == 0) {
            struct fuse_entry_param entry;
            fill_entry(&entry, middle);
            fuse_reply_entry(request, &entry);
            return;
        }
        if (order < 0) low = middle + 1;
        else high = middle;
    }
    // An inode of zero with a timeout has the kernel remember the absence, which ENOENT does not.
    struct fuse_entry_param absent = { .entry_timeout = FOREVER };
    fuse_reply_entry(request, &absent);
}

static void empty_getattr(fuse_req_t request, fuse_ino_t inode, struct fuse_file_info *file) {
    (void)file;
    fuse_reply_attr(request, &node_of(inode)->attributes, FOREVER);
}

static void empty_readlink(fuse_req_t request, fuse_ino_t inode) {
    fuse_reply_readlink(request, node_of(inode)->target);
}

// The kernel takes ENOSYS as "never ask again", here and for directories.
static void empty_open(fuse_req_t request, fuse_ino_t inode, struct fuse_file_info *file) {
    (void)inode;
    (void)file;
    fuse_reply_err(request, ENOSYS);
}

static void empty_readdirplus(fuse_req_t request, fuse_ino_t inode, size_t size, off_t offset,
                              struct fuse_file_info *file) {
    static __thread char reply[LARGEST_REPLY];
    const struct node *directory = node_of(inode);
    size_t used = 0;
    (void)file;
    if (size > sizeof reply) size = sizeof reply;
    for (size_t i = (size_t)offset; i < directory->child_count; i++) {
        size_t child = directory->first_child + i;
        struct fuse_entry_param entry;
        fill_entry(&entry, child);
        size_t length = fuse_add_direntry_plus(request, reply + used, size - used,
                                               nodes[child].name, &entry, (off_t)i + 1);
        if (length > size - used) break;
        used += length;
    }
    fuse_reply_buf(request, reply, used);
}

static void empty_read(fuse_req_t request, fuse_ino_t inode, size_t size, off_t offset,
                       struct fuse_file_info *file) {
    off_t length = node_of(inode)->attributes.st_size;
    size_t left = offset < length ? (size_t)(length - offset) : 0;
    (void)file;
    if (size > left) size = left;
    if (size > sizeof zeros) size = sizeof zeros;
    fuse_reply_buf(request, zeros, size);
}

static const struct fuse_lowlevel_ops operations = {
    .init = empty_init,
    .lookup = empty_lookup,
    .getattr = empty_getattr,
    .readlink = empty_readlink,
    .open = empty_open,
    .opendir = empty_open,
    .readdirplus = empty_readdirplus,
    .read = empty_read,
};

int main(int count, char **words) {
    if (count != 3) {
        fprintf(stderr, "usage: %s SOURCE MOUNTPOINT\n", words[0]);
        return 2;
    }
    load(words[1]);
    char *options[] = { words[0], "-o", "ro,fsname=emptyfs,subtype=emptyfs" };
    struct fuse_args arguments = FUSE_ARGS_INIT(3, options);
    struct fuse_session *session =
        fuse_session_new(&arguments, &operations, sizeof operations, NULL);
    if (session == NULL || fuse_set_signal_handlers(session) != 0) return 1;
    if (fuse_session_mount(session, words[2]) != 0) return 1;
    // The session outlives the terminal, as with every other driver that is measured.
    if (fuse_daemonize(0) != 0) return 1;
    int status = serve(session);
    fuse_session_unmount(session);
    fuse_remove_signal_handlers(session);
    fuse_session_destroy(session);
    return status == 0 ? 0 : 1;
}
