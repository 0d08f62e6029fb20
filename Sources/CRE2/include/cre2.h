#pragma once

// RE2, whose searches take time linear in the text whatever the pattern and the text are. It is
// C++, so only C crosses this line.

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct cre2_regex cre2_regex;

// Compiles a pattern that matches bytes (RE2's Latin-1), so that invalid UTF-8 stops no search;
// NULL with a message in `error` for a pattern that is wrong or too large. `memory_max` bounds the
// program and its state cache; a search that would need more is slower, never wrong.
cre2_regex *_Nullable cre2_compile(const char *_Nullable pattern, size_t length,
                                   int64_t memory_max, char *_Nonnull error, size_t error_size);

void cre2_free(cre2_regex *_Nonnull regex);

// The number of capturing groups.
int cre2_group_count(const cre2_regex *_Nonnull regex);

// The first match within [start, end) of the text; what is outside counts only for \b, ^ and $.
// Fills `spans` with `groups` pairs of offsets, the whole match first; -1 for a group that took no
// part. Returns 1 for a match.
int cre2_find(const cre2_regex *_Nonnull regex, const uint8_t *_Nullable text, size_t length,
              size_t start, size_t end, int64_t *_Nonnull spans, int groups);

#ifdef __cplusplus
}
#endif
