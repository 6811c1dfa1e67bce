using System.Collections.Immutable;

namespace LoadHarness.Coordinator.Runs;

/// <summary>Where a run is in its life; the names and numbers are those of control.proto.</summary>
public enum RunState
{
    /// <summary>Waiting for agents, planning.</summary>
    Pending = 1,

    /// <summary>Assignments are out, agents get ready.</summary>
    Preparing = 2,

    /// <summary>On the way to the goal.</summary>
    Ramping = 3,

    /// <summary>The goal was met; what is lost is reopened.</summary>
    Holding = 4,

    /// <summary>Agents close what they hold.</summary>
    Draining = 5,

    /// <summary>Ended as planned.</summary>
    Completed = 6,

    /// <summary>Stopped by its user.</summary>
    Stopped = 7,

    /// <summary>Ended by itself before its time.</summary>
    Failed = 8,
}

/// <summary>The transition table of a run.</summary>
public static class RunStates
{
    //  from \ to    Preparing   Ramping       Holding    Draining               Completed   Stopped        Failed
    //  Pending      planned                                                                 stopped        no agents, no fit
    //  Preparing                all ready                stopped, refused,                                 broke off
    //                                                    not ready
    //  Ramping                                goal met   end, stopped, aborted,                            broke off
    //                                                    refused, all lost
    //  Holding                  scaled                   end, stopped, refused,                            broke off
    //                                                    all lost
    //  Draining                                                                 after an    after a stop   after anything
    //                                                                           end                        else
    //  Completed, Stopped and Failed are final.
    private static readonly ImmutableDictionary<RunState, ImmutableArray<RunState>> _table =
        new Dictionary<RunState, ImmutableArray<RunState>>
        {
            [RunState.Pending] = [RunState.Preparing, RunState.Stopped, RunState.Failed],
            [RunState.Preparing] = [RunState.Ramping, RunState.Draining, RunState.Failed],
            [RunState.Ramping] = [RunState.Holding, RunState.Draining, RunState.Failed],
            [RunState.Holding] = [RunState.Ramping, RunState.Draining, RunState.Failed],
            [RunState.Draining] = [RunState.Completed, RunState.Stopped, RunState.Failed],
            [RunState.Completed] = [],
            [RunState.Stopped] = [],
            [RunState.Failed] = [],
        }.ToImmutableDictionary();

    /// <summary>Whether a run in one state may go over to another one.</summary>
    public static bool CanBecome(this RunState from, RunState to) => _table[from].Contains(to);

    /// <summary>Whether nothing happens any more.</summary>
    public static bool HasEnded(this RunState state) => _table[state].IsEmpty;

    /// <summary>Whether connections are being opened or held.</summary>
    public static bool IsUnderLoad(this RunState state) => state is RunState.Ramping or RunState.Holding;
}
