// BLAKE3 portable kernel: the compression function of specification section 2.2 in plain C, for
// processors without a vector kernel and as the reference the other kernels are tested against.

#include "Blake3Internal.h"

BLAKE3_INLINE uint32_t rotate_right(uint32_t word, int count) {
    return (word >> count) | (word << (32 - count));
}

#define BLAKE3_ROTATE_16(x) rotate_right(x, 16)
#define BLAKE3_ROTATE_12(x) rotate_right(x, 12)
#define BLAKE3_ROTATE_8(x) rotate_right(x, 8)
#define BLAKE3_ROTATE_7(x) rotate_right(x, 7)
#include "Blake3Rounds.h"

// Not static: the arm64 kernel has no faster way for a single block.
BLAKE3_HIDDEN void blake3_portable_compress(const uint32_t *value, const void *block,
                                            uint64_t counter, uint32_t block_length,
                                            uint32_t flags, uint32_t *out) {
    uint32_t m[16];
    memcpy(m, block, sizeof m);
    uint32_t v[16] = {
        value[0], value[1], value[2], value[3], value[4], value[5], value[6], value[7],
        BLAKE3_IV0, BLAKE3_IV1, BLAKE3_IV2, BLAKE3_IV3,
        (uint32_t)counter, (uint32_t)(counter >> 32), block_length, flags,
    };
    BLAKE3_ROUNDS(v, m)
    for (int i = 0; i < 8; i++) {
        const uint32_t before = value[i];
        out[i] = v[i] ^ v[i + 8];
        out[i + 8] = v[i + 8] ^ before;
    }
}

const blake3_kernel blake3_portable_kernel = {.compress = blake3_portable_compress};
