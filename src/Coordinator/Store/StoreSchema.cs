using System.Collections.Immutable;
using System.Reflection;

namespace LoadHarness.Coordinator.Store;

/// <summary>
/// The scripts that lead from nothing to the present schema, one for each version. A script that was released never changes.
/// </summary>
/// <param name="Scripts">Script n leads from version n to n + 1.</param>
internal sealed record StoreSchema(ImmutableArray<string> Scripts)
{
    private const string Prefix = "Store.Schema.";

    /// <summary>The one that this program was built with.</summary>
    public static StoreSchema Present { get; } = new(ReadScripts(typeof(StoreSchema).Assembly));

    /// <summary>The version that all scripts together lead to.</summary>
    public int Version => Scripts.Length;

    private static ImmutableArray<string> ReadScripts(Assembly assembly) =>
    [
        .. assembly.GetManifestResourceNames().Where(n => n.StartsWith(Prefix, StringComparison.Ordinal))
            .Order(StringComparer.Ordinal).Select(n => ReadScript(assembly, n)),
    ];

    private static string ReadScript(Assembly assembly, string name)
    {
        using var reader = new StreamReader(assembly.GetManifestResourceStream(name)!);
        return reader.ReadToEnd();
    }
}
