import CTomlPlusPlus

/// A value of a TOML document, as far as rule files use them.
enum TOMLValue {
    case table([String: TOMLValue])
    case array([TOMLValue])
    case string(String)
    case integer(Int64)
    case double(Double)
    case boolean(Bool)
    case other

    /// Parses a document; its top is a table.
    static func parse(_ bytes: [UInt8]) throws(RedactionError) -> [String: TOMLValue] {
        try TOMLDepth.check(bytes)
        var message = [CChar](repeating: 0, count: 256)
        var line: UInt32 = 0
        let document = bytes.withUnsafeBytes { raw in
            raw.withMemoryRebound(to: CChar.self) { text in
                ctoml_parse(text.baseAddress, text.count, &message, message.count, &line)
            }
        }
        guard let document else {
            let text = message.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }
            throw .notTOML(line: Int(line), reason: String(decoding: text, as: UTF8.self))
        }
        defer { ctoml_free(document) }
        guard case .table(let table) = TOMLValue(ctoml_root(document)) else { return [:] }
        return table
    }

    private init(_ node: OpaquePointer) {
        switch Int(ctoml_type(node)) {
        case ctoml_type_table:
            let children = TOMLChildren(of: node)
            self = .table(
                Dictionary(zip(children.keys, children.values), uniquingKeysWith: { $1 }))
        case ctoml_type_array:
            self = .array(TOMLChildren(of: node).values)
        case ctoml_type_string:
            var length = 0
            let text = ctoml_string(node, &length)
            let bytes = UnsafeRawBufferPointer(start: text, count: length)
            self = .string(String(decoding: bytes, as: UTF8.self))
        case ctoml_type_integer: self = .integer(ctoml_integer(node))
        case ctoml_type_double: self = .double(ctoml_double(node))
        case ctoml_type_boolean: self = .boolean(ctoml_boolean(node) != 0)
        default: self = .other
        }
    }

    /// The children of a node, gathered by a callback of C.
    private final class TOMLChildren {
        var keys: [String] = []
        var values: [TOMLValue] = []

        init(of node: OpaquePointer) {
            ctoml_each(node, Unmanaged.passUnretained(self).toOpaque()) {
                context, key, size, child in
                guard let context else { return }
                let children = Unmanaged<TOMLChildren>.fromOpaque(context).takeUnretainedValue()
                let name = UnsafeRawBufferPointer(start: key, count: size)
                children.keys.append(String(decoding: name, as: UTF8.self))
                children.values.append(TOMLValue(child))
            }
        }
    }
}
