import ArgumentParser
import CapsuleAccess
import CapsuleCrypto
import CapsuleFormat
import CapsuleRuns
import CapsuleSystem
import CapsuleTree
import CapsuleWorkspace
import Glibc

/// Turns whatever was thrown into a message and one of the four exit codes.
enum Failure {
    private struct Report: Encodable {
        let error: String
        let errorCode: String
        let exitCode: Int32

        enum CodingKeys: String, CodingKey {
            case error
            case errorCode = "error_code"
            case exitCode = "exit_code"
        }
    }

    /// The exit code when standard output could not take the result.
    static var brokenOutput: Int32 {
        Output.note("cannot write to standard output")
        return 2
    }

    /// Prints the error and returns the exit code.
    static func report(_ error: any Error, asJSON: Bool) -> Int32 {
        if let exit = error as? ExitCode { return exit.rawValue }
        if let recorded = error as? RecordedFailure {
            return report(recorded.error, asJSON: asJSON)
        }
        // `--help` of a verb and faults found while it validates arrive here as the parser's own.
        if !isOurs(error) { return reportParsing(error, asJSON: asJSON) }
        let failure = describe(error)
        let code = exitCode(failure.kind)
        if asJSON {
            Output.jsonError(
                Report(error: failure.message, errorCode: failure.code, exitCode: code))
        } else {
            Output.note(failure.message)
        }
        return code
    }

    private static func code(of error: TreeError) -> String {
        switch error.errno {
        case EEXIST: "exists"
        case ENOENT: "not_found"
        default: "folder"
        }
    }

    /// The message of whatever was thrown, for a log.
    static func message(of error: any Error) -> String { describe(error).message }

    private static func isOurs(_ error: any Error) -> Bool {
        error is AccessError || error is SystemError || error is FormatError || error is TreeError
            || error is CryptoError || error is any AccessErrorConvertible
            || error is WorkspaceError
    }

    private static func exitCode(_ kind: AccessError.Kind) -> Int32 {
        switch kind {
        case .usage: 1
        case .system: 2
        case .validation: 3
        }
    }

    private static func describe(_ error: any Error) -> AccessError {
        switch error {
        case let error as RecordedFailure: describe(error.error)
        case let error as AccessError: error
        case let error as any AccessErrorConvertible: error.accessError
        case let error as SystemError: AccessError(error)
        case let error as FormatError:
            AccessError(.system, code: error.code.rawValue, String(describing: error))
        case let error as TreeError:
            AccessError(
                AccessError(
                    SystemError(errno: error.errno, operation: "", object: "")
                ).kind,
                code: code(of: error), String(describing: error))
        case let error as WorkspaceError:
            AccessError(error.errno == EIO ? .system : .usage, code: "usage", "\(error)")
        case let error as CryptoError:
            AccessError(.usage, code: "crypto", String(describing: error))
        default: AccessError(.usage, code: "usage", "\(error)")
        }
    }

    /// The verb on the command line and a space; nothing where there is none.
    private static var verb: String {
        let known = CapsuleCommand.configuration.subcommands.compactMap { verb in
            verb.configuration.commandName
        }
        guard let word = CommandLine.arguments.dropFirst().first, known.contains(word) else {
            return ""
        }
        return word + " "
    }

    /// Prints what the parser says; help and version are results, everything else is usage.
    static func reportParsing(_ error: any Error, asJSON: Bool) -> Int32 {
        let text = CapsuleCommand.fullMessage(for: error)
        if CapsuleCommand.exitCode(for: error).isSuccess {
            Output.line(text)
            return 0
        }
        let message = CapsuleCommand.message(for: error)
        if asJSON {
            Output.jsonError(Report(error: message, errorCode: "usage", exitCode: 1))
        } else {
            Output.note("\(message)\nSee 'capsule \(verb)--help'.")
        }
        return 1
    }
}
