import ArgumentParser

/// Which workspace a state belongs to.
struct WorkspaceOptions: ParsableArguments {
    @Option(
        name: [.customShort("w"), .long],
        help: "The workspace of @STATE: its directory, or a mount of it.")
    var workspace: String?
}
