/// Why a pattern does not compile.
struct PatternError: Error {
    let reason: String
}
