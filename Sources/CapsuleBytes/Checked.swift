/// Arithmetic on numbers that came from a file.
extension FixedWidthInteger {
    /// The sum, or nil when it does not fit.
    @inline(__always)
    public func checkedAdding(_ other: Self) -> Self? {
        let (sum, overflow) = addingReportingOverflow(other)
        return overflow ? nil : sum
    }

    /// The product, or nil when it does not fit.
    @inline(__always)
    public func checkedMultiplied(by other: Self) -> Self? {
        let (product, overflow) = multipliedReportingOverflow(by: other)
        return overflow ? nil : product
    }
}
