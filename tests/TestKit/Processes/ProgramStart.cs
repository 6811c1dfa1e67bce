using System.Collections.Immutable;
using LoadHarness.TestKit.Networks;

namespace LoadHarness.TestKit.Processes;

/// <summary>A program to start.</summary>
/// <param name="FileName">A path, or a name that is looked up on the PATH.</param>
/// <param name="Arguments">Its arguments.</param>
public sealed record ProgramStart(string FileName, params ImmutableArray<string> Arguments)
{
    /// <summary>Where it runs; null is the namespace of the tests themselves.</summary>
    public NetworkNamespace? Namespace { get; init; }

    /// <summary>Variables beside those of the tests.</summary>
    public ImmutableDictionary<string, string> Environment { get; init; } = ImmutableDictionary<string, string>.Empty;

    /// <summary>Adds a variable.</summary>
    public ProgramStart With(string variable, string value) => this with { Environment = Environment.SetItem(variable, value) };

    /// <summary>As one would type it.</summary>
    public override string ToString() => string.Join(' ', Arguments.Prepend(Path.GetFileName(FileName)));
}
