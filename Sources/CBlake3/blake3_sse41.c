// BLAKE3 SSE4.1 kernel: 4 blocks at a time, and single blocks by rows (specification section 5.3).

#include "Blake3Internal.h"

#if defined(__x86_64__)

#include "Blake3ByteRotations.h"

#pragma clang attribute push(__attribute__((target("sse4.1"))), apply_to = function)

#define BLAKE3_ROTATE_16(x) BLAKE3_BYTES16_ROTATE_16(x)
#define BLAKE3_ROTATE_12(x) (((x) >> 12) | ((x) << 20))
#define BLAKE3_ROTATE_8(x) BLAKE3_BYTES16_ROTATE_8(x)
#define BLAKE3_ROTATE_7(x) (((x) >> 7) | ((x) << 25))
#include "Blake3Rounds.h"

#define BLAKE3_NAME(x) sse41_single_##x
#include "Blake3Rowwise.h"
#undef BLAKE3_NAME

#define BLAKE3_LANES 4
#define BLAKE3_NAME(x) sse41_four_##x
#include "Blake3Lanes.h"

#pragma clang attribute pop

const blake3_kernel blake3_sse41_kernel = {
    .compress = sse41_single_compress,
    .lanes4 = sse41_four_hash,
};

#endif
