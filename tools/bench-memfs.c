// A FUSE file system in memory: the ceiling `bench` measures writing against.
//
// It begins empty, keeps everything in memory, encrypts nothing, and asks the kernel for everything
// that saves a request: the write-back cache, readdirplus, no open, no create, no flush, no access,
// timeouts that never end. What is left is the price of FUSE and of one copy of the contents.
//
// An operation that is not in the table below is answered ENOSYS by libfuse, and the kernel never
// asks again: fsync, xattrs and fallocate cost nothing, and mknod stands for create.
//
// usage: bench-memfs MOUNTPOINT MIB
// MIB is how much memory it takes at once; it takes more when it has to.
//
// build: cc -O2 bench-memfs.c $(pkg-config --cflags --libs fuse3) -pthread

#define _GNU_SOURCE
#define FUSE_USE_VERSION 312

#include <errno.h>
#include <sys/statvfs.h>
#include <sys/sysinfo.h>

#include "bench-memfs.h"
#include "bench-serve.h"

// Seconds. The kernel adds this to its clock, so it is large rather than the largest double.
#define FOREVER 1e9

// No request for contents or for a directory is larger: libfuse's own limit is 1 MiB as well.
#define LARGEST_REPLY (1024 * 1024)

// The parts of a reply: whole chunks, one begun in its middle, one that ends there, and the hole
// behind a first chunk that is small.
#define REPLY_PARTS (LARGEST_REPLY / CHUNK_SIZE + 3)

// The caller has `names`, so that the node is not freed before the kernel's mention is counted.
static void fill_entry(struct fuse_entry_param *entry, struct node *node) {
    memset(entry, 0, sizeof *entry);
    atomic_fetch_add(&node->lookups, 1);
    entry->ino = inode_of(node);
    entry->attr = attributes_of(node);
    entry->attr_timeout = FOREVER;
    entry->entry_timeout = FOREVER;
}

// MARK: Serving names

static void memory_init(void *context, struct fuse_conn_info *connection) {
    (void)context;
    // Without `auto` the kernel never falls back to a lookup for each entry. With O_TRUNC it would
    // leave truncating to an open that is never asked for.
    connection->want &= ~(unsigned)(FUSE_CAP_READDIRPLUS_AUTO | FUSE_CAP_ATOMIC_O_TRUNC
                                    | FUSE_CAP_SPLICE_READ | FUSE_CAP_SPLICE_WRITE);
    connection->want |= connection->capable
        & (FUSE_CAP_READDIRPLUS | FUSE_CAP_ASYNC_READ | FUSE_CAP_PARALLEL_DIROPS
           | FUSE_CAP_NO_OPEN_SUPPORT | FUSE_CAP_NO_OPENDIR_SUPPORT | FUSE_CAP_CACHE_SYMLINKS
           | FUSE_CAP_WRITEBACK_CACHE | FUSE_CAP_ASYNC_DIO);
    connection->max_background = 64;
    connection->congestion_threshold = 48;
}

static void memory_lookup(fuse_req_t request, fuse_ino_t parent, const char *name) {
    // An inode of zero with a timeout has the kernel remember the absence, which ENOENT does not.
    struct fuse_entry_param found = { .entry_timeout = FOREVER };
    pthread_rwlock_rdlock(&names);
    struct entry *entry = find(&node_of(parent)->directory, name);
    if (entry != NULL) fill_entry(&found, entry->node);
    pthread_rwlock_unlock(&names);
    fuse_reply_entry(request, &found);
}

static void forget_one(fuse_ino_t inode, uint64_t count) {
    struct node *node = node_of(inode);
    // Without a mention, whoever removes the last name may free it at once; before, nobody can.
    pthread_rwlock_rdlock(&names);
    uint64_t left = atomic_fetch_sub(&node->lookups, count) - count;
    int unused = left == 0 && is_unused(node);
    pthread_rwlock_unlock(&names);
    // With neither name nor mention there is no way to it any more but this one.
    if (unused) free_node(node);
}

static void memory_forget(fuse_req_t request, fuse_ino_t inode, uint64_t count) {
    forget_one(inode, count);
    fuse_reply_none(request);
}

static void memory_forget_multi(fuse_req_t request, size_t count, struct fuse_forget_data *all) {
    for (size_t i = 0; i < count; i++) forget_one(all[i].ino, all[i].nlookup);
    fuse_reply_none(request);
}

// Gives a new node a name, or throws it away if the name is taken.
static void reply_new(fuse_req_t request, fuse_ino_t parent, const char *name, struct node *node) {
    struct fuse_entry_param entry;
    int error = strlen(name) > LONGEST_NAME ? ENAMETOOLONG : 0;
    pthread_rwlock_wrlock(&names);
    if (error == 0 && find(&node_of(parent)->directory, name) != NULL) error = EEXIST;
    if (error == 0) {
        add(node_of(parent), name, node);
        fill_entry(&entry, node);
    }
    pthread_rwlock_unlock(&names);
    if (error == 0) {
        fuse_reply_entry(request, &entry);
    } else {
        free_node(node);
        fuse_reply_err(request, error);
    }
}

static void memory_mknod(fuse_req_t request, fuse_ino_t parent, const char *name, mode_t mode,
                         dev_t device) {
    reply_new(request, parent, name, new_node(request, mode, device));
}

static void memory_mkdir(fuse_req_t request, fuse_ino_t parent, const char *name, mode_t mode) {
    reply_new(request, parent, name, new_node(request, S_IFDIR | (mode & 07777), 0));
}

static void memory_symlink(fuse_req_t request, const char *target, fuse_ino_t parent,
                           const char *name) {
    struct node *node = new_node(request, S_IFLNK | 0777, 0);
    node->target = checked(strdup(target));
    node->attributes.st_size = (off_t)strlen(target);
    reply_new(request, parent, name, node);
}

static void memory_link(fuse_req_t request, fuse_ino_t inode, fuse_ino_t parent,
                        const char *name) {
    struct fuse_entry_param entry;
    struct node *node = node_of(inode);
    int error = strlen(name) > LONGEST_NAME ? ENAMETOOLONG : 0;
    pthread_rwlock_wrlock(&names);
    if (error == 0 && find(&node_of(parent)->directory, name) != NULL) error = EEXIST;
    if (error == 0) {
        add(node_of(parent), name, node);
        count_links(node, 1);
        fill_entry(&entry, node);
    }
    pthread_rwlock_unlock(&names);
    if (error == 0) fuse_reply_entry(request, &entry);
    else fuse_reply_err(request, error);
}

static void memory_readlink(fuse_req_t request, fuse_ino_t inode) {
    fuse_reply_readlink(request, node_of(inode)->target);
}

// Takes the last name of a directory, or one of a file. The caller has `names` for writing.
static int remove_entry(struct node *parent, struct entry *entry) {
    struct node *node = entry->node;
    if (is_directory(node) && node->directory.entry_count > 0) return ENOTEMPTY;
    take_out(parent, entry);
    drop_link(node);
    return 0;
}

// The kernel has looked the name up and knows whether it is a directory.
static void memory_remove(fuse_req_t request, fuse_ino_t parent, const char *name) {
    pthread_rwlock_wrlock(&names);
    struct entry *entry = find(&node_of(parent)->directory, name);
    int error = entry == NULL ? ENOENT : remove_entry(node_of(parent), entry);
    pthread_rwlock_unlock(&names);
    fuse_reply_err(request, error);
}

// The kernel has refused to move a directory below itself, or onto something of another kind.
static int move(struct node *from, const char *name, struct node *to, const char *new_name,
                unsigned flags) {
    struct entry *entry = find(&from->directory, name);
    struct entry *replaced = find(&to->directory, new_name);
    if (entry == NULL) return ENOENT;
    if (strlen(new_name) > LONGEST_NAME) return ENAMETOOLONG;
    if (replaced != NULL) {
        if (flags & RENAME_NOREPLACE) return EEXIST;
        if (replaced->node == entry->node) return 0;
        int error = remove_entry(to, replaced);
        if (error != 0) return error;
    }
    struct node *node = entry->node;
    take_out(from, entry);
    add(to, new_name, node);
    count_links(node, 0);
    return 0;
}

static void memory_rename(fuse_req_t request, fuse_ino_t parent, const char *name,
                          fuse_ino_t new_parent, const char *new_name, unsigned flags) {
    int error = EINVAL; // no workload exchanges two names
    if ((flags & ~(unsigned)RENAME_NOREPLACE) == 0) {
        pthread_rwlock_wrlock(&names);
        error = move(node_of(parent), name, node_of(new_parent), new_name, flags);
        pthread_rwlock_unlock(&names);
    }
    fuse_reply_err(request, error);
}

static void memory_readdirplus(fuse_req_t request, fuse_ino_t inode, size_t size, off_t offset,
                               struct fuse_file_info *file) {
    static __thread char reply[LARGEST_REPLY];
    const struct directory *directory = &node_of(inode)->directory;
    size_t used = 0;
    (void)file;
    if (size > sizeof reply) size = sizeof reply;
    pthread_rwlock_rdlock(&names);
    for (size_t i = slot_behind(directory, (uint64_t)offset); i < directory->slot_count; i++) {
        const struct slot *slot = &directory->slots[i];
        struct fuse_entry_param entry;
        if (slot->entry == NULL) continue;
        fill_entry(&entry, slot->entry->node);
        size_t length = fuse_add_direntry_plus(request, reply + used, size - used,
                                               slot->entry->name, &entry, (off_t)slot->number);
        if (length > size - used) {
            // The kernel is not told of it after all.
            atomic_fetch_sub(&slot->entry->node->lookups, 1);
            break;
        }
        used += length;
    }
    pthread_rwlock_unlock(&names);
    fuse_reply_buf(request, reply, used);
}

// MARK: Serving attributes and contents

// The kernel takes ENOSYS as "never ask again", here and for directories.
static void memory_open(fuse_req_t request, fuse_ino_t inode, struct fuse_file_info *file) {
    (void)inode;
    (void)file;
    fuse_reply_err(request, ENOSYS);
}

static void memory_getattr(fuse_req_t request, fuse_ino_t inode, struct fuse_file_info *file) {
    struct stat attributes = attributes_of(node_of(inode));
    (void)file;
    fuse_reply_attr(request, &attributes, FOREVER);
}

static void memory_setattr(fuse_req_t request, fuse_ino_t inode, struct stat *wanted, int set,
                           struct fuse_file_info *file) {
    struct node *node = node_of(inode);
    struct stat *attributes = &node->attributes;
    struct timespec time = now();
    (void)file;
    pthread_rwlock_wrlock(&node->lock);
    attributes->st_ctim = set & FUSE_SET_ATTR_CTIME ? wanted->st_ctim : time;
    if (set & FUSE_SET_ATTR_MODE) {
        attributes->st_mode = (attributes->st_mode & S_IFMT) | (wanted->st_mode & 07777);
    }
    if (set & FUSE_SET_ATTR_UID) attributes->st_uid = wanted->st_uid;
    if (set & FUSE_SET_ATTR_GID) attributes->st_gid = wanted->st_gid;
    if (set & FUSE_SET_ATTR_SIZE) {
        if (wanted->st_size < attributes->st_size) {
            shorten(&node->contents, (size_t)wanted->st_size);
        }
        attributes->st_size = wanted->st_size;
        attributes->st_mtim = time;
    }
    if (set & FUSE_SET_ATTR_ATIME) attributes->st_atim = wanted->st_atim;
    if (set & FUSE_SET_ATTR_ATIME_NOW) attributes->st_atim = time;
    if (set & FUSE_SET_ATTR_MTIME) attributes->st_mtim = wanted->st_mtim;
    if (set & FUSE_SET_ATTR_MTIME_NOW) attributes->st_mtim = time;
    pthread_rwlock_unlock(&node->lock);
    memory_getattr(request, inode, NULL);
}

// Answers from the chunks themselves: the only copy is the kernel's.
static void memory_read(fuse_req_t request, fuse_ino_t inode, size_t size, off_t offset,
                        struct fuse_file_info *file) {
    struct node *node = node_of(inode);
    struct iovec parts[REPLY_PARTS];
    int count = 0;
    (void)file;
    if (size > LARGEST_REPLY) size = LARGEST_REPLY;
    pthread_rwlock_rdlock(&node->lock);
    const struct contents *contents = &node->contents;
    size_t at = (size_t)offset, end = (size_t)node->attributes.st_size;
    if (end > at + size) end = at + size;
    while (at < end) {
        size_t index = at >> CHUNK_BITS, within = at & (CHUNK_SIZE - 1);
        size_t length = CHUNK_SIZE - within < end - at ? CHUNK_SIZE - within : end - at;
        const char *chunk = index < contents->chunk_count ? contents->chunks[index] : NULL;
        size_t there = chunk == NULL ? 0 : (size_t)1 << bits_of_chunk(contents, index);
        if (within >= there) {
            chunk = zeros;
        } else {
            chunk += within;
            // The first chunk may end before the file does; what follows is a hole.
            if (length > there - within) length = there - within;
        }
        parts[count++] = (struct iovec){ (void *)(uintptr_t)chunk, length };
        at += length;
    }
    // Under the lock, so that nothing is freed that is being sent.
    fuse_reply_iov(request, parts, count);
    pthread_rwlock_unlock(&node->lock);
}

static void memory_write(fuse_req_t request, fuse_ino_t inode, const char *from, size_t size,
                         off_t offset, struct fuse_file_info *file) {
    struct node *node = node_of(inode);
    size_t at = (size_t)offset, end = at + size;
    (void)file;
    if (size == 0) {
        fuse_reply_write(request, 0);
        return;
    }
    pthread_rwlock_wrlock(&node->lock);
    reserve(&node->contents, at, size);
    if (node->attributes.st_size < (off_t)end) node->attributes.st_size = (off_t)end;
    // The times are the kernel's, which has had the write in its cache and sends them after it.
    pthread_rwlock_unlock(&node->lock);
    // Several writes of one file are copied at once: the kernel sends no two for the same page, and
    // no truncation while one is under way.
    pthread_rwlock_rdlock(&node->lock);
    while (at < end) {
        size_t index = at >> CHUNK_BITS, within = at & (CHUNK_SIZE - 1);
        size_t length = CHUNK_SIZE - within < end - at ? CHUNK_SIZE - within : end - at;
        memcpy(node->contents.chunks[index] + within, from, length);
        at += length;
        from += length;
    }
    pthread_rwlock_unlock(&node->lock);
    fuse_reply_write(request, size);
}

// The memory of the machine: as much as a file system of this kind could hold.
static void memory_statfs(fuse_req_t request, fuse_ino_t inode) {
    struct sysinfo machine;
    struct statvfs status = { .f_bsize = 4096, .f_frsize = 4096, .f_namemax = LONGEST_NAME };
    (void)inode;
    sysinfo(&machine);
    status.f_blocks = (fsblkcnt_t)machine.totalram * machine.mem_unit / 4096;
    fsblkcnt_t used = (fsblkcnt_t)(atomic_load(&bytes_used) / 4096);
    status.f_bfree = status.f_bavail = used < status.f_blocks ? status.f_blocks - used : 0;
    status.f_files = status.f_ffree = status.f_favail = 1u << 30;
    fuse_reply_statfs(request, &status);
}

static const struct fuse_lowlevel_ops operations = {
    .init = memory_init,
    .lookup = memory_lookup,
    .forget = memory_forget,
    .forget_multi = memory_forget_multi,
    .getattr = memory_getattr,
    .setattr = memory_setattr,
    .readlink = memory_readlink,
    .mknod = memory_mknod,
    .mkdir = memory_mkdir,
    .symlink = memory_symlink,
    .link = memory_link,
    .unlink = memory_remove,
    .rmdir = memory_remove,
    .rename = memory_rename,
    .open = memory_open,
    .opendir = memory_open,
    .readdirplus = memory_readdirplus,
    .read = memory_read,
    .write = memory_write,
    .statfs = memory_statfs,
};

int main(int count, char **words) {
    if (count != 3) {
        fprintf(stderr, "usage: %s MOUNTPOINT MIB\n", words[0]);
        return 2;
    }
    populate((strtoul(words[2], NULL, 10) + 1) << 20);
    root = new_node(NULL, S_IFDIR | 0755, 0);
    char *options[] = { words[0], "-o", "fsname=memfs,subtype=memfs" };
    struct fuse_args arguments = FUSE_ARGS_INIT(3, options);
    struct fuse_session *session =
        fuse_session_new(&arguments, &operations, sizeof operations, NULL);
    if (session == NULL || fuse_set_signal_handlers(session) != 0) return 1;
    if (fuse_session_mount(session, words[1]) != 0) return 1;
    // The session outlives the terminal, as with every other driver that is measured.
    if (fuse_daemonize(0) != 0) return 1;
    int status = serve(session);
    fuse_session_unmount(session);
    fuse_remove_signal_handlers(session);
    fuse_session_destroy(session);
    return status == 0 ? 0 : 1;
}
