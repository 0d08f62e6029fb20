#pragma once

// Debian's toml++, read only: a parsed document is a tree of nodes, which C can walk.

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct ctoml_document ctoml_document;
typedef struct ctoml_node ctoml_node;

enum {
    ctoml_type_table = 1,
    ctoml_type_array = 2,
    ctoml_type_string = 3,
    ctoml_type_integer = 4,
    ctoml_type_double = 5,
    ctoml_type_boolean = 6,
    // A date or time: nothing here reads one.
    ctoml_type_other = 7,
};

// Parses a document; NULL with a message and a line for one that is no TOML.
ctoml_document *_Nullable ctoml_parse(const char *_Nullable text, size_t length,
                                      char *_Nonnull error, size_t error_size,
                                      uint32_t *_Nonnull error_line);

void ctoml_free(ctoml_document *_Nonnull document);

// The top table. Nodes live as long as their document.
const ctoml_node *_Nonnull ctoml_root(const ctoml_document *_Nonnull document);

int ctoml_type(const ctoml_node *_Nonnull node);

const char *_Nonnull ctoml_string(const ctoml_node *_Nonnull node, size_t *_Nonnull length);
int64_t ctoml_integer(const ctoml_node *_Nonnull node);
double ctoml_double(const ctoml_node *_Nonnull node);
int ctoml_boolean(const ctoml_node *_Nonnull node);

// Calls `body` for each child of a table or an array; the key is empty within an array.
void ctoml_each(const ctoml_node *_Nonnull node, void *_Nullable context,
                void (*_Nonnull body)(void *_Nullable context, const char *_Nonnull key,
                                      size_t key_length, const ctoml_node *_Nonnull child));

#ifdef __cplusplus
}
#endif
