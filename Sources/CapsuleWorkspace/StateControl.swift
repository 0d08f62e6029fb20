import CapsuleSystem
import Glibc

/// What can be done with the states of a workspace, whoever has it open.
public protocol StateKeeper {
    /// The states, oldest first.
    func states() throws(WorkspaceError) -> [WorkspaceState]
    /// Keeps the present state under a name.
    func keepState(as name: String) throws(WorkspaceError) -> WorkspaceState
    /// Forgets a state.
    func dropState(named name: String) throws(WorkspaceError)
}

extension LiveTree: StateKeeper {}

/// A request to the driver of a mounted workspace, and its answer: lines of UTF-8.
///
///     list | keep NAME | drop NAME
///     ok, then EPOCH SECONDS NAME for each state | error ERRNO MESSAGE
///
/// Names of states have no blank and no line end in them, so nothing is quoted.
enum StateMessage {
    static func answer(to request: [UInt8], of tree: LiveTree) -> [UInt8] {
        let words = String(decoding: request, as: UTF8.self).split(separator: " ")
        do throws(WorkspaceError) {
            switch (words.first, words.count) {
            case ("list", 1): return text(of: try tree.states())
            case ("keep", 2): return text(of: [try tree.keepState(as: String(words[1]))])
            case ("drop", 2):
                try tree.dropState(named: String(words[1]))
                return text(of: [])
            default: throw WorkspaceError(EINVAL, "the driver does not know this request")
            }
        } catch {
            let message = error.message.isEmpty ? "no reason was given" : error.message
            return Array("error \(error.errno) \(message)".utf8)
        }
    }

    private static func text(of states: [WorkspaceState]) -> [UInt8] {
        let lines = states.map { "\($0.epoch) \($0.seconds) \($0.name)" }
        return Array((["ok"] + lines).joined(separator: "\n").utf8)
    }

    static func states(in answer: [UInt8]) throws(WorkspaceError) -> [WorkspaceState] {
        let lines = String(decoding: answer, as: UTF8.self).split(separator: "\n")
        guard lines.first == "ok" else {
            let words = (lines.first ?? "").split(separator: " ", maxSplits: 2)
            guard words.count == 3, words[0] == "error", let code = Int32(words[1]) else {
                throw WorkspaceError(EPROTO, "the driver's answer cannot be understood")
            }
            throw WorkspaceError(code, String(words[2]))
        }
        var states: [WorkspaceState] = []
        for line in lines.dropFirst() {
            let words = line.split(separator: " ", maxSplits: 2)
            guard words.count == 3, let epoch = Int64(words[0]), let seconds = Int64(words[1])
            else { throw WorkspaceError(EPROTO, "the driver's answer cannot be understood") }
            states.append(
                WorkspaceState(epoch: epoch, name: String(words[2]), seconds: seconds))
        }
        return states
    }
}

/// The states of a workspace that a driver has: asked of the driver.
public struct RemoteStates: StateKeeper {
    private let path: String

    /// The states of the workspace at `path`, if a driver answers there.
    public init?(_ path: String) {
        guard (try? ControlSocket.connect(to: path)) != nil else { return nil }
        self.path = path
    }

    private func ask(_ request: String) throws(WorkspaceError) -> [WorkspaceState] {
        let answer = try called { () throws(SystemError) in
            let socket = try ControlSocket.connect(to: path)
            try socket.send(Array(request.utf8))
            socket.endSending()
            return try socket.receiveAll(limit: ControlSocket.messageLengthMax)
        }
        return try StateMessage.states(in: answer)
    }

    /// As `StateKeeper` says.
    public func states() throws(WorkspaceError) -> [WorkspaceState] { try ask("list") }

    /// As `StateKeeper` says.
    public func keepState(as name: String) throws(WorkspaceError) -> WorkspaceState {
        guard LiveTree.isValidStateName(name) else {
            throw WorkspaceError(EINVAL, "'\(name)' cannot name a state")
        }
        guard let state = try ask("keep \(name)").first else {
            throw WorkspaceError(EPROTO, "the driver's answer cannot be understood")
        }
        return state
    }

    /// As `StateKeeper` says.
    public func dropState(named name: String) throws(WorkspaceError) {
        guard LiveTree.isValidStateName(name) else {
            throw WorkspaceError(ENOENT, "there is no state '@\(name)'")
        }
        _ = try ask("drop \(name)")
    }
}

/// Answers requests about a workspace while a driver has it.
public final class ControlServer: Sendable {
    // Used by one thread; `stop` only shuts it down.
    private nonisolated(unsafe) let socket: Listener
    private let path: String

    private final class Listener {
        let socket: LocalSocket
        init(_ socket: consuming LocalSocket) { self.socket = socket }
    }

    /// Starts to listen in the workspace's directory.
    public init(_ path: String, tree: LiveTree) throws(WorkspaceError) {
        self.path = path
        do throws(SystemError) {
            socket = Listener(try ControlSocket.listen(in: path))
        } catch {
            throw WorkspaceError(error)
        }
        _ = Worker { [self] in
            while let client = socket.socket.accept() {
                guard let user = client.peerUserID, user == 0 || user == geteuid(),
                    let request = try? client.receiveAll(limit: ControlSocket.messageLengthMax)
                else { continue }
                try? client.send(StateMessage.answer(to: request, of: tree))
            }
        }
    }

    /// Stops listening and removes the socket.
    public func stop() {
        unlink("\(path)/\(ControlSocket.fileName)")
        socket.socket.shutDown()
    }
}
