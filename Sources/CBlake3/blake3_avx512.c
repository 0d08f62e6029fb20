// BLAKE3 AVX-512 kernel: up to 16 blocks at a time, and single blocks by rows (specification
// section 5.3). The narrower widths are built here again, for the rotate instruction that the VL
// extension gives them.

#include "Blake3Internal.h"

#if defined(__x86_64__)

#pragma clang attribute push(__attribute__((target("avx512f,avx512vl"))), apply_to = function)

// The compiler makes one rotate instruction of each.
#define BLAKE3_ROTATE_16(x) (((x) >> 16) | ((x) << 16))
#define BLAKE3_ROTATE_12(x) (((x) >> 12) | ((x) << 20))
#define BLAKE3_ROTATE_8(x) (((x) >> 8) | ((x) << 24))
#define BLAKE3_ROTATE_7(x) (((x) >> 7) | ((x) << 25))
#include "Blake3Rounds.h"

#define BLAKE3_NAME(x) avx512_single_##x
#include "Blake3Rowwise.h"
#undef BLAKE3_NAME

#define BLAKE3_LANES 4
#define BLAKE3_NAME(x) avx512_four_##x
#include "Blake3Lanes.h"
#undef BLAKE3_LANES
#undef BLAKE3_NAME

#define BLAKE3_LANES 8
#define BLAKE3_NAME(x) avx512_eight_##x
#include "Blake3Lanes.h"
#undef BLAKE3_LANES
#undef BLAKE3_NAME

#define BLAKE3_LANES 16
#define BLAKE3_NAME(x) avx512_sixteen_##x
#include "Blake3Lanes.h"

#pragma clang attribute pop

const blake3_kernel blake3_avx512_kernel = {
    .compress = avx512_single_compress,
    .lanes4 = avx512_four_hash,
    .lanes8 = avx512_eight_hash,
    .lanes16 = avx512_sixteen_hash,
};

#endif
