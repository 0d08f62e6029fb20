import CapsuleSystem
import Glibc
import Synchronization

/// Answers requests about a workspace while a driver has it: one thread for each connection.
public final class ControlServer: Sendable {
    // Used by one thread; `stop` only shuts it down.
    private nonisolated(unsafe) let listener: Listener
    private let path: String
    private let workspace: Workspace
    private let clientCount = Atomic(0)
    private static let clientCountMax = 64

    private final class Listener {
        let socket: LocalSocket
        init(_ socket: consuming LocalSocket) { self.socket = socket }
    }

    private final class Client: Sendable {
        let socket: LocalSocket
        init(_ socket: consuming LocalSocket) { self.socket = socket }
    }

    /// Starts to listen in the workspace's directory.
    init(_ path: String, workspace: Workspace) throws(WorkspaceError) {
        self.path = path
        self.workspace = workspace
        do throws(SystemError) {
            listener = Listener(try ControlSocket.listen(in: path))
        } catch {
            throw WorkspaceError(error)
        }
        _ = Worker { [self] in
            while let socket = listener.socket.accept() {
                guard let user = socket.peerUserID, user == 0 || user == geteuid() else {
                    continue
                }
                // Verbs are few; whoever opens more takes threads and descriptors from the mount.
                guard clientCount.add(1, ordering: .relaxed).newValue <= Self.clientCountMax else {
                    clientCount.subtract(1, ordering: .relaxed)
                    continue
                }
                let client = Client(socket)
                _ = Worker { [self] in
                    defer { clientCount.subtract(1, ordering: .relaxed) }
                    Requester.with(userID: user) {
                        let service = ControlService(workspace)
                        while let request = (try? ControlMessage.receive(from: client.socket))
                            ?? nil,
                            (try? service.answer(request).send(over: client.socket)) != nil
                        {}
                    }
                }
            }
        }
    }

    /// Stops listening and removes the socket.
    public func stop() {
        unlink("\(path)/\(ControlSocket.fileName)")
        listener.socket.shutDown()
    }
}
