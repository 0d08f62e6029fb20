// BLAKE3 hashing of whole inputs: modes, chunks, the tree of chaining values and the extendable
// output (specification sections 2.3 to 2.6; incremental hashing, section 5.1.2).
//
// Whole chunks are hashed from the caller's memory, many at a time. The stack of subtree values
// mirrors the binary digits of the number of chunks. Merging is put off until more input comes,
// for the last two values may turn out to be the children of the root.

#include "Blake3Internal.h"

enum {
    // Chunks hashed as one subtree; more would only save a merge per 256 KiB.
    BATCH_CHUNKS = 256,
};

static const uint32_t initial_key[8] = {
    BLAKE3_IV0, BLAKE3_IV1, BLAKE3_IV2, BLAKE3_IV3,
    BLAKE3_IV4, BLAKE3_IV5, BLAKE3_IV6, BLAKE3_IV7,
};

// MARK: - Start

static void start(cblake3_hasher *hasher, const void *key, uint32_t mode_flags) {
    // The stack is left as it is: `subtree_count` says how much of it has meaning.
    memcpy(hasher->key, key, BLAKE3_VALUE_BYTES);
    memcpy(hasher->chunk_value, key, BLAKE3_VALUE_BYTES);
    memset(hasher->block, 0, sizeof hasher->block);
    hasher->chunk_count = 0;
    hasher->mode_flags = mode_flags;
    hasher->block_length = 0;
    hasher->blocks_done = 0;
    hasher->subtree_count = 0;
}

void cblake3_init(cblake3_hasher *hasher) {
    start(hasher, initial_key, 0);
}

void cblake3_init_keyed(cblake3_hasher *hasher, const void *key32) {
    start(hasher, key32, BLAKE3_KEYED_HASH);
}

void cblake3_derive_context_key(const void *context, size_t len, void *out32) {
    cblake3_hasher hasher;
    start(&hasher, initial_key, BLAKE3_DERIVE_KEY_CONTEXT);
    cblake3_update(&hasher, context, len);
    cblake3_finalize(&hasher, out32, CBLAKE3_KEY_LENGTH);
}

void cblake3_init_derive_material(cblake3_hasher *hasher, const void *context_key32) {
    start(hasher, context_key32, BLAKE3_DERIVE_KEY_MATERIAL);
}

// MARK: - The open chunk

static size_t open_chunk_length(const cblake3_hasher *hasher) {
    return (size_t)hasher->blocks_done * BLAKE3_BLOCK_BYTES + hasher->block_length;
}

static uint32_t open_chunk_flags(const cblake3_hasher *hasher) {
    return hasher->mode_flags | (hasher->blocks_done == 0 ? BLAKE3_CHUNK_START : 0);
}

static void compress_chunk_block(cblake3_hasher *hasher, const blake3_kernel *kernel,
                                 const void *block, uint32_t extra_flags) {
    uint32_t out[16];
    kernel->compress(hasher->chunk_value, block, hasher->chunk_count, BLAKE3_BLOCK_BYTES,
                     open_chunk_flags(hasher) | extra_flags, out);
    memcpy(hasher->chunk_value, out, BLAKE3_VALUE_BYTES);
    hasher->blocks_done++;
}

// Adds bytes that fit the open chunk. Its last block is held back, as it may need other flags.
static void fill_open_chunk(cblake3_hasher *hasher, const blake3_kernel *kernel,
                            const uint8_t *data, size_t len) {
    if (hasher->block_length > 0) {
        const size_t room = BLAKE3_BLOCK_BYTES - hasher->block_length;
        const size_t taken = len < room ? len : room;
        memcpy((uint8_t *)hasher->block + hasher->block_length, data, taken);
        hasher->block_length += (uint8_t)taken;
        data += taken;
        len -= taken;
        if (len == 0) { return; }
        compress_chunk_block(hasher, kernel, hasher->block, 0);
        hasher->block_length = 0;
    }
    while (len > BLAKE3_BLOCK_BYTES) {
        compress_chunk_block(hasher, kernel, data, 0);
        data += BLAKE3_BLOCK_BYTES;
        len -= BLAKE3_BLOCK_BYTES;
    }
    // A short last block is padded with zeros.
    memset(hasher->block, 0, sizeof hasher->block);
    memcpy(hasher->block, data, len);
    hasher->block_length = (uint8_t)len;
}

// MARK: - The tree

static uint64_t *stack_entry(cblake3_hasher *hasher, size_t index) {
    return hasher->subtree_values + index * (BLAKE3_VALUE_BYTES / sizeof(uint64_t));
}

// Merges neighbours until there is one value for each binary digit of the number of chunks. Only
// to be called when more input is known to follow, so that none of the parents is the root.
static void merge_subtrees(cblake3_hasher *hasher, const blake3_kernel *kernel) {
    const int wanted = __builtin_popcountll(hasher->chunk_count);
    while (hasher->subtree_count > wanted) {
        uint64_t *const children = stack_entry(hasher, hasher->subtree_count - 2U);
        uint32_t parent[16];
        kernel->compress(hasher->key, children, 0, BLAKE3_BLOCK_BYTES,
                         hasher->mode_flags | BLAKE3_PARENT, parent);
        memcpy(children, parent, BLAKE3_VALUE_BYTES);
        hasher->subtree_count--;
    }
}

static void push_value(cblake3_hasher *hasher, const void *value) {
    memcpy(stack_entry(hasher, hasher->subtree_count), value, BLAKE3_VALUE_BYTES);
    hasher->subtree_count++;
}

// Replaces the values of neighbours by those of their parents, level by level, and pushes what has
// no sibling: one value for each binary digit of `count`, the largest subtree first. With
// `keep_children` the largest is left as two halves, as its parent may be the root.
static void push_tree(cblake3_hasher *hasher, const blake3_kernel *kernel, uint8_t *values,
                      size_t count, int keep_children) {
    const blake3_batch parents = {
        .input = values,
        .stride = BLAKE3_BLOCK_BYTES,
        .blocks = 1,
        .key = hasher->key,
        .flags = hasher->mode_flags | BLAKE3_PARENT,
    };
    uint8_t unpaired[16][BLAKE3_VALUE_BYTES];
    size_t unpaired_count = 0;
    while (count > (keep_children ? 2 : 1)) {
        if (count % 2 == 1) {
            memcpy(unpaired[unpaired_count], values + (count - 1) * BLAKE3_VALUE_BYTES,
                   BLAKE3_VALUE_BYTES);
            unpaired_count++;
        }
        count /= 2;
        blake3_hash_batch(kernel, &parents, count, values);
    }
    for (size_t i = 0; i < count; i++) { push_value(hasher, values + i * BLAKE3_VALUE_BYTES); }
    while (unpaired_count > 0) {
        unpaired_count--;
        push_value(hasher, unpaired[unpaired_count]);
    }
}

// Hashes whole chunks from the caller's memory and adds them to the tree.
static void add_chunks(cblake3_hasher *hasher, const blake3_kernel *kernel, const uint8_t *data,
                       size_t count) {
    merge_subtrees(hasher, kernel);
    // The values, and the room that the widest kernel may write beyond them.
    uint8_t values[(BATCH_CHUNKS + BLAKE3_MAX_LANES) * BLAKE3_VALUE_BYTES];
    const blake3_batch chunks = {
        .input = data,
        .stride = BLAKE3_CHUNK_BYTES,
        .blocks = BLAKE3_CHUNK_BLOCKS,
        .key = hasher->key,
        .counter = hasher->chunk_count,
        .counter_step = 1,
        .flags = hasher->mode_flags,
        .first_flags = BLAKE3_CHUNK_START,
        .last_flags = BLAKE3_CHUNK_END,
    };
    blake3_hash_batch(kernel, &chunks, count, values);
    const int may_be_whole_input = hasher->chunk_count == 0 && (count & (count - 1)) == 0;
    push_tree(hasher, kernel, values, count, may_be_whole_input);
    hasher->chunk_count += count;
}

// The number of chunks to hash as one batch: it must begin a subtree at least as large as itself.
static size_t batch_size(const cblake3_hasher *hasher, size_t len) {
    size_t limit = BATCH_CHUNKS;
    while ((hasher->chunk_count & (limit - 1)) != 0) { limit /= 2; }
    const size_t whole_chunks = len / BLAKE3_CHUNK_BYTES;
    return whole_chunks < limit ? whole_chunks : limit;
}

void cblake3_update(cblake3_hasher *hasher, const void *data, size_t len) {
    if (len == 0) { return; }
    const blake3_kernel *const kernel = blake3_current_kernel();
    const uint8_t *next = data;
    const size_t open_length = open_chunk_length(hasher);
    if (open_length > 0) {
        const size_t room = BLAKE3_CHUNK_BYTES - open_length;
        const size_t taken = len < room ? len : room;
        fill_open_chunk(hasher, kernel, next, taken);
        next += taken;
        len -= taken;
        if (len == 0) { return; }
        // More follows, so the chunk is neither the last one nor the root.
        compress_chunk_block(hasher, kernel, hasher->block, BLAKE3_CHUNK_END);
        push_value(hasher, hasher->chunk_value);
        hasher->chunk_count++;
        hasher->block_length = 0;
        hasher->blocks_done = 0;
        memcpy(hasher->chunk_value, hasher->key, BLAKE3_VALUE_BYTES);
    }
    // A chunk that may be the whole input stays open, as its last block may be the root.
    while (len > BLAKE3_CHUNK_BYTES || (len == BLAKE3_CHUNK_BYTES && hasher->chunk_count > 0)) {
        const size_t count = batch_size(hasher, len);
        add_chunks(hasher, kernel, next, count);
        next += count * BLAKE3_CHUNK_BYTES;
        len -= count * BLAKE3_CHUNK_BYTES;
    }
    if (len > 0) {
        merge_subtrees(hasher, kernel);
        fill_open_chunk(hasher, kernel, next, len);
    }
}

// MARK: - Output

// Writes the output of the root node whose last compression has these inputs.
static void write_root(const blake3_kernel *kernel, const uint32_t *value, const void *block,
                       uint32_t block_length, uint32_t flags, uint8_t *out, size_t out_len) {
    for (uint64_t counter = 0; out_len > 0; counter++) {
        uint32_t words[16];
        kernel->compress(value, block, counter, block_length, flags | BLAKE3_ROOT, words);
        const size_t taken = out_len < sizeof words ? out_len : sizeof words;
        memcpy(out, words, taken);
        out += taken;
        out_len -= taken;
    }
}

void cblake3_finalize(const cblake3_hasher *hasher, void *out, size_t out_len) {
    const blake3_kernel *const kernel = blake3_current_kernel();
    const uint32_t parent_flags = hasher->mode_flags | BLAKE3_PARENT;
    const uint8_t *const stack = (const uint8_t *)hasher->subtree_values;
    size_t waiting = hasher->subtree_count;

    // The right edge of the tree: the value of the subtree that holds the end of the input.
    uint32_t edge[16];
    if (open_chunk_length(hasher) > 0 || hasher->chunk_count == 0) {
        const uint32_t flags = open_chunk_flags(hasher) | BLAKE3_CHUNK_END;
        if (waiting == 0) {
            write_root(kernel, hasher->chunk_value, hasher->block, hasher->block_length, flags,
                       out, out_len);
            return;
        }
        kernel->compress(hasher->chunk_value, hasher->block, hasher->chunk_count,
                         hasher->block_length, flags, edge);
    } else {
        waiting--;
        memcpy(edge, stack + waiting * BLAKE3_VALUE_BYTES, BLAKE3_VALUE_BYTES);
    }
    uint8_t children[BLAKE3_BLOCK_BYTES];
    for (;;) {
        waiting--;
        memcpy(children, stack + waiting * BLAKE3_VALUE_BYTES, BLAKE3_VALUE_BYTES);
        memcpy(children + BLAKE3_VALUE_BYTES, edge, BLAKE3_VALUE_BYTES);
        if (waiting == 0) { break; }
        kernel->compress(hasher->key, children, 0, BLAKE3_BLOCK_BYTES, parent_flags, edge);
    }
    write_root(kernel, hasher->key, children, BLAKE3_BLOCK_BYTES, parent_flags, out, out_len);
}
