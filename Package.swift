// swift-tools-version: 6.2
import PackageDescription

/// Every target is built in the Swift 6 language mode with warnings as errors.
let strict: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .treatAllWarnings(as: .error),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableExperimentalFeature("Lifetimes"),
]

/// BoringSSL behind a Swift API: the only library on Debian 12 that opens AES-256-GCM at more than
/// 10 GB/s a core; also HKDF, HMAC, Ed25519, HPKE and X-Wing.
let crypto = Target.Dependency.product(name: "Crypto", package: "swift-crypto")

/// The command line of `capsule`: parsing, help and shell completion.
let argumentParser = Target.Dependency.product(
    name: "ArgumentParser", package: "swift-argument-parser")

func library(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
    .target(name: name, dependencies: dependencies, swiftSettings: strict)
}

/// A program starts in half the time when its relative relocations are packed (DT_RELR, which only
/// lld writes) and the symbols of libstdc++, which BoringSSL needs, are not looked up one by one.
let fastStart: [LinkerSetting] = [
    .unsafeFlags(
        [
            "-use-ld=lld", "-Xlinker", "-z", "-Xlinker", "pack-relative-relocs", "-Xlinker",
            "--as-needed", "-Xlinker", "-l:libstdc++.a",
        ], .when(platforms: [.linux]))
]

func program(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
    .executableTarget(
        name: name, dependencies: dependencies, swiftSettings: strict, linkerSettings: fastStart)
}

func tests(
    _ name: String, _ dependencies: [Target.Dependency], exclude: [String] = []
) -> Target {
    .testTarget(
        name: name, dependencies: dependencies, exclude: exclude, swiftSettings: strict)
}

let package = Package(
    name: "capsulefs",
    products: [
        .executable(name: "capsule", targets: ["capsule"]),
        .executable(name: "capsulefs", targets: ["capsulefs"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-crypto", exact: "4.5.2"),
        .package(url: "https://github.com/apple/swift-argument-parser", exact: "1.8.2"),
    ],
    targets: [
        // libfuse's low-level API: the kernel side of a mount.
        .systemLibrary(
            name: "CFuse3", pkgConfig: "fuse3", providers: [.apt(["libfuse3-dev"])]),
        // Guarded memory for secrets.
        .systemLibrary(
            name: "CSodium", pkgConfig: "libsodium", providers: [.apt(["libsodium-dev"])]),
        // Argon2id with real lanes; libsodium's is fixed at one.
        .systemLibrary(
            name: "CArgon2", pkgConfig: "libargon2", providers: [.apt(["libargon2-dev"])]),
        // The metadata of a workspace: the most tested database there is.
        .systemLibrary(
            name: "CSQLite3", pkgConfig: "sqlite3", providers: [.apt(["libsqlite3-dev"])]),
        .systemLibrary(name: "CZstd", pkgConfig: "libzstd", providers: [.apt(["libzstd-dev"])]),
        // Linux calls and constants that Swift cannot import.
        .target(name: "CLinux"),
        // Debian 12 has no BLAKE3, and Swift cannot compile one function for a newer processor.
        .target(name: "CBlake3"),
        // Debian's RE2, the regular expressions of redaction: hostile text cannot stall it. Linked
        // statically, as libstdc++ is.
        .target(name: "CRE2", linkerSettings: [.linkedLibrary(":libre2.a")]),
        // Debian's toml++, headers only, for rule files. TOMLKit wraps the same parser, and brings
        // Foundation with it.
        .target(name: "CTomlPlusPlus"),

        library("CapsuleBytes", []),
        library("CapsuleSystem", ["CLinux"]),
        library(
            "CapsuleCrypto", ["CapsuleBytes", "CBlake3", "CSodium", "CArgon2", crypto]),
        library(
            "CapsuleFormat", ["CapsuleBytes", "CapsuleSystem", "CapsuleCrypto", "CZstd", crypto]),
        library(
            "MemvidFormat", ["CapsuleBytes", "CapsuleSystem", "CapsuleCrypto", "CZstd", crypto]),
        library(
            "CapsuleTree",
            [
                "CapsuleBytes", "CapsuleSystem", "CapsuleCrypto", "CapsuleFormat", "CLinux",
                crypto,
            ]),
        library(
            "CapsuleMemvid",
            [
                "CapsuleBytes", "CapsuleSystem", "CapsuleCrypto", "CapsuleFormat", "CapsuleTree",
                "MemvidFormat", "CLinux", crypto,
            ]),
        library(
            "CapsuleStore",
            ["CapsuleBytes", "CapsuleSystem", "CapsuleCrypto", "CSQLite3", crypto]),
        library(
            "CapsuleWorkspace",
            [
                "CapsuleBytes", "CapsuleSystem", "CapsuleCrypto", "CapsuleFormat", "CapsuleStore",
                "CLinux", crypto,
            ]),
        library(
            "CapsuleAccess",
            [
                "CapsuleBytes", "CapsuleSystem", "CapsuleCrypto", "CapsuleFormat",
                "CapsuleMemvid", "CapsuleWorkspace", "MemvidFormat", "CLinux", crypto,
            ]),
        library("CapsulePolicy", ["CapsuleBytes", "CRE2", "CTomlPlusPlus"]),
        library(
            "CapsuleRuns",
            [
                "CapsuleBytes", "CapsuleSystem", "CapsuleCrypto", "CapsuleFormat", "CapsuleTree",
                "CapsuleAccess", "CapsulePolicy", "CapsuleStore", "CapsuleWorkspace", crypto,
            ]),
        library("FuseKit", ["CFuse3", "CapsuleSystem", "CLinux"]),
        library(
            "CapsuleMount",
            [
                "CapsuleBytes", "CapsuleSystem", "CapsuleCrypto", "CapsuleFormat",
                "CapsuleWorkspace", "FuseKit", "CLinux",
            ]),
        library(
            "CapsuleDriver",
            [
                "CapsuleBytes", "CapsuleSystem", "CapsuleCrypto", "CapsuleFormat",
                "CapsuleAccess", "CapsuleMount", "CapsuleWorkspace", "FuseKit", "CLinux",
            ]),
        library(
            "CapsuleCommands",
            [
                "CapsuleBytes", "CapsuleSystem", "CapsuleCrypto", "CapsuleFormat", "CapsuleTree",
                "CapsuleMemvid", "CapsuleWorkspace", "CapsuleAccess", "CapsuleRuns",
                "CapsulePolicy", "CapsuleStore", "MemvidFormat", "CLinux", crypto,
                argumentParser,
            ]),

        program("capsule", ["CapsuleCommands"]),
        program("capsulefs", ["CapsuleDriver"]),

        tests("CBlake3Tests", ["CBlake3"], exclude: ["Vectors"]),
        tests("CapsuleBytesTests", ["CapsuleBytes"]),
        tests(
            "CapsuleCryptoTests", ["CapsuleBytes", "CapsuleCrypto", "CapsuleSystem", crypto]),
        tests(
            "CapsuleFormatTests",
            [
                "CapsuleBytes", "CapsuleSystem", "CapsuleCrypto", "CapsuleFormat", "CZstd",
                crypto,
            ]),
        tests(
            "CapsuleTreeTests",
            [
                "CapsuleBytes", "CapsuleSystem", "CapsuleCrypto", "CapsuleFormat",
                "CapsuleTree", "CLinux", crypto,
            ]),
        // A directory in memory that can be cut off at any operation.
        .target(
            name: "CapsuleStorageFaults", dependencies: ["CapsuleSystem"],
            path: "Tests/CapsuleStorageFaults", swiftSettings: strict),
        tests(
            "CapsuleStoreTests",
            [
                "CapsuleBytes", "CapsuleSystem", "CapsuleCrypto", "CapsuleStore",
                "CapsuleStorageFaults", crypto,
            ]),
        tests(
            "CapsuleWorkspaceTests",
            [
                "CapsuleBytes", "CapsuleSystem", "CapsuleCrypto", "CapsuleFormat",
                "CapsuleWorkspace", "CapsuleStorageFaults", crypto,
            ]),
        tests("CapsulePolicyTests", ["CapsuleBytes", "CapsulePolicy"]),
        tests(
            "CapsuleRunsTests",
            ["CapsuleFormat", "CapsulePolicy", "CapsuleRuns", "CapsuleWorkspace"]),
        // Replays the kept inputs of the fuzz targets.
        tests(
            "Fuzz",
            [
                "CapsuleBytes", "CapsuleSystem", "CapsuleCrypto", "CapsuleFormat",
                "CapsuleMemvid", "CapsulePolicy", "CapsuleRuns", "CapsuleWorkspace",
                "MemvidFormat", crypto,
            ], exclude: ["Corpus", "Driver"]),
    ],
    cxxLanguageStandard: .cxx17
)

// For tools/fuzz the same targets are a program, which libFuzzer drives.
if Context.environment["CAPSULE_FUZZ"] == "1",
    let place = package.targets.firstIndex(where: { $0.name == "Fuzz" })
{
    package.targets[place] = .executableTarget(
        name: "Fuzz", dependencies: package.targets[place].dependencies, path: "Tests/Fuzz",
        exclude: ["Corpus", "Replay"], swiftSettings: strict, linkerSettings: fastStart)
}

// For tools/redaction-bench and tools/redaction-quality: scans files and prints what it found.
if Context.environment["CAPSULE_REDACTION_PROBE"] == "1" {
    package.targets.append(
        .executableTarget(
            name: "RedactionProbe", dependencies: ["CapsulePolicy"], path: "Tests/RedactionProbe",
            swiftSettings: strict, linkerSettings: fastStart))
}
