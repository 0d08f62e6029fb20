// The seven rounds of the BLAKE3 compression function (specification section 2.2) as macros, for
// any type with 32 bit addition and exclusive or: one word, or a vector that holds the same word
// of several blocks.
//
// The including file defines BLAKE3_ROTATE_16, _12, _8 and _7: rotations to the right.

#ifndef BLAKE3_ROUNDS_H
#define BLAKE3_ROUNDS_H

// The four words of mixing function i; k is 0 for the columns and 1 for the diagonals.
#define BLAKE3_A(v, i, k) v[i]
#define BLAKE3_B(v, i, k) v[4 + (((i) + (k)) & 3)]
#define BLAKE3_C(v, i, k) v[8 + (((i) + 2 * (k)) & 3)]
#define BLAKE3_D(v, i, k) v[12 + (((i) + 3 * (k)) & 3)]

#define BLAKE3_ADD_MESSAGE(v, i, k, x) BLAKE3_A(v, i, k) += x;
#define BLAKE3_ADD_B(v, i, k) BLAKE3_A(v, i, k) += BLAKE3_B(v, i, k);
#define BLAKE3_TURN_D(v, i, k, rotate) \
    BLAKE3_D(v, i, k) ^= BLAKE3_A(v, i, k); \
    BLAKE3_D(v, i, k) = rotate(BLAKE3_D(v, i, k));
#define BLAKE3_ADD_D(v, i, k) BLAKE3_C(v, i, k) += BLAKE3_D(v, i, k);
#define BLAKE3_TURN_B(v, i, k, rotate) \
    BLAKE3_B(v, i, k) ^= BLAKE3_C(v, i, k); \
    BLAKE3_B(v, i, k) = rotate(BLAKE3_B(v, i, k));

#define BLAKE3_FOUR(step, v, k) step(v, 0, k) step(v, 1, k) step(v, 2, k) step(v, 3, k)
#define BLAKE3_FOUR_TURNS(step, v, k, rotate) \
    step(v, 0, k, rotate) step(v, 1, k, rotate) step(v, 2, k, rotate) step(v, 3, k, rotate)

// Half of the four mixing functions, step by step across all four: they do not depend on each
// other, so the processor always has four operations to run at the same time.
#define BLAKE3_MIX_HALF(v, k, x0, x1, x2, x3, rotate_d, rotate_b) \
    BLAKE3_ADD_MESSAGE(v, 0, k, x0) BLAKE3_ADD_MESSAGE(v, 1, k, x1) \
    BLAKE3_ADD_MESSAGE(v, 2, k, x2) BLAKE3_ADD_MESSAGE(v, 3, k, x3) \
    BLAKE3_FOUR(BLAKE3_ADD_B, v, k) \
    BLAKE3_FOUR_TURNS(BLAKE3_TURN_D, v, k, rotate_d) \
    BLAKE3_FOUR(BLAKE3_ADD_D, v, k) \
    BLAKE3_FOUR_TURNS(BLAKE3_TURN_B, v, k, rotate_b)

#define BLAKE3_MIX(v, m, k, s0, s1, s2, s3, s4, s5, s6, s7) \
    BLAKE3_MIX_HALF(v, k, m[s0], m[s2], m[s4], m[s6], BLAKE3_ROTATE_16, BLAKE3_ROTATE_12) \
    BLAKE3_MIX_HALF(v, k, m[s1], m[s3], m[s5], m[s7], BLAKE3_ROTATE_8, BLAKE3_ROTATE_7)

#define BLAKE3_ROUND(v, m, s0, s1, s2, s3, s4, s5, s6, s7, s8, s9, sa, sb, sc, sd, se, sf) \
    BLAKE3_MIX(v, m, 0, s0, s1, s2, s3, s4, s5, s6, s7) \
    BLAKE3_MIX(v, m, 1, s8, s9, sa, sb, sc, sd, se, sf)

// Each line is the one before it under the message permutation (specification table 2).
#define BLAKE3_ROUNDS(v, m) \
    BLAKE3_ROUND(v, m, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15) \
    BLAKE3_ROUND(v, m, 2, 6, 3, 10, 7, 0, 4, 13, 1, 11, 12, 5, 9, 14, 15, 8) \
    BLAKE3_ROUND(v, m, 3, 4, 10, 12, 13, 2, 7, 14, 6, 5, 9, 0, 11, 15, 8, 1) \
    BLAKE3_ROUND(v, m, 10, 7, 12, 9, 14, 3, 13, 15, 4, 0, 11, 2, 5, 8, 1, 6) \
    BLAKE3_ROUND(v, m, 12, 13, 9, 11, 15, 10, 14, 8, 7, 2, 5, 3, 0, 1, 6, 4) \
    BLAKE3_ROUND(v, m, 9, 14, 11, 5, 8, 12, 15, 1, 13, 3, 0, 10, 2, 6, 4, 7) \
    BLAKE3_ROUND(v, m, 11, 15, 5, 0, 1, 9, 8, 6, 14, 10, 2, 12, 3, 4, 7, 13)

#endif
