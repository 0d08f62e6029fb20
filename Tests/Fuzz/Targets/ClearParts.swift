// What is read before any key: header, areas, slots, trailer.

import CapsuleBytes
import CapsuleCrypto
import Crypto

@testable import CapsuleFormat

enum ClearParts {
    static let targets = [
        FuzzTarget("header", header) {
            let full = Header(
                id: Fixture.pattern(3, 16), salt: Fixture.pattern(2, 32),
                keyCommitment: Fixture.pattern(4, 32), slotAreaLength: 8192,
                signatureAreaLength: 1 << 20,
                expectedSigners: [Fixture.pattern(5, 32), Fixture.pattern(6, 32)],
                label: "Bücher", hint: "the usual",
                lineage: Header.PublicLineage(id: Fixture.pattern(7, 16), version: 3))
            return [Fixture.header, full].map { Array($0.encoded.prefix(1152)) }
        },
        FuzzTarget("areas", areas) {
            let area = Array(Fixture.front[4096..<4096 + 64])
            let signature = Area(
                kind: .signatures, sequence: 2, count: 2,
                records: SignatureList.encode([[1, 2, 3], []]))
            let signatures = Array(signature.encoded(length: 4096, keys: nil).prefix(64))
            return [[0] + area.asPiece + area, [1] + signatures.asPiece + signatures]
        },
        FuzzTarget("slots", slots) { try slotSeeds() },
        FuzzTarget("trailer", trailer) {
            let capsule = try CapsuleFile(IndexImage.small.seal())
            let body = capsule.trailer.encoded(keys: Fixture.keys)
            return [Array(body.prefix(320)), Array(body.prefix(6)) + [0, 0, 0, 0x54, 0, 0]]
        },
    ]

    // MARK: Header

    /// The input is the header without its checksum.
    static func header(_ input: [UInt8]) throws(Finding) {
        _ = try? Header(decoding: input)
        let body = input.fitted(to: Limits.headerLength - 32)
        let bytes = body + Fixture.headerChecksum.hash(body).bytes
        guard let header = try? Header(decoding: bytes) else { return }
        try require(header.encoded == bytes, "a header is encoded as it was read")
        try require(header.fingerprint == bytes.suffix(32), "its checksum is its fingerprint")
        try require(
            (20_480...4_198_400).contains(header.dataOffset), "areas are within their limits")
        try require(
            header.label.utf8.count <= 255 && header.hint.utf8.count <= 255
                && header.expectedSigners.count <= 16, "lists are within their limits")
    }

    // MARK: Areas

    /// The input is what kind it is, and the fronts of both copies.
    static func areas(_ input: [UInt8]) throws(Finding) {
        var input = FuzzInput(input)
        let choice = input.number(UInt8.self)
        let kind: Area.Kind = choice & 1 == 0 ? .slots : .signatures
        let copies = [input.piece(), input.remainder()].map { front -> [UInt8] in
            let body = front.fitted(to: 4096 - 32)
            return body + Fixture.areaChecksum.hash(body).bytes
        }
        let storage = InputStorage(copies[0] + copies[1])
        guard
            let pair = try? AreaPair(
                storage: storage, kind: kind, offsets: [0, 4096], length: 4096)
        else { return }
        let encoded = pair.current.encoded(
            length: 4096, keys: kind == .slots ? Fixture.keys : nil)
        let found = copies[pair.currentCopy]
        try require(
            encoded.dropLast(64) == found.dropLast(64), "an area is encoded as it was read")
        try require(kind == .slots || encoded == found, "and with the same checksum")
        let other = try? Area(decoding: copies[1 - pair.currentCopy], kind: kind, at: 0)
        try require((other == nil) == (pair.otherFault != nil), "a copy is whole or has a fault")
        if let other {
            let isLess =
                other.sequence < pair.current.sequence
                || other.sequence == pair.current.sequence && pair.currentCopy == 0
            try require(isLess, "the higher sequence number counts, else copy 0")
        }
        _ = try? SlotList.decode(pair.current, at: 4096)
        guard let list = try? SignatureList.decode(pair.current, at: 4096) else { return }
        try require(
            SignatureList.encode(list) == pair.current.records,
            "signatures are encoded as they were read")
    }

    // MARK: Slots

    static let keyFile = Fixture.secret(Fixture.pattern(8, 40))
    static let passphrase = Fixture.secret(Array("correct horse".utf8))
    static let identities: [Identity] = ["age-secret-key-", "age-secret-key-pq-"].compactMap {
        try? Identity(Bech32.encode(prefix: $0, Fixture.pattern(9, 32)))
    }

    /// The cheapest Argon2id there is: the only one that is paid for here.
    static let cost = Argon2id.Cost(passes: 1, memoryKiB: 8, lanes: 1)

    private static func slotSeeds() throws -> [[UInt8]] {
        let secrets: [KeySlot.NewSecret] =
            [
                .keyFile(keyFile), .passphrase(passphrase, cost),
                .recoveryPhrase(entropy: passphrase, cost),
            ] + identities.map { .recipient($0.recipient) }
        let records = try secrets.map { secret in
            try KeySlot(
                wrapping: Fixture.fileKey, under: secret, capsuleID: Fixture.header.id,
                label: Array("slot".utf8), salt: Fixture.pattern(10, 32)
            ).record
        }
        return records.map { [1, 0] + $0 } + [[2, 0] + records[0] + records[1]]
    }

    /// The input is the number of records and the records; their checksums are made right.
    static func slots(_ input: [UInt8]) throws(Finding) {
        var input = FuzzInput(input)
        let count = Int(input.number(UInt16.self))
        var records = input.remainder()
        var start = 0
        while start + KeySlot.lengthMin <= records.count {
            let length = Int(records.number(at: start + 4, UInt32.self))
            let end = start + length
            guard length >= KeySlot.lengthMin, end <= records.count else { break }
            let body = Array(records[start..<end - 32])
            records.replaceSubrange(end - 32..<end, with: Fixture.slotChecksum.hash(body).bytes)
            start = end
        }
        let area = Area(kind: .slots, sequence: 1, count: count, records: records)
        guard let slots = try? SlotList.decode(area, at: 4096) else { return }
        try require(slots.flatMap(\.record) == records, "slots are the records they were read from")
        let work = slots.reduce(UInt64(0)) { $0 + ($1.cost?.work ?? 0) }
        try require(
            slots.count <= 256 && work <= 8 << 20
                && slots.filter(\.kind.usesArgon2id).count <= 16, "slots are within their limits")
        for slot in slots.prefix(4) { try open(slot) }
    }

    /// Nobody can make a slot that opens to another key than the one we wrapped.
    private static func open(_ slot: KeySlot) throws(Finding) {
        let id = Fixture.header.id
        var found = [try? slot.open(keyFile: keyFile.bytes, capsuleID: id)]
        if slot.cost == cost {
            found.append(try? slot.open(stretching: passphrase.bytes, capsuleID: id))
        }
        found += identities.map { try? slot.open(identity: $0, capsuleID: id) }
        try require(
            found.allSatisfy { $0 == nil || $0 == Fixture.fileKey },
            "a slot opens to the key that was wrapped")
        _ = try? slot.label(fileKey: Fixture.fileKey)
    }

    // MARK: Trailer

    /// The input is the trailer up to its root; it says itself how long the file is.
    static func trailer(_ input: [UInt8]) throws(Finding) {
        let header = Fixture.header
        var body = input.fitted(to: 928)
        body.replaceSubrange(16..<64, with: header.id + header.fingerprint)
        body += Fixture.trailerRoot.hash(body).bytes
        body += Fixture.keys.trailerMAC(body)
        let bytes = body + Fixture.trailerChecksum.hash(body).bytes
        let length = max(body.number(at: 8), header.dataOffset + UInt64(Limits.trailerLength))
        guard
            let trailer = try? Trailer(decoding: bytes, fileLength: length, header: header)
        else { return }
        try require(trailer.encoded(keys: Fixture.keys) == bytes, "it is encoded as it was read")
        try require(trailer.isAuthentic(keys: Fixture.keys), "its MAC is right")
        try require(trailer.streams.count <= Limits.streamCount, "there are at most 8 streams")
        var position = header.dataOffset
        for stream in trailer.streams {
            try require(
                stream.start == position && stream.end >= position && stream.end < length
                    && stream.blockCount <= 1 << 40 && stream.logicalLength <= 1 << 60
                    && stream.rootLevel <= 5 && trailer.stream(stream.id) == stream,
                "streams lie one after the other and within their limits")
            position = stream.end
        }
    }
}
