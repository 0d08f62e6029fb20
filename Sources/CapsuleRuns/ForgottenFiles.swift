import CapsuleWorkspace

/// What the audit log says of files of runs that were forgotten: not which ones, but of which run.
public enum ForgottenFiles {
    private static let batchCount: UInt64 = 4096

    /// When something was last forgotten that may have been what a URI stood for, or nil.
    public static func time(
        of uri: RunURI, in service: any WorkspaceService
    ) throws -> String? {
        guard let name = uri.name, uri.kind == .artifact || uri.kind == .evidence,
            try service.workspaceID() == uri.workspace
        else { return nil }
        let places = ["", name.spec, "\(name.spec)/\(name.run)"]
        var end = try service.auditEnd().count
        while end > 0 {
            let start = end - min(end, batchCount)
            let lines = try service.auditLines(from: start, count: Int(end - start))
            for line in lines.reversed() where mayBeOne(line) {
                let event = try JSONValue(parsing: line, "event")
                guard event["type"]?.text == EventKind.forgotten.rawValue,
                    let runs = event["data"]?["runs"]?.text, places.contains(runs)
                else { continue }
                return event["time"]?.text ?? "some time"
            }
            end = start
        }
        return nil
    }

    /// Most events are others, and need not be parsed.
    private static func mayBeOne(_ line: [UInt8]) -> Bool {
        line.count < 4096
            && String(decoding: line, as: UTF8.self).contains(
                EventKind.forgotten.rawValue)
    }
}
