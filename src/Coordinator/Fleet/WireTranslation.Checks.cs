using System.Collections.Immutable;
using Wire = LoadHarness.V1;

namespace LoadHarness.Coordinator.Fleet;

internal static partial class WireTranslation
{
    private const int MaxChecks = 200;

    public static Wire.AttachResponse ToMessage(CheckQuestion question) => new()
    {
        CheckQuery = new() { Id = question.Id, Need = question.Need is { } need ? ToMessage(need) : null },
    };

    public static Wire.HostNeed ToMessage(HostNeed need) => new()
    {
        Connections = (ulong)need.Connections,
        BothEnds = need.BothEnds,
        ConnectsPerSecond = need.ConnectsPerSecond,
        ClosesPerSecond = need.ClosesPerSecond,
        Accepts = need.Accepts,
        Tuples = (ulong)need.Tuples,
    };

    public static Wire.HostCheck ToMessage(HostCheck check) => new()
    {
        Name = check.Name,
        Value = check.Value,
        Needed = check.Needed,
        Verdict = check.Verdict,
        Remedy = check.Remedy,
        Risk = check.Risk,
        Sysctls = { check.Sysctls },
    };

    public static ImmutableArray<HostCheck> ToChecks(IReadOnlyCollection<Wire.HostCheck> checks, string path)
    {
        if (checks.Count > MaxChecks)
            throw new WireException(path, $"{checks.Count} entries are too many, at most {MaxChecks} are allowed");
        return [.. checks.Select(c => ToCheck(c, path))];
    }

    private static HostCheck ToCheck(Wire.HostCheck check, string path) => new(
        Bounded(check.Name, path),
        Bounded(check.Value, path),
        Bounded(check.Needed, path),
        // One that a newer agent knows is not known here.
        Enum.IsDefined(check.Verdict) && check.Verdict != 0 ? check.Verdict : Wire.HostCheck.Types.Verdict.Unknown,
        Bounded(check.Remedy, path),
        Bounded(check.Risk, path),
        check.Sysctls.Count <= MaxChecks
            ? check.Sysctls.ToImmutableSortedDictionary(s => Bounded(s.Key, path), s => Bounded(s.Value, path), StringComparer.Ordinal)
            : throw new WireException(path, $"{check.Sysctls.Count} sysctls are too many"));
}
