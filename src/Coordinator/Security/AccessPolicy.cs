using System.Collections.Frozen;
using Google.Protobuf.Reflection;
using LoadHarness.V1;

namespace LoadHarness.Coordinator.Security;

/// <summary>
/// Who may call which method, as the contract itself says (<c>option (access)</c>, access.proto). A method that does not say, or that is in no
/// contract of ours, is open to nobody.
/// </summary>
public static class AccessPolicy
{
    private const string HealthService = "/grpc.health.v1.Health/";

    private static readonly FrozenDictionary<string, Access> _methods =
        Read([AgentLinkReflection.Descriptor, ControlReflection.Descriptor]).ToFrozenDictionary(StringComparer.Ordinal);

    /// <summary>What a caller must be to call a method; <see cref="Access.Unspecified"/>: nobody may.</summary>
    /// <param name="method">As gRPC writes it: <c>/package.Service/Method</c>.</param>
    public static Access Of(string method) =>
        method.StartsWith(HealthService, StringComparison.Ordinal) ? Access.Viewer : _methods.GetValueOrDefault(method);

    internal static IEnumerable<KeyValuePair<string, Access>> Read(IEnumerable<FileDescriptor> files) =>
        from file in files
        from service in file.Services
        from method in service.Methods
        select KeyValuePair.Create($"/{service.FullName}/{method.Name}", AccessOf(method));

    private static Access AccessOf(MethodDescriptor method) =>
        method.GetOptions() is { } options && options.HasExtension(AccessExtensions.Access)
            ? options.GetExtension(AccessExtensions.Access)
            : Access.Unspecified;
}
