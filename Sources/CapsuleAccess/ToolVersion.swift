/// The version of both programs.
public enum ToolVersion {
    /// As printed and as written into manifests.
    public static let text = "0.1.0"
}
