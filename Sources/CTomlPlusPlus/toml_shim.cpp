#include "ctomlplusplus.h"

// Results and not exceptions: programs are linked without an unwinder of C++.
#define TOML_HEADER_ONLY 1
#define TOML_EXCEPTIONS 0
#define TOML_ENABLE_FORMATTERS 0
// The parser asserts of a header's key what only its text decides, and has an error for it right
// after; without this a "[=" in a file would end the program.
#define TOML_ASSERT(expression) static_assert(true)
#include <toml++/toml.h>

#include <algorithm>
#include <cstring>
#include <memory>

struct ctoml_document {
    toml::table root;
};

static const toml::node *node_of(const ctoml_node *node) {
    return reinterpret_cast<const toml::node *>(node);
}

static const ctoml_node *handle_of(const toml::node &node) {
    return reinterpret_cast<const ctoml_node *>(&node);
}

extern "C" ctoml_document *ctoml_parse(const char *text, size_t length, char *error,
                                       size_t error_size, uint32_t *error_line) {
    toml::parse_result result = toml::parse(std::string_view(text ? text : "", length));
    if (result) return new ctoml_document{std::move(result).table()};
    std::string_view message = result.error().description();
    size_t size = std::min(message.size(), error_size - 1);
    std::memcpy(error, message.data(), size);
    error[size] = 0;
    *error_line = (uint32_t)result.error().source().begin.line;
    return nullptr;
}

extern "C" void ctoml_free(ctoml_document *document) { delete document; }

extern "C" const ctoml_node *ctoml_root(const ctoml_document *document) {
    return handle_of(document->root);
}

extern "C" int ctoml_type(const ctoml_node *node) {
    switch (node_of(node)->type()) {
    case toml::node_type::table: return ctoml_type_table;
    case toml::node_type::array: return ctoml_type_array;
    case toml::node_type::string: return ctoml_type_string;
    case toml::node_type::integer: return ctoml_type_integer;
    case toml::node_type::floating_point: return ctoml_type_double;
    case toml::node_type::boolean: return ctoml_type_boolean;
    default: return ctoml_type_other;
    }
}

extern "C" const char *ctoml_string(const ctoml_node *node, size_t *length) {
    const auto *value = node_of(node)->as_string();
    *length = value ? value->get().size() : 0;
    return value ? value->get().data() : "";
}

extern "C" int64_t ctoml_integer(const ctoml_node *node) {
    const auto *value = node_of(node)->as_integer();
    return value ? value->get() : 0;
}

extern "C" double ctoml_double(const ctoml_node *node) {
    const auto *value = node_of(node)->as_floating_point();
    return value ? value->get() : 0;
}

extern "C" int ctoml_boolean(const ctoml_node *node) {
    const auto *value = node_of(node)->as_boolean();
    return value && value->get();
}

extern "C" void ctoml_each(const ctoml_node *node, void *context,
                           void (*body)(void *, const char *, size_t, const ctoml_node *)) {
    if (const toml::table *table = node_of(node)->as_table()) {
        for (auto &&[key, child] : *table)
            body(context, key.str().data(), key.str().size(), handle_of(child));
    } else if (const toml::array *array = node_of(node)->as_array()) {
        for (auto &&child : *array) body(context, "", 0, handle_of(child));
    }
}
