// BLAKE3 internals shared by the tree logic and the kernels: the constants of specification
// section 2.1 and table 3 (flags), and the interface every kernel implements.

#ifndef BLAKE3_INTERNAL_H
#define BLAKE3_INTERNAL_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "CBlake3.h"

#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "BLAKE3 words are read from memory as they are, which needs a little-endian machine"
#endif

#define BLAKE3_HIDDEN __attribute__((visibility("hidden")))
#define BLAKE3_INLINE static inline __attribute__((always_inline))

enum {
    BLAKE3_BLOCK_BYTES = 64,
    BLAKE3_CHUNK_BYTES = 1024,
    BLAKE3_CHUNK_BLOCKS = BLAKE3_CHUNK_BYTES / BLAKE3_BLOCK_BYTES,
    BLAKE3_VALUE_BYTES = 32,
    BLAKE3_VALUE_WORDS = 8,
    // The widest kernel; a wide call may write this many values, whatever number was asked for.
    BLAKE3_MAX_LANES = 16,
};

enum {
    BLAKE3_CHUNK_START = 1 << 0,
    BLAKE3_CHUNK_END = 1 << 1,
    BLAKE3_PARENT = 1 << 2,
    BLAKE3_ROOT = 1 << 3,
    BLAKE3_KEYED_HASH = 1 << 4,
    BLAKE3_DERIVE_KEY_CONTEXT = 1 << 5,
    BLAKE3_DERIVE_KEY_MATERIAL = 1 << 6,
};

// The initial values, as macros so that they are constants in every kernel.
#define BLAKE3_IV0 0x6A09E667U
#define BLAKE3_IV1 0xBB67AE85U
#define BLAKE3_IV2 0x3C6EF372U
#define BLAKE3_IV3 0xA54FF53AU
#define BLAKE3_IV4 0x510E527FU
#define BLAKE3_IV5 0x9B05688CU
#define BLAKE3_IV6 0x1F83D9ABU
#define BLAKE3_IV7 0x5BE0CD19U

// Several inputs of the same number of blocks, side by side in memory: chunks or parents.
typedef struct {
    const uint8_t *input;
    // Bytes from the start of one input to the start of the next.
    size_t stride;
    size_t blocks;
    const uint32_t *key;
    // Counter of the first input, and what each further one adds: 1 for chunks, 0 for parents. The
    // first is a multiple of a power of two no smaller than the number of chunks.
    uint64_t counter;
    uint32_t counter_step;
    // Flags of all blocks, and those which the first and the last block have besides.
    uint32_t flags;
    uint32_t first_flags;
    uint32_t last_flags;
} blake3_batch;

// One compression. `out` receives all 16 words, of which the first 8 are the chaining value; it
// may be the memory of `value`.
typedef void blake3_compress_function(const uint32_t *value, const void *block, uint64_t counter,
                                      uint32_t block_length, uint32_t flags, uint32_t *out);

// Hashes the inputs `first` to `first + count - 1` of the batch at once. `count` is at least 1
// and at most the lanes of the function; it writes a value for every lane, of which those past
// `count` mean nothing. No output is written before all inputs are read, if each is one block.
typedef void blake3_lanes_function(const blake3_batch *batch, size_t first, size_t count,
                                   uint8_t *out);

// The functions of a kernel; null where it has none of that width.
typedef struct {
    blake3_compress_function *compress;
    blake3_lanes_function *lanes4;
    blake3_lanes_function *lanes8;
    blake3_lanes_function *lanes16;
} blake3_kernel;

// The kernel in use.
BLAKE3_HIDDEN const blake3_kernel *blake3_current_kernel(void);

// Hashes `count` inputs of the batch into 32 byte values at `out`, which must have room for
// `BLAKE3_MAX_LANES` more. Parents may be hashed in place, `out` being their input.
BLAKE3_HIDDEN void blake3_hash_batch(const blake3_kernel *kernel, const blake3_batch *batch,
                                     size_t count, uint8_t *out);

BLAKE3_HIDDEN extern const blake3_kernel blake3_portable_kernel;
#if defined(__x86_64__)
BLAKE3_HIDDEN extern const blake3_kernel blake3_sse41_kernel;
BLAKE3_HIDDEN extern const blake3_kernel blake3_avx2_kernel;
BLAKE3_HIDDEN extern const blake3_kernel blake3_avx512_kernel;
#elif defined(__aarch64__)
BLAKE3_HIDDEN extern const blake3_kernel blake3_neon_kernel;
BLAKE3_HIDDEN blake3_compress_function blake3_portable_compress;
#endif

#endif
