import CapsuleSystem
import Synchronization

/// Space that is kept back, so that something can be deleted when the disk is full: a commit has to
/// write before anything is given back.
final class Reserve: Sendable {
    static let fileName = "reserve"
    static let length = 1 << 20

    private let directory: any StorageDirectory
    private let isHeld = Mutex(true)

    /// The reserve in a workspace's directory; it is made where it is missing and there is room.
    init(_ directory: any StorageDirectory) {
        self.directory = directory
        refill()
    }

    /// Takes the space, if it is there.
    func refill() {
        isHeld.withLock { isHeld in
            if (try? directory.contains(Self.fileName)) == true {
                isHeld = true
                return
            }
            do throws(SystemError) {
                let file = try directory.create(Self.fileName)
                try file.write([UInt8](repeating: 0, count: Self.length), at: 0)
                isHeld = true
            } catch {
                try? directory.remove(Self.fileName, isDurable: false)
                isHeld = false
            }
        }
    }

    /// Gives the space to whoever needs it now. Whether there was any.
    func release() -> Bool {
        isHeld.withLock { isHeld in
            guard isHeld else { return false }
            isHeld = false
            return (try? directory.remove(Self.fileName, isDurable: false)) != nil
        }
    }
}
