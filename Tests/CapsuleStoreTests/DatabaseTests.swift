// The encrypted database: what a power cut leaves, what an older page or log is taken for, and that
// nothing readable lies in the files.

import CapsuleCrypto
import CapsuleStorageFaults
import CapsuleSystem
import Crypto
import Glibc
import Synchronization
import Testing

@testable import CapsuleStore

@Suite("Encrypted database")
struct DatabaseTests {
    private static let cipher = PageCipher(
        key: SymmetricKey(data: [UInt8](repeating: 7, count: 32)))
    private static let id = [UInt8](1...16)

    private static func open(
        _ directory: MemoryDirectory, _ mode: Database.Mode = .readWrite
    ) throws -> Database {
        try Database(in: directory, key: cipher, id: id, mode: mode)
    }

    private static func create(_ directory: MemoryDirectory) throws {
        let database = try open(directory, .create)
        try database.execute("CREATE TABLE t(k INTEGER PRIMARY KEY, v BLOB)")
        database.close()
    }

    private static func values(_ database: Database) throws -> [Int64] {
        try Statement(database, "SELECT k FROM t ORDER BY k").all { $0.integer(0) }
    }

    private static func put(_ database: Database, _ key: Int64, filler: Int = 100) throws {
        try Statement(database, "INSERT INTO t VALUES(?1, ?2)")
            .bind(1, key).bind(2, [UInt8](repeating: 0x41, count: filler)).run()
    }

    @Test("what was committed is there after a clean end, and no log is left")
    func reopening() throws {
        let directory = MemoryDirectory()
        try Self.create(directory)
        var database = try Self.open(directory)
        for key in 0..<500 { try Self.put(database, Int64(key)) }
        database.close()
        #expect(try directory.names() == ["metadata", "pages"])
        database = try Self.open(directory)
        #expect(try Self.values(database) == Array(0..<500))
    }

    @Test("a power cut at every operation leaves every commit that was reported, and no half one")
    func powerCuts() throws {
        let base = MemoryDirectory()
        try Self.create(base)
        let whole = base.copy()
        _ = try Self.work(whole)
        for cut in 0..<whole.operations {
            let directory = base.copy()
            directory.die(after: cut)
            let reported = (try? Self.work(directory)) ?? Self.reached.withLock { $0 }
            for fate in MemoryDirectory.Unflushed.allCases {
                let found = directory.afterCrash(fate)
                do {
                    let database = try Self.open(found)
                    let values = try Self.values(database)
                    #expect(values.count >= reported, "cut \(cut), \(fate)")
                    #expect(values == Array(0..<Int64(values.count)) && values.count % 3 == 0)
                } catch {
                    Issue.record("cut \(cut), \(fate): \(error)")
                }
            }
        }
    }

    private static let reached = Mutex<Int>(0)

    /// Three rows in each transaction, checkpoints in between; the rows that were committed.
    private static func work(_ directory: MemoryDirectory) throws -> Int {
        reached.withLock { $0 = 0 }
        let database = try open(directory)
        for group in 0..<12 {
            try database.execute("BEGIN")
            for key in 0..<3 { try put(database, Int64(group * 3 + key), filler: 3000) }
            try database.execute("COMMIT")
            reached.withLock { $0 = (group + 1) * 3 }
            if group % 4 == 3 { try database.checkpoint() }
        }
        return 36
    }

    @Test("a page, the map or the log put back from an older moment is refused or says nothing")
    func replay() throws {
        let directory = MemoryDirectory()
        try Self.create(directory)
        var database = try Self.open(directory)
        for key in 0..<100 { try Self.put(database, Int64(key), filler: 400) }
        let log = directory["metadata-wal"]
        database.close()
        let old = directory.copy()
        database = try Self.open(directory)
        try database.execute("UPDATE t SET v = zeroblob(400)")
        database.close()
        let stored = SealedBlocks.storedLength
        for page in 0..<directory["metadata"].count / stored {
            let copy = directory.copy()
            var bytes = copy["metadata"]
            let range = page * stored..<(page + 1) * stored
            guard bytes[range] != old["metadata"][range] else { continue }
            bytes.replaceSubrange(range, with: old["metadata"][range])
            copy["metadata"] = bytes
            #expect(throws: StoreError.self, "page \(page)") {
                let database = try Self.open(copy)
                _ = try Statement(database, "SELECT v FROM t").all { $0.bytes(0) }
            }
        }
        let mapped = directory.copy()
        mapped["pages"] = old["pages"]
        #expect(throws: StoreError.self) { try Self.values(try Self.open(mapped)) }
        let replayed = directory.copy()
        replayed["metadata-wal"] = log
        #expect(try Self.values(try Self.open(replayed)) == Array(0..<100))
        let zeros = try Statement(
            try Self.open(directory), "SELECT count(*) FROM t WHERE v = zeroblob(400)")
        #expect(try zeros.first { $0.integer(0) } == 100)
    }

    @Test("a flipped bit in any block of a log with flushed blocks after it is damage")
    func damagedLog() throws {
        let directory = MemoryDirectory()
        try Self.create(directory)
        let database = try Self.open(directory)
        for key in 0..<20 { try Self.put(database, Int64(key), filler: 3000) }
        let running = directory.copy()
        database.close()
        let stored = SealedBlocks.storedLength
        let count = running["metadata-wal"].count / stored
        #expect(count > 20)
        for block in 0..<count - 8 {
            let copy = running.copy()
            copy["metadata-wal"][block * stored + 100] ^= 1
            let failure = #expect(throws: StoreError.self, "block \(block)") {
                try Self.values(try Self.open(copy))
            }
            #expect(failure?.code == .damaged)
        }
    }

    @Test("a full disk fails the commit, which can be tried again, and what follows is durable")
    func fullDisk() throws {
        let directory = MemoryDirectory()
        try Self.create(directory)
        let database = try Self.open(directory)
        for key in 0..<2 { try Self.put(database, Int64(key), filler: 3000) }
        try database.commit()
        try database.execute("BEGIN")
        for key in 2..<50 { try Self.put(database, Int64(key), filler: 3000) }
        directory.limit(to: 20_000)
        for _ in 0..<2 {
            let failure = #expect(throws: StoreError.self) { try database.commit() }
            #expect(failure?.errno == ENOSPC && database.isUnsettled)
        }
        #expect(try Self.values(try Self.open(directory.copy())) == [0, 1])
        directory.limit(to: nil)
        try database.commit()
        try Self.put(database, 50)
        try database.commit()
        #expect(try Self.values(database) == Array(0...50))
        // As after a SIGKILL: from the files alone.
        #expect(try Self.values(try Self.open(directory.copy())) == Array(0...50))
    }

    @Test("reading alone writes nothing, also with a log that was left behind")
    func readOnly() throws {
        let directory = MemoryDirectory()
        try Self.create(directory)
        let created = directory.copy()
        created.die(after: 0)
        #expect(try Self.values(try Self.open(created, .readOnly)).isEmpty)
        #expect(created.operations == 0)
        let database = try Self.open(directory)
        for key in 0..<20 { try Self.put(database, Int64(key)) }
        let running = directory.copy()
        running.die(after: 0)
        #expect(try Self.values(try Self.open(running, .readOnly)) == Array(0..<20))
        #expect(running.operations == 0)
    }

    @Test("no file holds what was put in")
    func ciphertext() throws {
        let directory = MemoryDirectory()
        try Self.create(directory)
        let database = try Self.open(directory)
        let secret = Array("a secret that is long enough to be found".utf8)
        try Statement(database, "INSERT INTO t VALUES(1, ?1)").bind(1, secret).run()
        for directory in [directory.copy(), directory] {
            for name in try directory.names() {
                #expect(!directory[name].contains(secret), "\(name)")
                #expect(!directory[name].contains(Array("CREATE TABLE".utf8)), "\(name)")
            }
            database.close()
        }
    }
}
