import CapsuleCrypto
import CapsuleSystem

/// Changes of the two regions of a capsule that may change after it was sealed.
///
/// The copy that does not count is written and flushed first, then the other: whenever the process
/// is killed, one whole copy remains, old or new. Both hold the same afterwards, so a removed slot
/// is gone from the file.
extension SlottedFile {
    /// Replaces the slots. Throws `limitExceeded` when they do not fit.
    public func replaceSlots(_ slots: [KeySlot], keys: FileKeys) throws(FormatError) {
        guard !slots.isEmpty else {
            throw FormatError(.limitExceeded, "a capsule needs at least one slot")
        }
        let area = Area(
            kind: .slots, sequence: slotAreas.current.sequence + 1, count: slots.count,
            records: slots.flatMap(\.record))
        _ = try SlotList.decode(area, at: 0)
        try write(
            area, keys: keys, length: header.slotAreaLength, current: slotAreas.currentCopy,
            offset: header.slotAreaOffset)
    }

}

extension CapsuleFile {
    /// Adds a signature (an SSHSIG blob over `statement`). Throws `limitExceeded`.
    public func appendSignature(_ blob: [UInt8]) throws(FormatError) {
        let all = signatures + [blob]
        let area = Area(
            kind: .signatures, sequence: signatureAreas.current.sequence + 1, count: all.count,
            records: SignatureList.encode(all))
        _ = try SignatureList.decode(area, at: 0)
        try write(
            area, keys: nil, length: header.signatureAreaLength,
            current: signatureAreas.currentCopy, offset: header.signatureAreaOffset)
    }

}

extension SlottedFile {
    fileprivate func write(
        _ area: Area, keys: FileKeys?, length: Int, current: Int, offset: (Int) -> UInt64
    ) throws(FormatError) {
        guard area.sequence < UInt64(UInt32.max) else {
            throw FormatError(
                .limitExceeded, "the \(area.kind.part) was changed as often as it can be")
        }
        guard area.records.count <= Area.capacity(length: length) else {
            throw FormatError(
                .limitExceeded,
                "the \(area.kind.part) has room for \(Area.capacity(length: length)) bytes and "
                    + "\(area.records.count) are needed; 'capsule rekey' makes a larger one")
        }
        let bytes = area.encoded(length: length, keys: keys)
        do throws(SystemError) {
            for copy in [1 - current, current] {
                try storage.write(bytes, at: offset(copy))
                try storage.flush()
            }
        } catch {
            throw FormatError(error)
        }
    }
}
