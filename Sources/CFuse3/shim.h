#pragma once

// Defined here and not by a compiler flag, so that every importer sees one API version.
#define FUSE_USE_VERSION 312
#include <fuse_lowlevel.h>

// Newer libfuse makes fuse_session_new a macro, which Swift cannot import.
static inline struct fuse_session *_Nullable capsule_fuse_session_new(
    struct fuse_args *_Nonnull args, const struct fuse_lowlevel_ops *_Nonnull operations,
    void *_Nullable userdata) {
    return fuse_session_new(args, operations, sizeof(struct fuse_lowlevel_ops), userdata);
}

/* Swift cannot reach bit fields. */
static inline int capsule_fuse_is_from_cache(const struct fuse_file_info *info) {
    return info && info->writepage;
}

static inline int capsule_fuse_reply_open(fuse_req_t request, int flags) {
    struct fuse_file_info info = {.flags = flags, .keep_cache = 1};
    return fuse_reply_open(request, &info);
}

static inline int capsule_fuse_reply_create(fuse_req_t request,
                                            const struct fuse_entry_param *entry, int flags) {
    struct fuse_file_info info = {.flags = flags, .keep_cache = 1};
    return fuse_reply_create(request, entry, &info);
}
