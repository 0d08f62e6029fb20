#pragma once
#include <sqlite3.h>

/* Swift imports no macro that is an expression. */
static const int capsule_SQLITE_IOERR_SHORT_READ = SQLITE_IOERR_SHORT_READ;

/* SQLITE_TRANSIENT is a cast that Swift cannot import: SQLite copies what is bound. */
static inline int capsule_sqlite3_bind_blob_copy(sqlite3_stmt *statement, int index,
                                                 const void *bytes, int count) {
    return sqlite3_bind_blob(statement, index, bytes, count, SQLITE_TRANSIENT);
}
