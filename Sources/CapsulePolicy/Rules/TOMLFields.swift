/// The fields of one table of a rule file; a fault names the rule and the field.
struct TOMLFields {
    let rule: String?
    /// What stands before a field's name in a message, such as `allowlists[0].`.
    let prefix: String
    let table: [String: TOMLValue]

    init(rule: String?, prefix: String = "", _ table: [String: TOMLValue]) {
        self.rule = rule
        self.prefix = prefix
        self.table = table
    }

    func error(_ field: String, _ reason: String) -> RedactionError {
        .badField(rule: rule, field: prefix + field, reason: reason)
    }

    func string(_ field: String) throws(RedactionError) -> String? {
        switch table[field] {
        case nil: return nil
        case .string(let text): return text
        default: throw error(field, "is not a string")
        }
    }

    func strings(_ field: String) throws(RedactionError) -> [String]? {
        guard let value = table[field] else { return nil }
        guard case .array(let items) = value else { throw error(field, "is not an array") }
        var result: [String] = []
        for item in items {
            guard case .string(let text) = item else {
                throw error(field, "holds something that is not a string")
            }
            result.append(text)
        }
        return result
    }

    func integer(_ field: String) throws(RedactionError) -> Int? {
        switch table[field] {
        case nil: return nil
        case .integer(let number) where number >= 0 && number <= 1000: return Int(number)
        default: throw error(field, "is not a small number")
        }
    }

    func number(_ field: String) throws(RedactionError) -> Double? {
        switch table[field] {
        case nil: return nil
        case .integer(let number): return Double(number)
        case .double(let number): return number
        default: throw error(field, "is not a number")
        }
    }

    func boolean(_ field: String) throws(RedactionError) -> Bool? {
        switch table[field] {
        case nil: return nil
        case .boolean(let flag): return flag
        default: throw error(field, "is neither true nor false")
        }
    }

    func subtable(_ field: String) throws(RedactionError) -> TOMLFields? {
        switch table[field] {
        case nil: return nil
        case .table(let inner):
            return TOMLFields(rule: rule, prefix: "\(prefix)\(field).", inner)
        default: throw error(field, "is not a table")
        }
    }

    func subtables(_ field: String) throws(RedactionError) -> [TOMLFields] {
        guard let value = table[field] else { return [] }
        guard case .array(let items) = value else { throw error(field, "is no array of tables") }
        var result: [TOMLFields] = []
        for (index, item) in items.enumerated() {
            guard case .table(let inner) = item else { throw error(field, "holds no table") }
            result.append(TOMLFields(rule: rule, prefix: "\(prefix)\(field)[\(index)].", inner))
        }
        return result
    }

    func pattern(_ field: String) throws(RedactionError) -> RegularExpression? {
        guard let text = try string(field) else { return nil }
        return try compile(text, field)
    }

    func patterns(_ field: String) throws(RedactionError) -> [RegularExpression] {
        var result: [RegularExpression] = []
        for (index, text) in (try strings(field) ?? []).enumerated() {
            result.append(try compile(text, "\(field)[\(index)]"))
        }
        return result
    }

    private func compile(_ text: String, _ field: String) throws(RedactionError)
        -> RegularExpression
    {
        do {
            return try RegularExpression(text)
        } catch {
            throw self.error(field, error.reason)
        }
    }
}
