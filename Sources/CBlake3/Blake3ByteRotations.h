// Rotations of the 32 bit words of a vector by whole bytes as byte shuffles, for the kernels whose
// processor has no rotate instruction (specification section 5.3). Each macro comes for vectors
// of 16 and of 32 bytes.

#ifndef BLAKE3_BYTE_ROTATIONS_H
#define BLAKE3_BYTE_ROTATIONS_H

#include <stdint.h>

typedef uint8_t blake3_bytes16 __attribute__((vector_size(16)));
typedef uint8_t blake3_bytes32 __attribute__((vector_size(32)));

// Byte indices that rotate the four words from byte o on.
#define BLAKE3_ORDER_16(o) \
    (o) + 2, (o) + 3, (o), (o) + 1, (o) + 6, (o) + 7, (o) + 4, (o) + 5, \
    (o) + 10, (o) + 11, (o) + 8, (o) + 9, (o) + 14, (o) + 15, (o) + 12, (o) + 13
#define BLAKE3_ORDER_8(o) \
    (o) + 1, (o) + 2, (o) + 3, (o), (o) + 5, (o) + 6, (o) + 7, (o) + 4, \
    (o) + 9, (o) + 10, (o) + 11, (o) + 8, (o) + 13, (o) + 14, (o) + 15, (o) + 12

#define BLAKE3_SHUFFLE_BYTES(x, type, ...) \
    ((__typeof__(x))__builtin_shufflevector((type)(x), (type)(x), __VA_ARGS__))

#define BLAKE3_BYTES16_ROTATE_16(x) BLAKE3_SHUFFLE_BYTES(x, blake3_bytes16, BLAKE3_ORDER_16(0))
#define BLAKE3_BYTES16_ROTATE_8(x) BLAKE3_SHUFFLE_BYTES(x, blake3_bytes16, BLAKE3_ORDER_8(0))
#define BLAKE3_BYTES32_ROTATE_16(x) \
    BLAKE3_SHUFFLE_BYTES(x, blake3_bytes32, BLAKE3_ORDER_16(0), BLAKE3_ORDER_16(16))
#define BLAKE3_BYTES32_ROTATE_8(x) \
    BLAKE3_SHUFFLE_BYTES(x, blake3_bytes32, BLAKE3_ORDER_8(0), BLAKE3_ORDER_8(16))

#endif
