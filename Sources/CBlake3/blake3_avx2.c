// BLAKE3 AVX2 kernel: up to 8 blocks at a time, and single blocks by rows (specification
// section 5.3).

#include "Blake3Internal.h"

#if defined(__x86_64__)

#include "Blake3ByteRotations.h"

#pragma clang attribute push(__attribute__((target("avx2"))), apply_to = function)

#define BLAKE3_ROTATE_16(x) BLAKE3_BYTES16_ROTATE_16(x)
#define BLAKE3_ROTATE_12(x) (((x) >> 12) | ((x) << 20))
#define BLAKE3_ROTATE_8(x) BLAKE3_BYTES16_ROTATE_8(x)
#define BLAKE3_ROTATE_7(x) (((x) >> 7) | ((x) << 25))
#include "Blake3Rounds.h"

#define BLAKE3_NAME(x) avx2_single_##x
#include "Blake3Rowwise.h"
#undef BLAKE3_NAME

#define BLAKE3_LANES 4
#define BLAKE3_NAME(x) avx2_four_##x
#include "Blake3Lanes.h"
#undef BLAKE3_LANES
#undef BLAKE3_NAME

// The same again for vectors of 32 bytes.
#undef BLAKE3_ROTATE_16
#undef BLAKE3_ROTATE_8
#define BLAKE3_ROTATE_16(x) BLAKE3_BYTES32_ROTATE_16(x)
#define BLAKE3_ROTATE_8(x) BLAKE3_BYTES32_ROTATE_8(x)

#define BLAKE3_LANES 8
#define BLAKE3_NAME(x) avx2_eight_##x
#include "Blake3Lanes.h"

#pragma clang attribute pop

const blake3_kernel blake3_avx2_kernel = {
    .compress = avx2_single_compress,
    .lanes4 = avx2_four_hash,
    .lanes8 = avx2_eight_hash,
};

#endif
