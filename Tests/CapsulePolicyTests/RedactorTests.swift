// What is masked, and what is left alone.

import Testing

@testable import CapsulePolicy

@Suite("Redactor")
struct RedactorTests {
    @Test("the standard rules parse, and each has keywords")
    func standardRules() {
        #expect(StandardRules.parsed.rules.count >= 60)
        for rule in StandardRules.parsed.rules {
            #expect(!rule.keywords.isEmpty && rule.pattern != nil, "\(rule.id)")
        }
    }
}
