import CapsuleStore
import CapsuleSystem
import Glibc

/// What was forgotten.
public struct ForgetReport: Equatable, Sendable {
    /// Inodes that no state shows any more.
    public internal(set) var inodes: Int64 = 0
    /// Inodes that stay, as they have other names elsewhere.
    public internal(set) var kept: Int64 = 0
    /// Bytes of segments that went.
    public internal(set) var freed: UInt64 = 0

    /// Nothing.
    public init() {}
}

/// Taking something out of states that are kept.
extension LiveTree {
    /// Takes what is, or was, at a path out of every state that is kept, with everything below it,
    /// and with `fromPresent` out of the present tree as well; then the segments and the pages in
    /// which it was are written anew without it. Throws ENOENT where no state shows the path.
    public func forget(
        _ path: [[UInt8]], fromPresent: Bool
    ) throws(WorkspaceError) -> ForgetReport {
        guard let last = path.last else {
            throw WorkspaceError.refusal(EINVAL, "the root cannot be forgotten")
        }
        var replaced = ReplacedNames()
        var victims: Set<Int64> = []
        var report = ForgetReport()
        // What is deleted is to be overwritten in its page, too.
        try locked { () throws(WorkspaceError) in
            try stored { () throws(StoreError) in
                try database.execute("PRAGMA secure_delete=ON")
            }
        }
        try changing { () throws(WorkspaceError) in
            let places = try places(of: path)
            guard !places.isEmpty else {
                throw WorkspaceError.refusal(ENOENT, "no state shows '\(Self.shown(path))'")
            }
            try stored { () throws(StoreError) in
                try inodes.flush(epoch: epoch)
                try prunePast()
                let collected = try collect(last, places)
                report.inodes = collected.doomed
                report.kept = Int64(collected.kept.count)
                replaced.inodes = collected.kept
                replaced.pastInodes = collected.kept + places.map(\.parent)
                replaced.pastNames = places.map {
                    ReplacedNames.Name(parent: $0.parent, name: last)
                }
            }
            if fromPresent { try requireNoneOpen() }
            forgetCount += 1
            try stored { () throws(StoreError) in
                victims = try segmentsOfDoomed()
                try forgetPast(last, places)
            }
            inodes.reset()
            if fromPresent, let found = try presentParent(of: path) {
                try removeTree(found.inode, named: last, in: found.parent)
                try eraseDoomedOrphans()
                replaced.names.append(ReplacedNames.Name(parent: found.parent, name: last))
                replaced.inodes += [found.parent, found.inode.number]
                frozen.forget()
            }
            try stored { () throws(StoreError) in
                try inodes.flush(epoch: epoch)
                try forgetDisclosed(path)
                try database.execute("DROP TABLE temp.doomed")
            }
            // Not the name: it shall be gone. But which run, so that its URIs are accounted for.
            var details: [String: EventValue] = [
                "inodes": .number(report.inodes), "kept": .number(report.kept),
                "from_present": .flag(fromPresent),
            ]
            if let runs = try runs(at: path) { details["runs"] = .text(runs) }
            try record(.forgotten, details)
        }
        try commit()
        tellReplaced(replaced)
        report.freed = try reclaim(isDry: false, victims: victims).freed
        return report
    }

    /// Of a path at, below or above the folders of runs, the part that says which: `SPEC/RUN`,
    /// `SPEC`, or nothing for all.
    private func runs(at path: [[UInt8]]) throws(WorkspaceError) -> String? {
        let isOfRuns = try stored(listRuns).contains {
            path.starts(with: $0.name.directory) || $0.name.directory.starts(with: path)
        }
        return isOfRuns ? Self.shown(Array(path.prefix(3).dropFirst())) : nil
    }

    private func isDoomed(_ number: UInt64) throws(StoreError) -> Bool {
        try Statement(database, "SELECT 1 FROM doomed WHERE number = ?1")
            .bind(1, Int64(bitPattern: number)).first { _ in true } != nil
    }

    /// Throws EBUSY where a file that shall be forgotten is open: its contents would stay.
    private func requireNoneOpen() throws(WorkspaceError) {
        for number in opened.keys {
            let goes = try stored { () throws(StoreError) -> Bool in try isDoomed(number) }
            guard goes else { continue }
            try stored { () throws(StoreError) in try database.execute("DROP TABLE temp.doomed") }
            throw WorkspaceError.refusal(EBUSY, "a file to be forgotten is open: close it")
        }
    }

    /// The kernel may still know inodes that nobody has open: they go now, and not when it forgets
    /// them.
    private func eraseDoomedOrphans() throws(WorkspaceError) {
        for number in orphans {
            let goes = try stored { () throws(StoreError) -> Bool in try isDoomed(number) }
            if goes { try erase(try inode(number)) }
        }
    }

    /// Where the path leads in the states that are kept and in the present tree.
    private func places(of path: [[UInt8]]) throws(WorkspaceError) -> [(
        parent: UInt64, child: UInt64
    )] {
        try stored { () throws(StoreError) in
            try inodes.flush(epoch: epoch)
            var places: [UInt64: UInt64] = [:]
            var all: [(parent: UInt64, child: UInt64)] = []
            for state in try listStates().map(\.epoch) + [epoch] {
                let tables = try StateTables(database, epoch: state)
                var parent = Inode.root
                var child: UInt64? = Inode.root
                for component in path {
                    guard let directory = child else { break }
                    parent = directory
                    child = try tables.child(component, of: directory)
                }
                guard let child, places[child] != parent else { continue }
                places[child] = parent
                all.append((parent, child))
            }
            return all
        }
    }

    private func presentParent(
        of path: [[UInt8]]
    ) throws(WorkspaceError) -> (parent: UInt64, inode: Inode)? {
        var parent = Inode.root
        var inode = try inode(parent)
        for component in path {
            parent = inode.number
            guard let next = try child(component, of: parent) else { return nil }
            inode = next
        }
        return (parent, inode)
    }

    /// Fills a table with the inodes at the places and below them, but for those with names
    /// elsewhere, which it returns.
    private func collect(
        _ name: [UInt8], _ places: [(parent: UInt64, child: UInt64)]
    ) throws(StoreError) -> (doomed: Int64, kept: [UInt64]) {
        try database.execute("CREATE TEMP TABLE doomed(number INTEGER PRIMARY KEY)")
        let insert = try Statement(database, "INSERT OR IGNORE INTO doomed VALUES (?1)")
        for place in places { try insert.bind(1, Int64(bitPattern: place.child)).run() }
        let columns = "SELECT parent, child, name FROM"
        let all = "(\(columns) entry UNION ALL \(columns) past_entry)"
        try database.execute(
            """
            WITH RECURSIVE below(number) AS (
              SELECT number FROM doomed
              UNION SELECT child FROM \(all) AS e JOIN below ON e.parent = below.number)
            INSERT OR IGNORE INTO doomed SELECT number FROM below
            """)
        // Names outside: in a directory that stays, and not one of the places.
        try database.execute("CREATE TEMP TABLE place(parent INTEGER, child INTEGER)")
        let note = try Statement(database, "INSERT INTO place VALUES (?1, ?2)")
        for place in places {
            try note.bind(1, Int64(bitPattern: place.parent))
                .bind(2, Int64(bitPattern: place.child)).run()
        }
        let kept = try Statement(
            database,
            """
            WITH RECURSIVE named(parent, child) AS (
              SELECT parent, child FROM \(all) AS e WHERE child IN (SELECT number FROM doomed)
              AND NOT (name = ?1 AND EXISTS (
                SELECT 1 FROM place WHERE place.parent = e.parent AND place.child = e.child))),
            kept(number) AS (
              SELECT child FROM named WHERE parent NOT IN (SELECT number FROM doomed)
              UNION SELECT child FROM named JOIN kept ON named.parent = kept.number)
            SELECT number FROM kept
            """
        ).bind(1, name).all { UInt64(bitPattern: $0.integer(0)) }
        try database.execute("DROP TABLE temp.place")
        let spare = try Statement(database, "DELETE FROM doomed WHERE number = ?1")
        for number in kept { try spare.bind(1, Int64(bitPattern: number)).run() }
        return (try count("SELECT count(*) FROM doomed"), kept)
    }

    private func count(_ query: String) throws(StoreError) -> Int64 {
        try Statement(database, query).first { $0.integer(0) } ?? 0
    }

    private func segmentsOfDoomed() throws(StoreError) -> Set<Int64> {
        Set(
            try Statement(
                database,
                """
                SELECT segment FROM extent WHERE inode IN (SELECT number FROM doomed)
                UNION SELECT segment FROM past_extent WHERE inode IN (SELECT number FROM doomed)
                """
            ).all { $0.integer(0) })
    }

    /// Fills a table with the entries that states will not show any more, each with the epochs in
    /// which they did.
    private func noteGone(
        _ name: [UInt8], _ places: [(parent: UInt64, child: UInt64)]
    ) throws(StoreError) {
        let doomed = "(SELECT number FROM doomed)"
        let isDirectory = """
            EXISTS (SELECT 1 FROM inode WHERE number = child AND mode & 61440 = 16384)
            OR EXISTS (SELECT 1 FROM past_inode WHERE number = child AND mode & 61440 = 16384)
            """
        try database.execute(
            """
            CREATE TEMP TABLE gone(parent INTEGER, child INTEGER, born INTEGER, died INTEGER,
              directory INTEGER)
            """)
        let insert = "INSERT INTO gone SELECT parent, child, born"
        let ever = "\(Int64.max)"
        for (table, died) in [("entry", ever), ("past_entry", "died")] {
            try database.execute(
                """
                \(insert), \(died), \(isDirectory) FROM \(table)
                WHERE child IN \(doomed) OR parent IN \(doomed)
                """)
            let place = try Statement(
                database,
                """
                \(insert), \(died), \(isDirectory) FROM \(table)
                WHERE parent = ?1 AND child = ?2 AND name = ?3 AND child NOT IN \(doomed)
                AND parent NOT IN \(doomed)
                """)
            for item in places {
                try place.bind(1, Int64(bitPattern: item.parent))
                    .bind(2, Int64(bitPattern: item.child)).bind(3, name).run()
            }
        }
    }

    /// Lets inodes that stay count fewer names, or subdirectories, in the states: in each version
    /// by as many as lay in it. The present keeps its own count in a version that begins now.
    private func adjustLinks() throws(StoreError) {
        let rules = [
            (inode: "parent", condition: "directory"), (inode: "child", condition: "NOT directory"),
        ]
        for rule in rules {
            let affected = """
                (SELECT \(rule.inode) FROM gone WHERE \(rule.condition)
                 AND \(rule.inode) NOT IN (SELECT number FROM doomed))
                """
            try Statement(
                database,
                """
                INSERT INTO past_inode(\(InodeTable.columns), died)
                SELECT \(InodeTable.columns), ?1 FROM inode
                WHERE born < ?1 AND number IN \(affected)
                """
            ).bind(1, epoch).run()
            try Statement(database, "UPDATE inode SET born = ?1 WHERE number IN \(affected)")
                .bind(1, epoch).run()
            try Statement(
                database,
                """
                UPDATE past_inode SET links = links - (
                  SELECT count(*) FROM gone WHERE \(rule.condition)
                  AND gone.\(rule.inode) = number
                  AND gone.born < past_inode.died AND gone.died > past_inode.born)
                WHERE number IN \(affected)
                """
            ).run()
        }
        try database.execute("DROP TABLE temp.gone")
    }

    /// Removes the rows of the past, and lets those of the present begin now: no state shows them.
    private func forgetPast(
        _ name: [UInt8], _ places: [(parent: UInt64, child: UInt64)]
    ) throws(StoreError) {
        let doomed = "(SELECT number FROM doomed)"
        try noteGone(name, places)
        try adjustLinks()
        let steps = [
            "DELETE FROM past_inode WHERE number IN \(doomed)",
            "DELETE FROM past_extent WHERE inode IN \(doomed)",
            "DELETE FROM past_attribute WHERE inode IN \(doomed)",
            "DELETE FROM past_entry WHERE child IN \(doomed) OR parent IN \(doomed)",
            "UPDATE inode SET born = ?1 WHERE number IN \(doomed)",
            "UPDATE extent SET born = ?1 WHERE inode IN \(doomed)",
            "UPDATE attribute SET born = ?1 WHERE inode IN \(doomed)",
            "UPDATE entry SET born = ?1 WHERE child IN \(doomed) OR parent IN \(doomed)",
            """
            DELETE FROM target WHERE inode IN \(doomed)
            AND inode NOT IN (SELECT number FROM inode)
            """,
        ]
        for step in steps {
            let statement = try Statement(database, step)
            if step.contains("?1") { statement.bind(1, epoch) }
            try statement.run()
        }
        // The names at the places go even where the inode stays under another.
        let past = try Statement(
            database, "DELETE FROM past_entry WHERE parent = ?1 AND child = ?2 AND name = ?3")
        let present = try Statement(
            database,
            "UPDATE entry SET born = ?4 WHERE parent = ?1 AND child = ?2 AND name = ?3")
        for place in places {
            let (parent, child) = (
                Int64(bitPattern: place.parent), Int64(bitPattern: place.child)
            )
            try past.bind(1, parent).bind(2, child).bind(3, name).run()
            try present.bind(1, parent).bind(2, child).bind(3, name).bind(4, epoch).run()
        }
    }
}
