import CapsuleStore

/// The tables of a workspace.
///
/// Every row of the tree carries the epoch in which it was born. A change in a later epoch moves
/// the old row to the table of the past, with the epoch in which it died: so a state is the rows
/// born no later than it that had not died by then, and a new state is one row.
enum Schema {
    static let version: Int64 = 1

    private static let inodeColumns = """
        born INTEGER NOT NULL, mode INTEGER NOT NULL, uid INTEGER NOT NULL, gid INTEGER NOT NULL,
        links INTEGER NOT NULL, size INTEGER NOT NULL, stored INTEGER NOT NULL,
        device INTEGER NOT NULL, parent INTEGER NOT NULL,
        atime INTEGER NOT NULL, atime_ns INTEGER NOT NULL,
        mtime INTEGER NOT NULL, mtime_ns INTEGER NOT NULL,
        ctime INTEGER NOT NULL, ctime_ns INTEGER NOT NULL, attributes INTEGER NOT NULL
        """
    private static let entryColumns = """
        parent INTEGER NOT NULL, hash INTEGER NOT NULL, name BLOB NOT NULL,
        child INTEGER NOT NULL, born INTEGER NOT NULL
        """
    private static let extentColumns = """
        inode INTEGER NOT NULL, offset INTEGER NOT NULL, length INTEGER NOT NULL,
        segment INTEGER NOT NULL, place INTEGER NOT NULL, packed INTEGER NOT NULL,
        plain INTEGER NOT NULL, skip INTEGER NOT NULL, born INTEGER NOT NULL
        """
    private static let attributeColumns = """
        inode INTEGER NOT NULL, name BLOB NOT NULL, value BLOB NOT NULL, born INTEGER NOT NULL
        """

    /// The statements that make a new workspace's tables.
    static var creation: String {
        """
        CREATE TABLE fact(name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
        INSERT INTO fact VALUES ('schema', \(version)), ('epoch', 1), ('clean', 1), ('changed', 0),
          ('branch', 1);
        CREATE TABLE inode(number INTEGER PRIMARY KEY AUTOINCREMENT, \(inodeColumns));
        CREATE INDEX orphan ON inode(number) WHERE links = 0;
        CREATE TABLE entry(\(entryColumns), PRIMARY KEY(parent, hash)) WITHOUT ROWID;
        CREATE TABLE extent(\(extentColumns), PRIMARY KEY(inode, offset)) WITHOUT ROWID;
        CREATE TABLE attribute(\(attributeColumns), PRIMARY KEY(inode, name)) WITHOUT ROWID;
        CREATE TABLE target(inode INTEGER PRIMARY KEY, path BLOB NOT NULL);
        CREATE TABLE segment(number INTEGER PRIMARY KEY, name BLOB NOT NULL);
        CREATE TABLE state(epoch INTEGER PRIMARY KEY, name BLOB NOT NULL UNIQUE,
          seconds INTEGER NOT NULL, kind INTEGER NOT NULL, tag BLOB NOT NULL,
          branch INTEGER NOT NULL);
        CREATE TABLE branch(number INTEGER PRIMARY KEY AUTOINCREMENT,
          name BLOB NOT NULL UNIQUE, head INTEGER);
        INSERT INTO branch VALUES (1, CAST('main' AS BLOB), NULL);
        CREATE TABLE kept_tag(tag BLOB PRIMARY KEY) WITHOUT ROWID;
        CREATE TABLE event(number INTEGER PRIMARY KEY, start INTEGER NOT NULL,
          line BLOB NOT NULL);
        CREATE TABLE event_hash(level INTEGER NOT NULL, number INTEGER NOT NULL,
          hash BLOB NOT NULL, PRIMARY KEY(level, number)) WITHOUT ROWID;
        CREATE TABLE event_name(digest BLOB PRIMARY KEY, salt BLOB NOT NULL,
          path BLOB NOT NULL) WITHOUT ROWID;
        CREATE TABLE wrapped_key(name TEXT PRIMARY KEY, sealed BLOB NOT NULL) WITHOUT ROWID;
        CREATE TABLE past_inode(number INTEGER NOT NULL, \(inodeColumns), died INTEGER NOT NULL,
          PRIMARY KEY(number, born)) WITHOUT ROWID;
        CREATE TABLE past_entry(\(entryColumns), died INTEGER NOT NULL,
          PRIMARY KEY(parent, hash, born)) WITHOUT ROWID;
        CREATE TABLE past_extent(\(extentColumns), died INTEGER NOT NULL,
          PRIMARY KEY(inode, offset, born)) WITHOUT ROWID;
        CREATE TABLE past_attribute(\(attributeColumns), died INTEGER NOT NULL,
          PRIMARY KEY(inode, name, born)) WITHOUT ROWID;
        \(records)
        """
    }

    /// What lies outside every branch and state: runs, and what is known of things elsewhere. A
    /// workspace that is older than these tables gets them when it is opened for writing.
    static let records = """
        CREATE TABLE IF NOT EXISTS run(number INTEGER PRIMARY KEY AUTOINCREMENT,
          spec BLOB NOT NULL, name BLOB NOT NULL, started INTEGER NOT NULL,
          finished INTEGER NOT NULL, outcome BLOB NOT NULL, risk INTEGER NOT NULL,
          capture BLOB NOT NULL, sanitized INTEGER NOT NULL, events INTEGER NOT NULL,
          UNIQUE(spec, name));
        CREATE TABLE IF NOT EXISTS run_event(place INTEGER PRIMARY KEY, line BLOB NOT NULL);
        CREATE TABLE IF NOT EXISTS run_checkpoint(run INTEGER NOT NULL, label BLOB NOT NULL,
          sequence INTEGER NOT NULL, seconds INTEGER NOT NULL, stage BLOB NOT NULL,
          commit_id BLOB NOT NULL, PRIMARY KEY(run, label));
        CREATE TABLE IF NOT EXISTS policy(id BLOB PRIMARY KEY, body BLOB NOT NULL);
        CREATE TABLE IF NOT EXISTS run_policy(run INTEGER NOT NULL, id BLOB NOT NULL,
          name BLOB NOT NULL, PRIMARY KEY(run, id));
        CREATE TABLE IF NOT EXISTS ledger(kind BLOB NOT NULL, name BLOB NOT NULL,
          file BLOB NOT NULL, secret BLOB NOT NULL, body BLOB NOT NULL,
          PRIMARY KEY(kind, name));
        """
}
