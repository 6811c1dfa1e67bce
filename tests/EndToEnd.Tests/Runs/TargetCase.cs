using LoadHarness.EndToEnd.Tests.Benches;
using LoadHarness.TestKit.Networks;
using LoadHarness.TestKit.Processes;

namespace LoadHarness.EndToEnd.Tests.Runs;

/// <summary>One thing that a target may do, and what a run against it must come to.</summary>
/// <param name="Name">Of the test.</param>
/// <param name="Line">What follows <c>run</c>.</param>
/// <param name="ExitCode">Of the run.</param>
public sealed record TargetCase(string Name, string Line, int ExitCode)
{
    /// <summary>Starts the target on its host; null: there is none.</summary>
    public Func<NetworkNamespace, IDisposable>? Start { get; init; }

    /// <summary>Failure reasons that may be counted, at least one of them; empty: none is.</summary>
    public string[] Reasons { get; init; } = [];

    /// <summary>What the report must say.</summary>
    public string[] Words { get; init; } = [];

    /// <summary>What happens while the run goes on.</summary>
    public Func<ProgramProcess, Task>? Meanwhile { get; init; }

    /// <summary>What else the summary must say.</summary>
    public Action<Json> Expect { get; init; } = _ => { };

    /// <inheritdoc/>
    public override string ToString() => Name;
}
