// BLAKE3 compression of several inputs at once, one input a vector lane (specification section
// 5.3). This file is a template: each kernel includes it once for each width, having defined
//   BLAKE3_LANES     4, 8 or 16
//   BLAKE3_NAME(x)   the name of the function or type x in this instance
// together with the rotations that Blake3Rounds.h needs. It is written with the vector extensions
// of clang, which picks the instructions of the enclosing target.

#define LANES_T BLAKE3_NAME(words)
#define LANES_SHUFFLE __builtin_shufflevector

typedef uint32_t LANES_T __attribute__((vector_size(4 * BLAKE3_LANES)));

#if BLAKE3_LANES == 4
#define LANES_NUMBERS 0, 1, 2, 3
#define LANES_LOW_WORDS 0, 4, 1, 5
#define LANES_HIGH_WORDS 2, 6, 3, 7
#define LANES_LOW_PAIRS 0, 1, 4, 5
#define LANES_HIGH_PAIRS 2, 3, 6, 7
#elif BLAKE3_LANES == 8
#define LANES_NUMBERS 0, 1, 2, 3, 4, 5, 6, 7
#define LANES_LOW_WORDS 0, 8, 1, 9, 4, 12, 5, 13
#define LANES_HIGH_WORDS 2, 10, 3, 11, 6, 14, 7, 15
#define LANES_LOW_PAIRS 0, 1, 8, 9, 4, 5, 12, 13
#define LANES_HIGH_PAIRS 2, 3, 10, 11, 6, 7, 14, 15
#else
#define LANES_NUMBERS 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15
#define LANES_LOW_WORDS 0, 16, 1, 17, 4, 20, 5, 21, 8, 24, 9, 25, 12, 28, 13, 29
#define LANES_HIGH_WORDS 2, 18, 3, 19, 6, 22, 7, 23, 10, 26, 11, 27, 14, 30, 15, 31
#define LANES_LOW_PAIRS 0, 1, 16, 17, 4, 5, 20, 21, 8, 9, 24, 25, 12, 13, 28, 29
#define LANES_HIGH_PAIRS 2, 3, 18, 19, 6, 7, 22, 23, 10, 11, 26, 27, 14, 15, 30, 31
#endif

// Transposes the 4x4 words in each 128 bit part of four vectors.
BLAKE3_INLINE void BLAKE3_NAME(transpose4)(LANES_T *row) {
    const LANES_T low01 = LANES_SHUFFLE(row[0], row[1], LANES_LOW_WORDS);
    const LANES_T high01 = LANES_SHUFFLE(row[0], row[1], LANES_HIGH_WORDS);
    const LANES_T low23 = LANES_SHUFFLE(row[2], row[3], LANES_LOW_WORDS);
    const LANES_T high23 = LANES_SHUFFLE(row[2], row[3], LANES_HIGH_WORDS);
    row[0] = LANES_SHUFFLE(low01, low23, LANES_LOW_PAIRS);
    row[1] = LANES_SHUFFLE(low01, low23, LANES_HIGH_PAIRS);
    row[2] = LANES_SHUFFLE(high01, high23, LANES_LOW_PAIRS);
    row[3] = LANES_SHUFFLE(high01, high23, LANES_HIGH_PAIRS);
}

// Reads one block of every lane so that m[w] holds word w of all of them: each row of words is
// loaded as it is, then transposed in parts of 128 bits, then the parts are put in order.
BLAKE3_INLINE void BLAKE3_NAME(load)(const uint8_t *const *lane, size_t offset, LANES_T *m) {
    LANES_T row[16];
    for (int part = 0; part < 16 / BLAKE3_LANES; part++) {
        LANES_T *const rows = row + part * BLAKE3_LANES;
        for (int i = 0; i < BLAKE3_LANES; i++) {
            memcpy(&rows[i], lane[i] + offset + (size_t)part * sizeof(LANES_T), sizeof(LANES_T));
        }
        for (int i = 0; i < BLAKE3_LANES; i += 4) {
            BLAKE3_NAME(transpose4)(rows + i);
        }
    }
#if BLAKE3_LANES == 4
    for (int i = 0; i < 16; i++) { m[i] = row[i]; }
#elif BLAKE3_LANES == 8
    for (int i = 0; i < 4; i++) {
        m[i] = LANES_SHUFFLE(row[i], row[4 + i], 0, 1, 2, 3, 8, 9, 10, 11);
        m[4 + i] = LANES_SHUFFLE(row[i], row[4 + i], 4, 5, 6, 7, 12, 13, 14, 15);
        m[8 + i] = LANES_SHUFFLE(row[8 + i], row[12 + i], 0, 1, 2, 3, 8, 9, 10, 11);
        m[12 + i] = LANES_SHUFFLE(row[8 + i], row[12 + i], 4, 5, 6, 7, 12, 13, 14, 15);
    }
#else
#define LANES_LOW_HALVES 0, 1, 2, 3, 4, 5, 6, 7, 16, 17, 18, 19, 20, 21, 22, 23
#define LANES_HIGH_HALVES 8, 9, 10, 11, 12, 13, 14, 15, 24, 25, 26, 27, 28, 29, 30, 31
#define LANES_EVEN_QUADS 0, 1, 2, 3, 8, 9, 10, 11, 16, 17, 18, 19, 24, 25, 26, 27
#define LANES_ODD_QUADS 4, 5, 6, 7, 12, 13, 14, 15, 20, 21, 22, 23, 28, 29, 30, 31
    for (int i = 0; i < 4; i++) {
        const LANES_T low01 = LANES_SHUFFLE(row[i], row[4 + i], LANES_LOW_HALVES);
        const LANES_T high01 = LANES_SHUFFLE(row[i], row[4 + i], LANES_HIGH_HALVES);
        const LANES_T low23 = LANES_SHUFFLE(row[8 + i], row[12 + i], LANES_LOW_HALVES);
        const LANES_T high23 = LANES_SHUFFLE(row[8 + i], row[12 + i], LANES_HIGH_HALVES);
        m[i] = LANES_SHUFFLE(low01, low23, LANES_EVEN_QUADS);
        m[4 + i] = LANES_SHUFFLE(low01, low23, LANES_ODD_QUADS);
        m[8 + i] = LANES_SHUFFLE(high01, high23, LANES_EVEN_QUADS);
        m[12 + i] = LANES_SHUFFLE(high01, high23, LANES_ODD_QUADS);
    }
#undef LANES_LOW_HALVES
#undef LANES_HIGH_HALVES
#undef LANES_EVEN_QUADS
#undef LANES_ODD_QUADS
#endif
}

// Writes the value of every lane, 32 bytes each, from vectors which hold one word of all lanes.
BLAKE3_INLINE void BLAKE3_NAME(store)(LANES_T *value, uint8_t *out) {
    for (int half = 0; half < 2; half++) {
        BLAKE3_NAME(transpose4)(value + 4 * half);
        for (int i = 0; i < 4; i++) {
            for (int part = 0; part < BLAKE3_LANES / 4; part++) {
                memcpy(out + BLAKE3_VALUE_BYTES * (4 * part + i) + 16 * half,
                       (const uint8_t *)&value[4 * half + i] + 16 * part, 16);
            }
        }
    }
}

static void BLAKE3_NAME(hash)(const blake3_batch *batch, size_t first, size_t count,
                              uint8_t *out) {
    // Lanes without an input of their own read the last one again.
    const uint8_t *lane[BLAKE3_LANES];
    for (size_t i = 0; i < BLAKE3_LANES; i++) {
        lane[i] = batch->input + (first + (i < count ? i : count - 1)) * batch->stride;
    }
    const uint64_t counter = batch->counter + first * batch->counter_step;
    const LANES_T numbers = {LANES_NUMBERS};
    const LANES_T zero = numbers ^ numbers;
    // No carry: a batch begins at a multiple of a power of two no smaller than its count.
    const LANES_T counter_low = (uint32_t)counter + numbers * batch->counter_step;
    const LANES_T counter_high = zero + (uint32_t)(counter >> 32);

    LANES_T value[8];
    for (int i = 0; i < 8; i++) { value[i] = zero + batch->key[i]; }
    uint32_t flags = batch->flags | batch->first_flags;
    for (size_t block = 0; block < batch->blocks; block++) {
        if (block + 1 == batch->blocks) { flags |= batch->last_flags; }
        LANES_T m[16];
        BLAKE3_NAME(load)(lane, block * BLAKE3_BLOCK_BYTES, m);
        LANES_T v[16] = {
            value[0], value[1], value[2], value[3], value[4], value[5], value[6], value[7],
            zero + BLAKE3_IV0, zero + BLAKE3_IV1, zero + BLAKE3_IV2, zero + BLAKE3_IV3,
            counter_low, counter_high, zero + (uint32_t)BLAKE3_BLOCK_BYTES, zero + flags,
        };
        BLAKE3_ROUNDS(v, m)
        for (int i = 0; i < 8; i++) { value[i] = v[i] ^ v[i + 8]; }
        flags = batch->flags;
    }
    BLAKE3_NAME(store)(value, out);
}

#undef LANES_T
#undef LANES_SHUFFLE
#undef LANES_NUMBERS
#undef LANES_LOW_WORDS
#undef LANES_HIGH_WORDS
#undef LANES_LOW_PAIRS
#undef LANES_HIGH_PAIRS
