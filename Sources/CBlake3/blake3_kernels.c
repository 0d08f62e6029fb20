// Choice of the BLAKE3 kernel at run time, and the split of a batch into the widths a kernel has
// (specification section 5.3).

#include "Blake3Internal.h"

#include <stdatomic.h>

// The kernel of that number; null if the program or the processor does not have it.
static const blake3_kernel *usable_kernel(int kernel) {
#if defined(__x86_64__)
    // Lest a hash in a static constructor comes before the one that reads the features.
    __builtin_cpu_init();
#endif
    switch (kernel) {
    case CBLAKE3_KERNEL_PORTABLE:
        return &blake3_portable_kernel;
#if defined(__x86_64__)
    case CBLAKE3_KERNEL_SSE41:
        return __builtin_cpu_supports("sse4.1") ? &blake3_sse41_kernel : NULL;
    case CBLAKE3_KERNEL_AVX2:
        return __builtin_cpu_supports("avx2") ? &blake3_avx2_kernel : NULL;
    case CBLAKE3_KERNEL_AVX512:
        return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl")
                   ? &blake3_avx512_kernel
                   : NULL;
#elif defined(__aarch64__)
    case CBLAKE3_KERNEL_NEON:
        return &blake3_neon_kernel;
#endif
    default:
        return NULL;
    }
}

static const blake3_kernel *fastest_kernel(void) {
    // The numbers of one processor's kernels grow with their speed.
    for (int kernel = CBLAKE3_KERNEL_COUNT - 1; kernel > CBLAKE3_KERNEL_PORTABLE; kernel--) {
        const blake3_kernel *const usable = usable_kernel(kernel);
        if (usable != NULL) { return usable; }
    }
    return &blake3_portable_kernel;
}

// Null until a kernel is first needed or chosen. Relaxed order is enough: the tables it points to
// are constant.
static _Atomic(const blake3_kernel *) current_kernel;

const blake3_kernel *blake3_current_kernel(void) {
    const blake3_kernel *kernel = atomic_load_explicit(&current_kernel, memory_order_relaxed);
    if (__builtin_expect(kernel != NULL, 1)) { return kernel; }
    // An exchange only from null, lest it undo a choice another thread makes at the same time.
    const blake3_kernel *const fastest = fastest_kernel();
    if (atomic_compare_exchange_strong_explicit(&current_kernel, &kernel, fastest,
                                                memory_order_relaxed, memory_order_relaxed)) {
        return fastest;
    }
    return kernel;
}

int cblake3_kernel_supported(int kernel) {
    return usable_kernel(kernel) != NULL;
}

int cblake3_kernel_selected(void) {
    const blake3_kernel *const current = blake3_current_kernel();
    int kernel = CBLAKE3_KERNEL_COUNT - 1;
    while (kernel > CBLAKE3_KERNEL_PORTABLE && usable_kernel(kernel) != current) { kernel--; }
    return kernel;
}

int cblake3_select_kernel(int kernel) {
    const blake3_kernel *const usable = usable_kernel(kernel);
    if (usable == NULL) { return 0; }
    atomic_store_explicit(&current_kernel, usable, memory_order_relaxed);
    return 1;
}

const char *cblake3_kernel_name(int kernel) {
    switch (kernel) {
    case CBLAKE3_KERNEL_PORTABLE: return "portable";
    case CBLAKE3_KERNEL_SSE41: return "sse41";
    case CBLAKE3_KERNEL_AVX2: return "avx2";
    case CBLAKE3_KERNEL_AVX512: return "avx512";
    case CBLAKE3_KERNEL_NEON: return "neon";
    default: return "unknown";
    }
}

static void hash_one(const blake3_kernel *kernel, const blake3_batch *batch, size_t index,
                     uint8_t *out) {
    const uint8_t *const input = batch->input + index * batch->stride;
    const uint64_t counter = batch->counter + index * batch->counter_step;
    uint32_t value[16];
    memcpy(value, batch->key, BLAKE3_VALUE_BYTES);
    uint32_t flags = batch->flags | batch->first_flags;
    for (size_t block = 0; block < batch->blocks; block++) {
        if (block + 1 == batch->blocks) { flags |= batch->last_flags; }
        kernel->compress(value, input + block * BLAKE3_BLOCK_BYTES, counter, BLAKE3_BLOCK_BYTES,
                         flags, value);
        flags = batch->flags;
    }
    memcpy(out, value, BLAKE3_VALUE_BYTES);
}

void blake3_hash_batch(const blake3_kernel *kernel, const blake3_batch *batch, size_t count,
                       uint8_t *out) {
    size_t done = 0;
    while (done < count) {
        const size_t left = count - done;
        uint8_t *const target = out + done * BLAKE3_VALUE_BYTES;
        blake3_lanes_function *hash = NULL;
        size_t lanes = 1;
        // A wide call with idle lanes takes less time than two narrow ones.
        if (left > 8 && kernel->lanes16 != NULL) {
            hash = kernel->lanes16;
            lanes = 16;
        } else if (left > 4 && kernel->lanes8 != NULL) {
            hash = kernel->lanes8;
            lanes = 8;
        } else if (left > 1 && kernel->lanes4 != NULL) {
            hash = kernel->lanes4;
            lanes = 4;
        }
        const size_t taken = left < lanes ? left : lanes;
        if (hash != NULL) {
            hash(batch, done, taken, target);
        } else {
            hash_one(kernel, batch, done, target);
        }
        done += taken;
    }
}
