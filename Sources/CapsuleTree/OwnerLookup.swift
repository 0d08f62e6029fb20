import CapsuleFormat
import Glibc

/// The names of users and groups on this machine.
enum OwnerLookup {
    static func names(users: Set<UInt32>, groups: Set<UInt32>) -> OwnerNames {
        var names = OwnerNames()
        for id in users {
            if let record = getpwuid(id) {
                names.users[id] = String(cString: record.pointee.pw_name)
            }
        }
        for id in groups {
            if let record = getgrgid(id) {
                names.groups[id] = String(cString: record.pointee.gr_name)
            }
        }
        return names
    }
}
