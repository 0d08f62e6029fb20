import FoundationEssentials

/// Any value of JSON (RFC 8259). Numbers without a fraction are kept exactly up to 64 bits.
public enum JSONValue: Codable, Equatable, Sendable {
    case null
    case flag(Bool)
    case integer(Int64)
    /// A number that is no 64-bit integer, as it was written as far as 38 digits hold it.
    case decimal(Decimal)
    case number(Double)
    case text(String)
    case list([JSONValue])
    case object([String: JSONValue])

    /// Reads one value. Throws `RunError` for what is no JSON.
    public init(parsing bytes: [UInt8], _ name: String) throws(RunError) {
        do {
            self = try JSONDecoder().decode(JSONValue.self, from: Data(bytes))
        } catch {
            throw RunError(.usage, "malformed_json", "\(name): it is no JSON")
        }
    }

    /// As `Decodable` says.
    public init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        if let text = try? container.decode(String.self) {
            self = .text(text)
        } else if let members = try? container.decode([String: JSONValue].self) {
            self = .object(members)
        } else if let items = try? container.decode([JSONValue].self) {
            self = .list(items)
        } else if let flag = try? container.decode(Bool.self) {
            self = .flag(flag)
        } else if let integer = try? container.decode(Int64.self) {
            self = .integer(integer)
        } else if container.decodeNil() {
            self = .null
        } else if let decimal = try? container.decode(Decimal.self), decimal.isFinite {
            self = .decimal(decimal)
        } else {
            self = .number(try container.decode(Double.self))
        }
    }

    /// As `Encodable` says.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        switch self {
        case .null: try container.encodeNil()
        case .flag(let flag): try container.encode(flag)
        case .integer(let integer): try container.encode(integer)
        case .decimal(let decimal): try container.encode(decimal)
        case .number(let number): try container.encode(number)
        case .text(let text): try container.encode(text)
        case .list(let items): try container.encode(items)
        case .object(let members): try container.encode(members)
        }
    }

    /// One line with sorted keys: equal values have equal lines.
    public var line: [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        guard let data = try? encoder.encode(self) else {
            preconditionFailure("what was read can be written")
        }
        return Array(data)
    }

    /// The member of a name, of an object that has it.
    public subscript(_ name: String) -> JSONValue? {
        guard case .object(let members) = self else { return nil }
        return members[name]
    }

    /// The text, if it is one.
    public var text: String? {
        if case .text(let text) = self { text } else { nil }
    }

    /// The members, if it is an object.
    public var members: [String: JSONValue]? {
        if case .object(let members) = self { members } else { nil }
    }

    /// The items, if it is a list.
    public var items: [JSONValue]? {
        if case .list(let items) = self { items } else { nil }
    }

    /// The number, if it is a whole one.
    public var integer: Int64? {
        if case .integer(let integer) = self { integer } else { nil }
    }
}
