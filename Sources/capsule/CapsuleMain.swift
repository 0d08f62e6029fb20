import CapsuleCommands

@main
enum CapsuleMain {
    static func main() { CapsuleProgram.main() }
}
