import CapsuleDriver
import Glibc

@main
enum Capsulefs {
    static func main() { exit(Driver.main()) }
}
