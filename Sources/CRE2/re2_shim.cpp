#include "cre2.h"

#include <re2/re2.h>

#include <algorithm>
#include <cstring>
#include <memory>

// Spans of more groups than this are not asked for.
static const int groups_max = 32;

struct cre2_regex {
    re2::RE2 regex;
    cre2_regex(const re2::StringPiece &pattern, const re2::RE2::Options &options)
        : regex(pattern, options) {}
};

extern "C" cre2_regex *cre2_compile(const char *pattern, size_t length, int64_t memory_max,
                                    char *error, size_t error_size) {
    re2::RE2::Options options(re2::RE2::Latin1);
    options.set_log_errors(false);
    options.set_max_mem(memory_max);
    auto compiled =
        std::make_unique<cre2_regex>(re2::StringPiece(pattern ? pattern : "", length), options);
    if (compiled->regex.ok()) return compiled.release();
    const std::string &message = compiled->regex.error();
    size_t size = std::min(message.size(), error_size - 1);
    std::memcpy(error, message.data(), size);
    error[size] = 0;
    return nullptr;
}

extern "C" void cre2_free(cre2_regex *regex) { delete regex; }

extern "C" int cre2_group_count(const cre2_regex *regex) {
    return regex->regex.NumberOfCapturingGroups();
}

extern "C" int cre2_find(const cre2_regex *regex, const uint8_t *text, size_t length, size_t start,
                         size_t end, int64_t *spans, int groups) {
    re2::StringPiece whole(reinterpret_cast<const char *>(text), length);
    re2::StringPiece found[groups_max];
    int count = std::min(groups, groups_max);
    if (!regex->regex.Match(whole, start, end, re2::RE2::UNANCHORED, found, count)) return 0;
    for (int group = 0; group < groups; group++) {
        bool took_part = group < count && found[group].data() != nullptr;
        int64_t first = took_part ? found[group].data() - whole.data() : -1;
        spans[2 * group] = first;
        spans[2 * group + 1] = took_part ? first + (int64_t)found[group].size() : -1;
    }
    return 1;
}
