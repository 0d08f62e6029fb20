import ArgumentParser
import CapsuleAccess
import CapsuleBytes
import CapsuleCrypto
import CapsuleFormat
import CapsuleSystem
import CapsuleTree
import CapsuleWorkspace

/// `capsule slot`.
struct SlotCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "slot", abstract: "List, add or remove the secrets that open something.",
        discussion: "See capsule-slot(1).",
        subcommands: [SlotListCommand.self, SlotAddCommand.self, SlotRemoveCommand.self])
}

private struct SlotRow: Encodable {
    let number: Int
    let kind: String
    let label: String?
}

struct SlotListCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "List the slots; with a secret, their labels too.")

    @Argument(
        help: ArgumentHelp("The capsule or the workspace, or a mount of it.", valueName: "file"))
    var target: String
    @OptionGroup(title: "Secrets") var opening: OpeningOptions
    @OptionGroup var outputOptions: OutputOptions

    private struct Result: Encodable {
        let slots: [SlotRow]
    }

    func run() throws {
        let file = WorkspaceLocator.mountedFile(target)
        let capsule = try WorkspaceOpener.slots(of: file)
        let secrets = opening.secrets
        let keys = secrets.isImplicit ? nil : try secrets.unlock(capsule, path: file)
        var rows: [SlotRow] = []
        for (index, slot) in capsule.slots.enumerated() {
            let label = try keys.map {
                Text.escaped(try slot.label(fileKey: $0.fileKey))
            }
            rows.append(SlotRow(number: index + 1, kind: slot.kind.name, label: label))
        }
        if outputOptions.json { return Output.json(Result(slots: rows)) }
        var table = Table(rightAligned: [0])
        for row in rows { table.add("\(row.number)", row.kind, row.label ?? "") }
        table.print()
    }
}

struct SlotAddCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "add", abstract: "Add a slot for another secret.")

    @Argument(
        help: ArgumentHelp("The capsule or the workspace, or a mount of it.", valueName: "file"))
    var target: String
    @OptionGroup(title: "Secrets that open it") var opening: OpeningOptions
    @OptionGroup(title: "Secrets to create") var newSlots: NewSlotOptions
    @OptionGroup(title: "Cost") var cost: CostOptions

    func run() throws {
        let file = WorkspaceLocator.mountedFile(target)
        let capsule = try WorkspaceOpener.slots(of: file, writable: true)
        let keys = try opening.secrets.unlock(capsule, path: file)
        let cost = try cost.cost
        var added = try newSlots.slots(cost: cost, object: file)
        if added.isEmpty {
            let passphrase = try SecretReader.newPassphrase(for: file)
            added = [SealRequest.Slot(.passphrase(passphrase, cost), label: "passphrase")]
        }
        var slots = capsule.slots
        for slot in added {
            slots.append(
                try KeySlot(
                    wrapping: keys.fileKey, under: slot.secret, capsuleID: capsule.header.id,
                    label: Array(slot.label.utf8), salt: Environment.random(32)))
        }
        do throws(FormatError) {
            try capsule.authenticate(keys)
            try capsule.replaceSlots(slots, keys: keys)
        } catch {
            throw AccessError(error, path: file)
        }
        for slot in slots.suffix(added.count) { SlotEvent.note(.slotAdded, slot, file, keys) }
        Output.line("\(file) has \(slots.count) slots")
    }
}

/// What a workspace's log hears of its slots.
private enum SlotEvent {
    static func note(_ kind: EventKind, _ slot: KeySlot, _ path: String, _ keys: FileKeys) {
        guard Workspace.isWorkspace(path) else { return }
        let label = (try? slot.label(fileKey: keys.fileKey)) ?? []
        WorkspaceOpener.note(
            kind, ["kind": .text(slot.kind.name), "label": .text(Text.escaped(label))], path: path,
            keys: keys)
    }
}

struct SlotRemoveCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "remove", abstract: "Remove a slot by its number.")

    @Argument(
        help: ArgumentHelp("The capsule or the workspace, or a mount of it.", valueName: "file"))
    var target: String
    @Argument(help: "The number that 'slot list' shows.") var number: Int
    @OptionGroup(title: "Secrets that open it") var opening: OpeningOptions

    func run() throws {
        let file = WorkspaceLocator.mountedFile(target)
        let capsule = try WorkspaceOpener.slots(of: file, writable: true)
        guard capsule.slots.indices.contains(number - 1) else {
            throw AccessError(
                .usage, code: "not_found", "\(file): it has no slot number \(number)")
        }
        guard capsule.slots.count > 1 else {
            throw AccessError(
                .usage, code: "last_slot",
                "\(file): slot \(number) is the last; without it nobody could open it")
        }
        let keys = try opening.secrets.unlock(capsule, path: file)
        var slots = capsule.slots
        let removed = slots.remove(at: number - 1)
        do throws(FormatError) {
            try capsule.authenticate(keys)
            try capsule.replaceSlots(slots, keys: keys)
        } catch {
            throw AccessError(error, path: file)
        }
        SlotEvent.note(.slotRemoved, removed, file, keys)
        Output.line("\(file) has \(slots.count) slots")
        Output.note(
            "copies made before still open with the removed secret; "
                + "'capsule rekey' makes a capsule that does not")
    }
}
