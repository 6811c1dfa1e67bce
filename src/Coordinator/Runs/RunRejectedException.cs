using System.Collections.Immutable;

namespace LoadHarness.Coordinator.Runs;

/// <summary>What was asked of a run is not done, and nothing has changed.</summary>
/// <param name="kind">For the status code.</param>
/// <param name="problems">For people, all of them.</param>
public sealed class RunRejectedException(RunRejection kind, ImmutableArray<string> problems) : Exception(string.Join(" ", problems))
{
    /// <summary>For the status code.</summary>
    public RunRejection Kind => kind;

    /// <summary>For people.</summary>
    public ImmutableArray<string> Problems => problems;

    /// <summary>A run that is not under load cannot be scaled.</summary>
    internal static RunRejectedException NotUnderLoad(string runId, RunState state) => new(RunRejection.WrongState,
        [$"run {runId} is {state.ToString().ToLowerInvariant()}; a run can be scaled while it is ramping or holding"]);

    /// <summary>A run that does not hold cannot reconnect.</summary>
    internal static RunRejectedException NotHolding(string runId, RunState state) => new(RunRejection.WrongState,
        [$"run {runId} is {state.ToString().ToLowerInvariant()}; connections can be reconnected while it is holding"]);

    /// <summary>Counts by source and by destination are not stored.</summary>
    internal static RunRejectedException NoReport(string runId, string reason) => new(RunRejection.WrongState,
        [$"run {runId} has no report, and nothing was kept that one could be made of{(reason.Length > 0 ? $": {reason}" : "")}"]);

    internal static RunRejectedException NoSocketsKept(string runId) => new(RunRejection.WrongState,
        [$"run {runId} ended before the coordinator was started, and tables of sockets are kept only while it has the run: "
            + $"`loadharness runs show {runId}` has the summary, with the connections by source and by destination"]);
}

/// <summary>Why something is not done.</summary>
public enum RunRejection
{
    /// <summary>It is wrong in itself.</summary>
    Invalid,

    /// <summary>It does not fit the agents, sources or target ports that there are.</summary>
    DoesNotFit,

    /// <summary>The run is not in a state that allows it.</summary>
    WrongState,

    /// <summary>There is no such run.</summary>
    Unknown,

    /// <summary>The coordinator cannot do it now; later it may.</summary>
    Unavailable,
}
