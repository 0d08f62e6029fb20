// BLAKE3 NEON kernel: 4 blocks at a time (specification section 5.3). Single blocks are left to
// the portable kernel: rows of words gain nothing here over plain registers with a rotate.

#include "Blake3Internal.h"

#if defined(__aarch64__)

#include "Blake3ByteRotations.h"

#define BLAKE3_ROTATE_16(x) BLAKE3_BYTES16_ROTATE_16(x)
#define BLAKE3_ROTATE_12(x) (((x) >> 12) | ((x) << 20))
#define BLAKE3_ROTATE_8(x) BLAKE3_BYTES16_ROTATE_8(x)
#define BLAKE3_ROTATE_7(x) (((x) >> 7) | ((x) << 25))
#include "Blake3Rounds.h"

#define BLAKE3_LANES 4
#define BLAKE3_NAME(x) neon_four_##x
#include "Blake3Lanes.h"

const blake3_kernel blake3_neon_kernel = {
    .compress = blake3_portable_compress,
    .lanes4 = neon_four_hash,
};

#endif
