// BLAKE3 compression of a single block, the state held as four rows of four words so that the
// mixing functions of a column or diagonal step run side by side (specification section 5.3).
// This file is a template: the including kernel defines
//   BLAKE3_NAME(x)   the name of the function or type x in this instance
// together with the rotations that Blake3Rounds.h names.

typedef uint32_t BLAKE3_NAME(row) __attribute__((vector_size(16)));
typedef uint32_t BLAKE3_NAME(message) __attribute__((vector_size(64)));

#define ROWS_SHUFFLE __builtin_shufflevector

#define ROWS_MIX_HALF(a, b, c, d, x, rotate_d, rotate_b) \
    a += x; \
    a += b; \
    d ^= a; \
    d = rotate_d(d); \
    c += d; \
    b ^= c; \
    b = rotate_b(b);

// Turns the rows so that diagonals stand in columns. The second row stays: it is the one computed
// last, so turning the others costs no time.
#define ROWS_TO_DIAGONALS(a, c, d) \
    a = ROWS_SHUFFLE(a, a, 3, 0, 1, 2); \
    d = ROWS_SHUFFLE(d, d, 2, 3, 0, 1); \
    c = ROWS_SHUFFLE(c, c, 1, 2, 3, 0);

#define ROWS_TO_COLUMNS(a, c, d) \
    a = ROWS_SHUFFLE(a, a, 1, 2, 3, 0); \
    d = ROWS_SHUFFLE(d, d, 2, 3, 0, 1); \
    c = ROWS_SHUFFLE(c, c, 3, 0, 1, 2);

#define ROWS_ROUND(m, s0, s1, s2, s3, s4, s5, s6, s7, s8, s9, sa, sb, sc, sd, se, sf) \
    ROWS_MIX_HALF(a, b, c, d, ROWS_SHUFFLE(m, m, s0, s2, s4, s6), \
                  BLAKE3_ROTATE_16, BLAKE3_ROTATE_12) \
    ROWS_MIX_HALF(a, b, c, d, ROWS_SHUFFLE(m, m, s1, s3, s5, s7), \
                  BLAKE3_ROTATE_8, BLAKE3_ROTATE_7) \
    ROWS_TO_DIAGONALS(a, c, d) \
    ROWS_MIX_HALF(a, b, c, d, ROWS_SHUFFLE(m, m, se, s8, sa, sc), \
                  BLAKE3_ROTATE_16, BLAKE3_ROTATE_12) \
    ROWS_MIX_HALF(a, b, c, d, ROWS_SHUFFLE(m, m, sf, s9, sb, sd), \
                  BLAKE3_ROTATE_8, BLAKE3_ROTATE_7) \
    ROWS_TO_COLUMNS(a, c, d)

static void BLAKE3_NAME(compress)(const uint32_t *value, const void *block, uint64_t counter,
                                  uint32_t block_length, uint32_t flags, uint32_t *out) {
    BLAKE3_NAME(row) a, b, first_value, second_value;
    BLAKE3_NAME(message) m;
    memcpy(&m, block, sizeof m);
    memcpy(&first_value, value, sizeof first_value);
    memcpy(&second_value, value + 4, sizeof second_value);
    a = first_value;
    b = second_value;
    BLAKE3_NAME(row) c = {BLAKE3_IV0, BLAKE3_IV1, BLAKE3_IV2, BLAKE3_IV3};
    BLAKE3_NAME(row) d = {(uint32_t)counter, (uint32_t)(counter >> 32), block_length, flags};
    ROWS_ROUND(m, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15)
    ROWS_ROUND(m, 2, 6, 3, 10, 7, 0, 4, 13, 1, 11, 12, 5, 9, 14, 15, 8)
    ROWS_ROUND(m, 3, 4, 10, 12, 13, 2, 7, 14, 6, 5, 9, 0, 11, 15, 8, 1)
    ROWS_ROUND(m, 10, 7, 12, 9, 14, 3, 13, 15, 4, 0, 11, 2, 5, 8, 1, 6)
    ROWS_ROUND(m, 12, 13, 9, 11, 15, 10, 14, 8, 7, 2, 5, 3, 0, 1, 6, 4)
    ROWS_ROUND(m, 9, 14, 11, 5, 8, 12, 15, 1, 13, 3, 0, 10, 2, 6, 4, 7)
    ROWS_ROUND(m, 11, 15, 5, 0, 1, 9, 8, 6, 14, 10, 2, 12, 3, 4, 7, 13)
    a ^= c;
    b ^= d;
    c ^= first_value;
    d ^= second_value;
    memcpy(out, &a, sizeof a);
    memcpy(out + 4, &b, sizeof b);
    memcpy(out + 8, &c, sizeof c);
    memcpy(out + 12, &d, sizeof d);
}

#undef ROWS_SHUFFLE
#undef ROWS_MIX_HALF
#undef ROWS_TO_DIAGONALS
#undef ROWS_TO_COLUMNS
#undef ROWS_ROUND
