// BLAKE3 cryptographic hash: public interface.
//
// Implements the three modes of the BLAKE3 specification (section 2): hash, keyed_hash and
// derive_key, each with extendable output (section 2.6). The state is a plain struct: it owns no
// memory, may be copied with `=`, and needs no release.

#ifndef CBLAKE3_H
#define CBLAKE3_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/// Number of bytes in a key, in a context key and in a hash of the usual length.
#define CBLAKE3_KEY_LENGTH 32

/// Most subtree hashes that wait for their sibling: one a tree level of a 2^64 byte input, plus
/// one that stays apart for as long as it may turn out to be a child of the root.
#define CBLAKE3_STACK_LIMIT 55

/// The state of one hash computation. Treat the fields as private.
typedef struct cblake3_hasher {
    /// Key words every chunk and parent starts from.
    uint32_t key[8];
    /// Chaining value of the open chunk, after the blocks already compressed.
    uint32_t chunk_value[8];
    /// Bytes of the open chunk that are not compressed yet.
    uint32_t block[16];
    /// Chaining values of finished subtrees, the largest first, four 64 bit words each.
    uint64_t subtree_values[CBLAKE3_STACK_LIMIT * 4];
    /// Number of chunks before the open one.
    uint64_t chunk_count;
    /// Mode flags every compression carries.
    uint32_t mode_flags;
    /// Number of bytes held in `block`.
    uint8_t block_length;
    /// Number of blocks of the open chunk that are compressed.
    uint8_t blocks_done;
    /// Number of values held in `subtree_values`.
    uint8_t subtree_count;
} cblake3_hasher;

/// The implementations of the compression function; a kernel includes the narrower ones of its
/// own instruction set.
enum {
    /// Plain C, one block at a time.
    CBLAKE3_KERNEL_PORTABLE = 0,
    /// SSE4.1, 4 blocks at a time (x86-64).
    CBLAKE3_KERNEL_SSE41 = 1,
    /// AVX2, up to 8 blocks at a time (x86-64).
    CBLAKE3_KERNEL_AVX2 = 2,
    /// AVX-512 F and VL, up to 16 blocks at a time (x86-64).
    CBLAKE3_KERNEL_AVX512 = 3,
    /// NEON, 4 blocks at a time (arm64).
    CBLAKE3_KERNEL_NEON = 4,
    /// Number of kernels; not itself a kernel.
    CBLAKE3_KERNEL_COUNT = 5
};

/// Starts an unkeyed hash.
void cblake3_init(cblake3_hasher *_Nonnull hasher);

/// Starts a keyed hash under the 32 bytes at `key32`.
void cblake3_init_keyed(cblake3_hasher *_Nonnull hasher, const void *_Nonnull key32);

/// Computes the context key of a key derivation: the 32 bytes that stand for the `len` bytes of
/// `context`. A context is a constant of the program, so its key is worth computing only once.
void cblake3_derive_context_key(const void *_Nullable context, size_t len, void *_Nonnull out32);

/// Starts the derivation of a key from key material, under a context key computed before by
/// `cblake3_derive_context_key`.
void cblake3_init_derive_material(cblake3_hasher *_Nonnull hasher,
                                  const void *_Nonnull context_key32);

/// Adds `len` bytes to the input. `data` may be null only if `len` is 0.
void cblake3_update(cblake3_hasher *_Nonnull hasher, const void *_Nullable data, size_t len);

/// Writes the first `out_len` bytes of the output for the input so far. The state is not changed:
/// more input may follow, and the output may be asked for again.
void cblake3_finalize(const cblake3_hasher *_Nonnull hasher, void *_Nonnull out, size_t out_len);

/// Whether this program and this processor have the kernel: 1 if so, else 0.
int cblake3_kernel_supported(int kernel);

/// The kernel in use: the fastest one supported unless `cblake3_select_kernel` chose another.
int cblake3_kernel_selected(void);

/// Makes every hash of this process use the given kernel from now on, for tests and benchmarks.
/// Kernels agree on the state, so a hash may change kernels half way. Returns 1, or 0 with no
/// change made if the kernel is not supported.
int cblake3_select_kernel(int kernel);

/// A short name of the kernel in lower case, or "unknown".
const char *_Nonnull cblake3_kernel_name(int kernel);

#ifdef __cplusplus
}
#endif

#endif
