namespace LoadHarness.Coordinator.Verdicts;

/// <summary>What every verb exits with. When several apply the first one in this order counts.</summary>
public enum ExitCode
{
    /// <summary>Ctrl-C, SIGTERM, or stopped by its user.</summary>
    Interrupted = 130,

    /// <summary>Wrong usage or an invalid spec.</summary>
    Invalid = 2,

    /// <summary>The plan does not fit.</summary>
    DoesNotFit = 7,

    /// <summary>The coordinator cannot be reached, or refuses the credential.</summary>
    Unreachable = 6,

    /// <summary>Agents were lost, so that the goal was missed.</summary>
    AgentsLost = 5,

    /// <summary>The goal was not reached.</summary>
    GoalMissed = 4,

    /// <summary>A threshold failed.</summary>
    ThresholdFailed = 3,

    /// <summary>Something went wrong inside.</summary>
    Internal = 1,

    /// <summary>Passed.</summary>
    Passed = 0,
}
