using LoadHarness.Coordinator.Aggregation;

namespace LoadHarness.Coordinator.Runs;

/// <summary>Why a run ends.</summary>
/// <param name="Ending">What the exit code follows from.</param>
/// <param name="Reason">For people; empty when the run ended as its spec says.</param>
internal sealed record RunEnd(RunEnding Ending, string Reason)
{
    /// <summary>The state that it leads to.</summary>
    public RunState State => Ending switch
    {
        RunEnding.Completed => RunState.Completed,
        RunEnding.Stopped or RunEnding.Interrupted => RunState.Stopped,
        _ => RunState.Failed,
    };
}

/// <summary>The run ends here, whatever its loop was about to do.</summary>
internal sealed class RunEndException(RunEnd end) : Exception(end.Reason)
{
    public RunEndException(RunEnding ending, string reason)
        : this(new RunEnd(ending, reason))
    {
    }

    public RunEnd End => end;
}
