// What bench-memfs.c keeps: nodes, their names, and memory for contents.

#ifndef BENCH_MEMFS_H
#define BENCH_MEMFS_H

#include <fuse_lowlevel.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

// Contents are kept in chunks. Only the first chunk of a file may be smaller.
#define CHUNK_BITS 18
#define CHUNK_SIZE ((size_t)1 << CHUNK_BITS)
#define SMALLEST_BITS 12
#define REGION_SIZE ((size_t)64 << 20)

#define LONGEST_NAME 255

struct entry {
    struct entry *next; // in its bucket
    struct node *node;
    size_t slot;
    uint32_t hash;
    uint8_t length;
    char name[];
};

// Slots are in the order of creation, and a reader goes on behind a number, not behind an index,
// so that it neither repeats nor skips what was there all along.
struct slot {
    uint64_t number;
    struct entry *entry; // NULL once it is removed
};

struct directory {
    struct entry **buckets;
    struct slot *slots;
    size_t bucket_count;
    size_t slot_count;
    size_t slot_capacity;
    size_t entry_count;
    uint64_t last_number;
};

struct contents {
    char **chunks;
    size_t chunk_count;
    unsigned first_bits; // the size of the first chunk
};

// Links are guarded by `names`, the attributes and the contents by the node's own lock, which is
// taken last.
struct node {
    pthread_rwlock_t lock;
    struct stat attributes;
    atomic_ullong lookups; // how often the kernel was told of it and has not forgotten
    union {
        struct directory directory;
        struct contents contents;
        char *target; // of a symbolic link
    };
};

static pthread_rwlock_t names = PTHREAD_RWLOCK_INITIALIZER;
static struct node *root;
static atomic_ullong last_inode = FUSE_ROOT_ID;
static atomic_ullong bytes_used;

// Never written to, so that every page of it is the kernel's one page of zeros.
static const char zeros[CHUNK_SIZE];

static void *checked(void *pointer) {
    if (pointer == NULL) {
        perror("memory");
        exit(1);
    }
    return pointer;
}

static struct node *node_of(fuse_ino_t inode) {
    return inode == FUSE_ROOT_ID ? root : (struct node *)(uintptr_t)inode;
}

static fuse_ino_t inode_of(struct node *node) {
    return node == root ? FUSE_ROOT_ID : (fuse_ino_t)(uintptr_t)node;
}

// The kernel's own idea of the time, which costs no more than reading it.
static struct timespec now(void) {
    struct timespec time;
    clock_gettime(CLOCK_REALTIME_COARSE, &time);
    return time;
}

// MARK: Memory for contents

// Regions of huge pages, cut into chunks, are cheaper to fault in than what malloc would map.
static pthread_mutex_t memory = PTHREAD_MUTEX_INITIALIZER;
static void *spare[CHUNK_BITS + 1];
static char *region;
static size_t region_left;

static void map_region(size_t size) {
    region = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (region == MAP_FAILED) checked(NULL);
    madvise(region, size, MADV_HUGEPAGE);
    region_left = size;
}

// Takes memory from the machine before anything is measured. A virtual machine's host gives it out
// page by page, at a fraction of the speed at which it is written to afterwards.
static void populate(size_t size) {
    map_region(size);
    madvise(region, size, MADV_POPULATE_WRITE);
}

static char *allocate(unsigned bits) {
    size_t size = (size_t)1 << bits;
    pthread_mutex_lock(&memory);
    char *chunk = spare[bits];
    int used_before = chunk != NULL;
    if (used_before) {
        memcpy(&spare[bits], chunk, sizeof(void *));
    } else {
        if (region_left < size) map_region(REGION_SIZE);
        region_left -= size;
        chunk = region + region_left;
    }
    pthread_mutex_unlock(&memory);
    if (used_before) memset(chunk, 0, size);
    atomic_fetch_add(&bytes_used, size);
    return chunk;
}

static void release(char *chunk, unsigned bits) {
    if (chunk == NULL) return;
    pthread_mutex_lock(&memory);
    memcpy(chunk, &spare[bits], sizeof(void *));
    spare[bits] = chunk;
    pthread_mutex_unlock(&memory);
    atomic_fetch_sub(&bytes_used, (size_t)1 << bits);
}

static unsigned bits_of_chunk(const struct contents *contents, size_t index) {
    return index == 0 ? contents->first_bits : CHUNK_BITS;
}

// Makes room for `length` bytes at `offset`. The caller has the node's lock for writing.
static void reserve(struct contents *contents, size_t offset, size_t length) {
    size_t first = offset >> CHUNK_BITS, last = (offset + length - 1) >> CHUNK_BITS;
    if (last >= contents->chunk_count) {
        size_t count = contents->chunk_count * 2;
        if (count <= last) count = last + 1;
        contents->chunks = checked(realloc(contents->chunks, count * sizeof(char *)));
        memset(contents->chunks + contents->chunk_count, 0,
               (count - contents->chunk_count) * sizeof(char *));
        contents->chunk_count = count;
    }
    if (first == 0) {
        size_t end = offset + length < CHUNK_SIZE ? offset + length : CHUNK_SIZE;
        unsigned bits = contents->first_bits == 0 ? SMALLEST_BITS : contents->first_bits;
        while (((size_t)1 << bits) < end) bits++;
        if (bits != contents->first_bits) {
            char *chunk = allocate(bits);
            if (contents->chunks[0] != NULL) {
                memcpy(chunk, contents->chunks[0], (size_t)1 << contents->first_bits);
                release(contents->chunks[0], contents->first_bits);
            }
            contents->chunks[0] = chunk;
            contents->first_bits = bits;
        }
    }
    for (size_t i = first; i <= last; i++) {
        if (contents->chunks[i] == NULL) contents->chunks[i] = allocate(CHUNK_BITS);
    }
}

// Frees what lies beyond the new size and clears the rest of the last chunk.
static void shorten(struct contents *contents, size_t size) {
    size_t kept = (size + CHUNK_SIZE - 1) >> CHUNK_BITS;
    for (size_t i = kept; i < contents->chunk_count; i++) {
        release(contents->chunks[i], bits_of_chunk(contents, i));
        contents->chunks[i] = NULL;
    }
    if (kept == 0) {
        free(contents->chunks);
        memset(contents, 0, sizeof *contents);
    } else if (kept <= contents->chunk_count && contents->chunks[kept - 1] != NULL) {
        size_t from = size - ((kept - 1) << CHUNK_BITS);
        size_t end = (size_t)1 << bits_of_chunk(contents, kept - 1);
        if (from < end) memset(contents->chunks[kept - 1] + from, 0, end - from);
    }
}

// MARK: Names

// FNV-1a: names are short, and nobody chooses them to collide.
static uint32_t hash_of(const char *name, size_t length) {
    uint32_t hash = 2166136261u;
    for (size_t i = 0; i < length; i++) hash = (hash ^ (unsigned char)name[i]) * 16777619u;
    return hash;
}

static struct entry *find(const struct directory *directory, const char *name) {
    size_t length = strlen(name);
    if (directory->bucket_count == 0 || length > LONGEST_NAME) return NULL;
    uint32_t hash = hash_of(name, length);
    struct entry *entry = directory->buckets[hash & (directory->bucket_count - 1)];
    while (entry != NULL && (entry->hash != hash || entry->length != length
                             || memcmp(entry->name, name, length) != 0)) {
        entry = entry->next;
    }
    return entry;
}

static void grow_buckets(struct directory *directory) {
    size_t count = directory->bucket_count == 0 ? 8 : directory->bucket_count * 2;
    struct entry **buckets = checked(calloc(count, sizeof *buckets));
    for (size_t i = 0; i < directory->slot_count; i++) {
        struct entry *entry = directory->slots[i].entry;
        if (entry == NULL) continue;
        entry->next = buckets[entry->hash & (count - 1)];
        buckets[entry->hash & (count - 1)] = entry;
    }
    free(directory->buckets);
    directory->buckets = buckets;
    directory->bucket_count = count;
}

// Takes out removed slots if they are half of all, and makes room for more otherwise.
static void grow_slots(struct directory *directory) {
    if (directory->entry_count <= directory->slot_capacity / 2 && directory->slot_count > 0) {
        size_t kept = 0;
        for (size_t i = 0; i < directory->slot_count; i++) {
            if (directory->slots[i].entry == NULL) continue;
            directory->slots[kept] = directory->slots[i];
            directory->slots[kept].entry->slot = kept;
            kept++;
        }
        directory->slot_count = kept;
        return;
    }
    directory->slot_capacity = directory->slot_capacity == 0 ? 8 : directory->slot_capacity * 2;
    directory->slots = checked(realloc(directory->slots,
                                       directory->slot_capacity * sizeof *directory->slots));
}

static void touch(struct node *node) {
    pthread_rwlock_wrlock(&node->lock);
    node->attributes.st_mtim = node->attributes.st_ctim = now();
    pthread_rwlock_unlock(&node->lock);
}

static void count_links(struct node *node, int change) {
    pthread_rwlock_wrlock(&node->lock);
    node->attributes.st_nlink += (nlink_t)change;
    node->attributes.st_ctim = now();
    pthread_rwlock_unlock(&node->lock);
}

static int is_directory(const struct node *node) {
    return S_ISDIR(node->attributes.st_mode);
}

// Makes a name for a node. What it replaces has been removed before.
static void add(struct node *parent, const char *name, struct node *node) {
    struct directory *directory = &parent->directory;
    size_t length = strlen(name);
    struct entry *entry = checked(malloc(sizeof *entry + length + 1));
    memcpy(entry->name, name, length + 1);
    entry->length = (uint8_t)length;
    entry->hash = hash_of(name, length);
    entry->node = node;
    if (directory->slot_count == directory->slot_capacity) grow_slots(directory);
    if (directory->entry_count >= directory->bucket_count) grow_buckets(directory);
    entry->slot = directory->slot_count++;
    directory->slots[entry->slot] = (struct slot){ ++directory->last_number, entry };
    struct entry **bucket = &directory->buckets[entry->hash & (directory->bucket_count - 1)];
    entry->next = *bucket;
    *bucket = entry;
    directory->entry_count++;
    if (is_directory(node)) count_links(parent, 1);
    touch(parent);
}

// Removes a name, and nothing of the node but that.
static void take_out(struct node *parent, struct entry *entry) {
    struct directory *directory = &parent->directory;
    struct entry **link = &directory->buckets[entry->hash & (directory->bucket_count - 1)];
    while (*link != entry) link = &(*link)->next;
    *link = entry->next;
    directory->slots[entry->slot].entry = NULL;
    directory->entry_count--;
    while (directory->slot_count > 0 && directory->slots[directory->slot_count - 1].entry == NULL) {
        directory->slot_count--;
    }
    if (is_directory(entry->node)) count_links(parent, -1);
    touch(parent);
    free(entry);
}

// The index of the first slot behind a number.
static size_t slot_behind(const struct directory *directory, uint64_t number) {
    size_t low = 0, high = directory->slot_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (directory->slots[middle].number <= number) low = middle + 1;
        else high = middle;
    }
    return low;
}

// MARK: Nodes

static struct node *new_node(fuse_req_t request, mode_t mode, dev_t device) {
    struct node *node = checked(calloc(1, sizeof *node));
    const struct fuse_ctx *caller = request == NULL ? NULL : fuse_req_ctx(request);
    pthread_rwlock_init(&node->lock, NULL);
    node->attributes.st_ino = atomic_fetch_add(&last_inode, 1);
    node->attributes.st_mode = mode;
    node->attributes.st_nlink = S_ISDIR(mode) ? 2 : 1;
    node->attributes.st_uid = caller == NULL ? getuid() : caller->uid;
    node->attributes.st_gid = caller == NULL ? getgid() : caller->gid;
    node->attributes.st_rdev = device;
    node->attributes.st_blksize = 4096;
    node->attributes.st_atim = node->attributes.st_mtim = node->attributes.st_ctim = now();
    return node;
}

static void free_node(struct node *node) {
    if (is_directory(node)) {
        free(node->directory.buckets);
        free(node->directory.slots);
    } else if (S_ISREG(node->attributes.st_mode)) {
        shorten(&node->contents, 0);
    } else if (S_ISLNK(node->attributes.st_mode)) {
        free(node->target);
    }
    pthread_rwlock_destroy(&node->lock);
    free(node);
}

// Neither named nor known to the kernel. The caller has `names` for writing, or the only mention.
static int is_unused(struct node *node) {
    return node != root && atomic_load(&node->lookups) == 0
        && node->attributes.st_nlink <= (is_directory(node) ? 1u : 0u);
}

// A directory has a link from its own name "." and so is gone with one link left.
static void drop_link(struct node *node) {
    count_links(node, -1);
    if (is_unused(node)) free_node(node);
}

static struct stat attributes_of(struct node *node) {
    pthread_rwlock_rdlock(&node->lock);
    struct stat attributes = node->attributes;
    pthread_rwlock_unlock(&node->lock);
    attributes.st_blocks = (attributes.st_size + 511) / 512;
    return attributes;
}

#endif
