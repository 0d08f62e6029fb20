import CLinux
import CapsuleFormat
import CapsuleSystem
import Glibc

/// Reads all extended attributes of a file system object; POSIX ACLs are among them, as
/// `system.posix_acl_access` and `system.posix_acl_default` in the kernel's own form.
enum AttributeReader {
    /// Of an open file or directory.
    static func attributes(of descriptor: Int32) throws(SystemError) -> [ExtendedAttribute] {
        try attributes(
            list: { clinux_listxattr(descriptor, $0, $1) },
            get: { clinux_getxattr(descriptor, $0, $1, $2) })
    }

    /// Of what a path names, itself and not what it may link to.
    static func attributes(ofPath path: [CChar]) throws(SystemError) -> [ExtendedAttribute] {
        try attributes(
            list: { clinux_llistxattr(path, $0, $1) },
            get: { clinux_lgetxattr(path, $0, $1, $2) })
    }

    private static func attributes(
        list: (UnsafeMutablePointer<CChar>?, Int) -> Int,
        get: (UnsafePointer<CChar>, UnsafeMutableRawPointer?, Int) -> Int
    ) throws(SystemError) -> [ExtendedAttribute] {
        var names = [CChar](repeating: 0, count: 1024)
        var count = list(&names, names.count)
        if count < 0, errno == ERANGE {
            names = [CChar](repeating: 0, count: 65536)
            count = list(&names, names.count)
        }
        if count < 0 {
            if errno == EOPNOTSUPP { return [] }
            throw SystemError.last("list the extended attributes", "")
        }
        var attributes: [ExtendedAttribute] = []
        for name in names[..<count].split(separator: 0) {
            let text = Array(name) + [0]
            guard let value = try value(of: text, get) else { continue }
            attributes.append(
                ExtendedAttribute(name: name.map { UInt8(bitPattern: $0) }, value: value))
        }
        return attributes.sorted { $0.name.lexicographicallyPrecedes($1.name) }
    }

    /// The value; nil when the attribute has gone, or may not be read by this user.
    private static func value(
        of name: [CChar], _ get: (UnsafePointer<CChar>, UnsafeMutableRawPointer?, Int) -> Int
    ) throws(SystemError) -> [UInt8]? {
        var buffer = [UInt8](repeating: 0, count: 256)
        var count = get(name, &buffer, buffer.count)
        if count < 0, errno == ERANGE {
            buffer = [UInt8](repeating: 0, count: Limits.attributeValueLength)
            count = get(name, &buffer, buffer.count)
        }
        if count < 0 {
            if errno == ENODATA || errno == EPERM || errno == EACCES { return nil }
            throw SystemError.last("read an extended attribute", "")
        }
        return Array(buffer[..<count])
    }
}
